import { describe, expect, test } from 'vitest';
import { readEvent } from '../../lib/http/event.ts';

describe('the event of a request', () => {
  test('of an HTTP API (payload format 2.0) is as it came', () => {
    const event = {
      version: '2.0',
      rawPath: '/notify/v3',
      rawQueryString: '',
      headers: { 'content-type': 'application/json' },
      requestContext: { requestId: 'r', http: { method: 'POST', sourceIp: '203.0.113.9' } },
      pathParameters: { outTradeNo: 'order-0001' },
      body: '{}',
      isBase64Encoded: true,
    };

    expect(readEvent(event)).toEqual(event);
  });

  test('of a REST API (payload format 1.0) is under the names of 2.0', () => {
    const event = {
      version: '1.0',
      path: '/notify/v3',
      headers: { Accept: 'b' },
      multiValueHeaders: { Accept: ['a', 'b'], 'X-Twice': ['1', '2'] },
      requestContext: { requestId: 'r', identity: { sourceIp: '203.0.113.9' } },
      pathParameters: null,
      body: '{}',
      isBase64Encoded: false,
    };

    expect(readEvent(event)).toMatchObject({
      rawPath: '/notify/v3',
      headers: { Accept: 'b', 'X-Twice': '1,2' },
      requestContext: { requestId: 'r', http: { sourceIp: '203.0.113.9' } },
      pathParameters: {},
      body: '{}',
    });
  });

  test.each([undefined, null, {}, [], 'text', 5, { headers: 5, requestContext: 'x', path: 1 }])(
    'has every part that is read, of its type: %j',
    (event) => {
      expect(readEvent(event)).toMatchObject({
        rawPath: '',
        headers: {},
        requestContext: { requestId: '', http: { sourceIp: '127.0.0.1' } },
        isBase64Encoded: false,
      });
      expect(readEvent(event).body).toBeUndefined();
    },
  );

  test.each([
    [true, true],
    [false, false],
    ['true', false],
    ['false', false],
    [1, false],
    [undefined, false],
  ])('is base64 only if the flag says true: %j', (isBase64Encoded, expected) => {
    expect(readEvent({ isBase64Encoded }).isBase64Encoded).toBe(expected);
  });

  test.each([undefined, null, 5, 'text', {}, { sourceIp: 5 }, { sourceIp: null }])(
    'has an address that is a text, whatever stands there: %j',
    (http) => {
      expect(readEvent({ requestContext: { http } }).requestContext.http.sourceIp).toBe(
        '127.0.0.1',
      );
    },
  );

  test.each([{}, [], 5, null, true])('has no body that is no text: %j', (body) => {
    expect(readEvent({ body })).not.toHaveProperty('body');
  });

  test('has no headers that are no texts, and one named __proto__ is only that', () => {
    const headers = JSON.parse('{"__proto__":"a","b":5,"c":["d",6,"e"],"f":null,"g":"h"}');

    expect(Object.entries(readEvent({ headers }).headers)).toEqual([
      ['__proto__', 'a'],
      ['c', 'd,e'],
      ['g', 'h'],
    ]);
  });
});

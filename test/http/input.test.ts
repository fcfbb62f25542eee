import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { httpHandler } from '../../lib/http/handler.ts';
import { header, parse, readBody, readJson } from '../../lib/http/input.ts';
import { apiEvent, recordedFunction } from '../support/api-event.ts';
import { refusalOf } from '../support/thrown.ts';

describe('a header', () => {
  test.each(['idempotency-key', 'Idempotency-Key', 'IDEMPOTENCY-KEY', 'iDEMPOTENCY-kEY'])(
    'is found as %s',
    (name) => {
      expect(header(apiEvent({ headers: { [name]: ' k ' } }), 'idempotency-key')).toBe('k');
    },
  );

  test('is absent when it is not there, empty, or blank', () => {
    expect(header(apiEvent(), 'idempotency-key')).toBeUndefined();
    expect(header(apiEvent({ headers: { 'idempotency-key': '' } }), 'idempotency-key')).toBe(
      undefined,
    );
    expect(header(apiEvent({ headers: { 'idempotency-key': '  ' } }), 'idempotency-key')).toBe(
      undefined,
    );
    expect(header({ ...apiEvent(), headers: undefined } as never, 'a')).toBeUndefined();
  });
});

describe('a body', () => {
  test('is the bytes that were sent, in base64 or not', () => {
    const bytes = Buffer.from('{"a":"中文"}');

    expect(readBody({ body: '{"a":"中文"}', isBase64Encoded: false })).toEqual(bytes);
    expect(readBody({ body: bytes.toString('base64'), isBase64Encoded: true })).toEqual(bytes);
    expect(readBody({ isBase64Encoded: false })).toEqual(Buffer.alloc(0));
  });

  test('keeps bytes that are no text', () => {
    const bytes = Buffer.from([0x00, 0xff, 0xfe, 0x80]);

    expect(readBody({ body: bytes.toString('base64'), isBase64Encoded: true })).toEqual(bytes);
  });

  test('is read as JSON', () => {
    const base64 = Buffer.from('{"a":"中文"}').toString('base64');

    expect(readJson(apiEvent({ body: '{"a":"中文"}' }))).toEqual({ a: '中文' });
    expect(readJson(apiEvent({ body: base64, isBase64Encoded: true }))).toEqual({ a: '中文' });
    expect(readJson(apiEvent({ body: 'null' }))).toBeNull();
  });

  test.each<[string, string | undefined, boolean]>([
    ['nothing', undefined, false],
    ['an empty text', '', false],
    ['half of a JSON', '{"key":"s3cret', false],
    ['a form', 'code=s3cret', false],
    ['two documents', '{}{}', false],
    ['bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0x22]).toString('base64'), true],
    ['JSON where base64 was announced', '{"a":1}', true],
    ['brackets without end', '['.repeat(32_000), false],
  ])('is refused as %s, without quoting it', async (_, body, isBase64Encoded) => {
    const recorded = recordedFunction();
    const handler = httpHandler(
      async (event) => ({ read: readJson(event) }),
      () => ({}),
      recorded,
    );
    const answer = await handler(apiEvent({ body, isBase64Encoded }), { awsRequestId: 'lambda' });

    expect(answer.statusCode).toBe(400);
    expect(JSON.parse(answer.body ?? '').error).toEqual({
      code: 'INVALID_JSON',
      message: 'The body is empty or not valid JSON.',
    });
    expect(recorded.text()).not.toContain('s3cret');
  });

  test('of 32 KiB is read, of a byte more refused, whatever it is', () => {
    const most = JSON.stringify('x'.repeat(32 * 1024 - 2));

    expect(readJson(apiEvent({ body: most }))).toHaveLength(32 * 1024 - 2);
    for (const body of [`${most} `, 'x'.repeat(6_000_000)]) {
      expect(() => readJson(apiEvent({ body }))).toThrow(
        expect.objectContaining({ code: 'BODY_TOO_LARGE', parameters: { maxBytes: 32_768 } }),
      );
    }
  });

  test('counts in bytes, not in characters', () => {
    expect(() => readJson(apiEvent({ body: JSON.stringify('中'.repeat(11_000)) }))).toThrow(
      expect.objectContaining({ code: 'BODY_TOO_LARGE' }),
    );
  });
});

describe('the fields of a body', () => {
  const fields = v.strictObject({
    few: v.optional(v.pipe(v.array(v.string()), v.minLength(1), v.maxLength(2))),
    kind: v.optional(v.picklist(['a', 'b'])),
    names: v.optional(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(3)))),
    code: v.optional(v.pipe(v.string(), v.regex(/^\w+$/))),
    inner: v.optional(v.strictObject({ list: v.array(v.strictObject({ value: v.string() })) })),
  });
  // A rule about the whole has no field to name.
  const schema = v.pipe(
    fields,
    v.check(({ kind, code }) => kind !== 'b' || code !== undefined),
  );
  const refused = (body: unknown) => refusalOf(() => parse(schema, body));
  const invalid = (field: string, problem: string, more = {}) => ({
    code: 'INVALID_REQUEST',
    parameters: { field, problem, ...more },
  });

  test('are taken as they are', () => {
    const body = { kind: 'a', names: ['x'], inner: { list: [{ value: 'y' }] } };

    expect(parse(schema, body)).toEqual(body);
  });

  test.each<unknown>([null, [], 'text', 7, undefined])('are not there in %j', (body) => {
    expect(refused(body)).toEqual(invalid('body', 'the body must be a JSON object'));
  });

  test.each<[object, string, string, object?]>([
    [{ other: 1 }, 'other', 'unknown field'],
    [{ kind: 'c' }, 'kind', 'not one of the allowed values'],
    [{ names: 'x' }, 'names', 'expected a list'],
    [{ names: [''] }, 'names[0]', 'empty'],
    [{ few: [] }, 'few', 'at least 1 item'],
    [{ few: ['a', 'b', 'c'] }, 'few', 'at most {max} items', { max: 2 }],
    [{ kind: 'b' }, '', 'not one of the allowed values'],
    [{ names: ['x', 'long'] }, 'names[1]', 'longer than {max} characters', { max: 3 }],
    [{ names: [7] }, 'names[0]', 'expected a string'],
    [{ code: '!' }, 'code', 'expected 1 to 64 characters without control characters'],
    [{ inner: 1 }, 'inner', 'expected an object'],
    [{ inner: { list: [{}] } }, 'inner.list[0].value', 'missing'],
    [{ ['k'.repeat(99)]: 1 }, 'k'.repeat(64), 'unknown field'],
  ])('are refused by name: %j', (body, field, problem, more) => {
    expect(refused(body)).toEqual(invalid(field, problem, more));
  });
});

import { describe, expect, test } from 'vitest';
import {
  ConfigError,
  InvalidRequestError,
  LoginError,
  OrderConflictError,
  OrderNotFoundError,
  TemporarilyUnavailableError,
  UnauthenticatedError,
  WechatPayServiceError,
  WechatPaySignatureError,
  WechatPayTransportError,
} from '../../lib/errors.ts';
import { withStatus } from '../../lib/http/answer.ts';
import { httpHandler, type HttpOperation, preferredLanguage } from '../../lib/http/handler.ts';
import { apiEvent, recordedFunction, REQUEST_ID } from '../support/api-event.ts';

const lambda = { awsRequestId: 'lambda-0001' };

/** One call of a handler around an operation. */
async function respond(operation: HttpOperation<object>, event = apiEvent()) {
  const recorded = recordedFunction();
  const answer = await httpHandler(operation, () => ({}), recorded)(event, lambda);
  return { ...answer, json: JSON.parse(answer.body ?? ''), recorded };
}

const failWith = (error: unknown, event = apiEvent()) =>
  respond(async () => {
    throw error;
  }, event);

describe('an answer', () => {
  test('is the JSON of the operation, not to be kept, with the request id', async () => {
    const { json: _json, recorded, ...answer } = await respond(async () => ({ text: '中文' }));

    expect(answer).toEqual({
      statusCode: 200,
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'cache-control': 'no-store',
        'x-request-id': REQUEST_ID,
      },
      body: '{"text":"中文"}',
    });
    expect(recorded.log.lines).toEqual([]);
    expect(recorded.flushes()).toBe(1);
  });

  test.each([201, 202] as const)('has the status that its operation chose: %i', async (status) => {
    const answer = await respond(async () => withStatus(status, { text: '中文' }));

    expect(answer).toMatchObject({ statusCode: status, body: '{"text":"中文"}' });
  });

  test('takes no status from what its body says', async () => {
    const { statusCode } = await respond(async () => ({ status: 201, statusCode: 201 }));

    expect(statusCode).toBe(200);
  });

  test('of a call without an id of the gateway carries that of Lambda', async () => {
    const event = { ...apiEvent(), requestContext: undefined } as never;

    const { headers, recorded } = await respond(async () => ({}), event);

    expect(headers?.['x-request-id']).toBe('lambda-0001');
    expect(recorded.requestIds).toEqual(['lambda-0001']);
  });

  test('gives the operation its event, dependencies, request id and log', async () => {
    const event = apiEvent();
    const recorded = recordedFunction();
    const seen: unknown[] = [];
    const handler = httpHandler(
      async (...given) => {
        seen.push(...given);
        return {};
      },
      () => 'dependencies',
      recorded,
    );
    await handler(event, lambda);

    expect(seen).toEqual([event, 'dependencies', { requestId: REQUEST_ID, log: recorded.log }]);
    expect(recorded.lambdaRequestIds).toEqual(['lambda-0001']);
  });
});

describe('an error', () => {
  test('is one code, one text and the request id, logged in one line', async () => {
    const { json, recorded, body: _body, ...answer } = await failWith(new OrderNotFoundError());

    expect(answer).toEqual({
      statusCode: 404,
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'cache-control': 'no-store',
        'x-request-id': REQUEST_ID,
      },
    });
    expect(json).toEqual({
      error: { code: 'ORDER_NOT_FOUND', message: 'There is no such order.' },
      requestId: REQUEST_ID,
    });
    expect(recorded.log.lines).toEqual([
      {
        level: 'warn',
        message: 'request failed',
        fields: expect.objectContaining({ status: 404, code: 'ORDER_NOT_FOUND' }),
      },
    ]);
    expect(recorded.flushes()).toBe(1);
  });

  test('names its values, in the language that was asked for', async () => {
    const error = new InvalidRequestError('AMOUNT_INVALID', { field: 'a', min: 1, max: 2 });
    const chinese = apiEvent({ headers: { 'accept-language': 'zh-CN,zh;q=0.9' } });

    expect((await failWith(error)).json.error.message).toBe(
      'a must be a whole number of fen from 1 to 2.',
    );
    expect((await failWith(error, chinese)).json.error.message).toBe(
      'a 必须是以分为单位的整数，范围 1 到 2。',
    );
  });

  test('about a changed price carries the price', async () => {
    const error = new OrderConflictError('PRICE_CHANGED', { totalFen: 2900 });

    expect((await failWith(error)).json).toEqual({
      error: {
        code: 'PRICE_CHANGED',
        message: 'The price is 2900 fen now; show it to the buyer and ask again.',
        totalFen: 2900,
      },
      requestId: REQUEST_ID,
    });
  });

  test.each([
    [new ConfigError('the secret s3cret'), 500, 'CONFIG_ERROR'],
    [new WechatPayTransportError('unknown', 's3cret'), 503, 'WECHAT_UNREACHABLE'],
    [new WechatPayServiceError('unknown', 'SYSTEMERROR', 's3cret'), 503, 'WECHAT_PAY_BUSY'],
    [new WechatPayServiceError('rejected', 'NOAUTH', 's3cret'), 502, 'WECHAT_PAY_REFUSED'],
    [new WechatPaySignatureError('s3cret'), 502, 'SIGNATURE_INVALID'],
    [new LoginError('WEIXIN_BUSY', 's3cret'), 503, 'WEIXIN_BUSY'],
    [new Error('s3cret'), 500, 'INTERNAL_ERROR'],
    [new TypeError('s3cret'), 500, 'INTERNAL_ERROR'],
    ['s3cret', 500, 'INTERNAL_ERROR'],
    [undefined, 500, 'INTERNAL_ERROR'],
  ])('of 500 and above says nothing about the inside: %s', async (error, status, code) => {
    const { statusCode, body, json, recorded } = await failWith(error);

    expect(statusCode).toBe(status);
    expect(json.error.code).toBe(code);
    expect(body).not.toContain('s3cret');
    expect(body).not.toContain('stack');
    expect(recorded.log.lines).toHaveLength(1);
    expect(recorded.log.lines[0]).toMatchObject({ level: 'error', fields: { status } });
  });

  test.each([
    [new TemporarilyUnavailableError('r'), '2'],
    [new WechatPayTransportError('unknown', 'r'), '2'],
    [new LoginError('LOGIN_TOO_OFTEN', 'r'), '60'],
    [new OrderNotFoundError(), undefined],
    [new Error('r'), undefined],
  ])('says when to come back, if that is what helps: %s', async (error, seconds) => {
    expect((await failWith(error)).headers?.['retry-after']).toBe(seconds);
  });

  test('of AWS that passes is no mistake of ours', async () => {
    const throttled = Object.assign(new Error('s3cret'), { name: 'ThrottlingException' });
    const { statusCode, json, headers, recorded } = await failWith(throttled);

    expect([statusCode, json.error.code, headers?.['retry-after']]).toEqual([
      503,
      'TEMPORARILY_UNAVAILABLE',
      '2',
    ]);
    expect(recorded.log.lines[0]?.fields).toMatchObject({
      code: 'TEMPORARILY_UNAVAILABLE',
      retryable: true,
      reason: 'AWS cannot serve just now: ThrottlingException',
    });
  });

  test('of the configuration raises its metric, and only that one does', async () => {
    const config = await failWith(new ConfigError('TABLE_NAME is not set'));
    const other = await failWith(new UnauthenticatedError());

    expect(config.recorded.log.counts).toEqual({ ConfigError: 1 });
    expect(other.recorded.log.counts).toEqual({});
  });

  test('while the dependencies are made is answered like any other', async () => {
    const recorded = recordedFunction();
    const handler = httpHandler(
      async () => ({}),
      () => {
        throw new ConfigError('the environment variable TABLE_NAME is not set');
      },
      recorded,
    );

    const answer = await handler(apiEvent(), lambda);

    expect(answer.statusCode).toBe(500);
    expect(JSON.parse(answer.body ?? '').error.code).toBe('CONFIG_ERROR');
    expect(recorded.log.counts).toEqual({ ConfigError: 1 });
    expect(recorded.flushes()).toBe(1);
  });
});

describe('the language', () => {
  test.each([
    ['', 'en'],
    ['zh-CN', 'zh-CN'],
    ['zh', 'zh-CN'],
    ['ZH-tw', 'zh-CN'],
    ['zh-Hans-CN', 'zh-CN'],
    ['en-US,en;q=0.9', 'en'],
    ['en;q=0.8,zh;q=0.9', 'zh-CN'],
    ['zh;q=0.8,en;q=0.9', 'en'],
    ['zh;q=0.8, en ; q=0.9', 'en'],
    ['zh,en', 'zh-CN'],
    ['en,zh', 'en'],
    ['zh;q=0,en;q=0.1', 'en'],
    ['zh;q=0', 'en'],
    ['zh;v=b3;q=0.9,en;q=0.8', 'zh-CN'],
    ['fr-FR,de;q=0.5', 'en'],
    ['fr,zh;q=0.1', 'zh-CN'],
    ['zhuang', 'en'],
    ['*', 'en'],
    ['zh;q=1.1.1,en;q=0.1', 'en'],
    [',;,=', 'en'],
  ])('of "%s" is %s', (asked, language) => {
    expect(preferredLanguage(apiEvent({ headers: { 'accept-language': asked } }))).toBe(language);
  });

  test('is English when none is asked for', () => {
    expect(preferredLanguage(apiEvent())).toBe('en');
  });
});

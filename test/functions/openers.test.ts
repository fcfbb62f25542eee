/** Each function, opened as Lambda opens it, on a machine that a test looks into. */
import { describe, expect, test } from 'vitest';
import * as closeFunction from '../../functions/close.ts';
import * as loginFunction from '../../functions/login.ts';
import * as notifyFunction from '../../functions/notify.ts';
import * as publishFunction from '../../functions/publish.ts';
import * as prepayFunction from '../../functions/prepay.ts';
import * as queryFunction from '../../functions/query.ts';
import * as reconcileFunction from '../../functions/reconcile.ts';
import * as refundFunction from '../../functions/refund.ts';
import type { Machine } from '../../lib/deployment.ts';
import { verifyToken } from '../../lib/http/session.ts';
import { apiEvent } from '../support/api-event.ts';
import { APPID, CREATED_AT, OPENID } from '../support/sample-orders.ts';
import { IN_LAMBDA, SETTINGS, testMachine } from '../support/test-machine.ts';

const { openClose } = closeFunction;
const { openLogin } = loginFunction;
const { openNotify } = notifyFunction;
const { openPrepay } = prepayFunction;
const { openQuery } = queryFunction;
const { openReconcile } = reconcileFunction;
const { openRefund } = refundFunction;

const lambda = { awsRequestId: 'lambda-0001', getRemainingTimeInMillis: () => 55_000 };
const body = '{"code":"0a3xyz"}';

type Opener = (machine: Machine) => Promise<unknown>;

const openers: [string, Opener, string[]][] = [
  ['login', openLogin, ['mini-program']],
  ['prepay', openPrepay, ['mini-program', 'merchant', 'GetItemCommand']],
  ['query', openQuery, ['mini-program', 'merchant', 'GetItemCommand']],
  ['close', openClose, ['mini-program', 'merchant', 'GetItemCommand']],
  ['notify', openNotify, ['merchant', 'UpdateItemCommand']],
  ['reconcile', openReconcile, ['merchant', 'GetItemCommand']],
  ['refund', openRefund, ['merchant', 'GetItemCommand']],
];

describe.each(openers)('%s', (name, open, firstSteps) => {
  test('is opened without a word to anybody outside of Lambda', async () => {
    const machine = testMachine();
    await open(machine);

    expect(machine.happened).toEqual([]);
    expect([...machine.logs.keys()]).toEqual([name]);
  });

  test('takes its first steps while Lambda starts it', async () => {
    const machine = testMachine({ environment: { ...SETTINGS, ...IN_LAMBDA } });
    await open(machine);

    expect(machine.happened).toEqual(firstSteps);
  });

  test.each<[string, Partial<Machine>]>([
    [
      'nothing can be read',
      { openSecretsClient: () => ({ send: () => Promise.reject(new Error()) }) },
    ],
    ['a setting is missing', { environment: IN_LAMBDA }],
  ])('starts all the same when %s', async (_, changes) => {
    const environment = { ...SETTINGS, ...IN_LAMBDA };

    await expect(open(testMachine({ environment, ...changes }))).resolves.toBeTypeOf('function');
  });
});

test.each([
  loginFunction,
  notifyFunction,
  prepayFunction,
  queryFunction,
  closeFunction,
  refundFunction,
  reconcileFunction,
  publishFunction,
])('what Lambda calls is there: %#', ({ handler }) => {
  expect(handler).toBeTypeOf('function');
});

/** What else than an HTTP API may call a function: a REST API, the console's test button, a hand. */
const ODD_EVENTS: [string, unknown][] = [
  ['nothing', undefined],
  ['null', null],
  ['{}', {}],
  ['a text', 'hello'],
  ['a list', [1]],
  ['null in every part', { headers: null, requestContext: null, rawPath: null, body: null }],
  ['no headers', { rawPath: '/notify/v3', requestContext: { requestId: 'r' }, body: '{}' }],
  ['parts of other types', { headers: 'a', requestContext: 5, rawPath: {}, body: {}, path: [] }],
  ['headers of other types', { headers: { authorization: 5, 'accept-language': ['zh', 7] } }],
  ['a body that is no base64', { rawPath: '/notify/v3', body: '%%%', isBase64Encoded: true }],
  ['an odd base64 flag', { rawPath: '/notify/v2/payment', body: '<xml/>', isBase64Encoded: 'yes' }],
  ['a path of another type', { pathParameters: 'x' }],
  ['a path parameter of another type', { pathParameters: { outTradeNo: { a: 1 } } }],
  [
    'payload format 1.0',
    {
      version: '1.0',
      path: '/notify/v3',
      httpMethod: 'POST',
      headers: null,
      multiValueHeaders: { 'X-Request': ['a', 'b'] },
      requestContext: { requestId: 'rest-0001', identity: { sourceIp: '203.0.113.9' } },
      body: null,
      isBase64Encoded: false,
    },
  ],
];

describe.each([
  ['login', openLogin],
  ['prepay', openPrepay],
  ['query', openQuery],
  ['notify', openNotify],
  ['refund', openRefund],
] as const)('whatever calls %s has an answer', (name, open) => {
  test.each(ODD_EVENTS)('for %s', async (_, event) => {
    const machine = testMachine();
    const handler = await open(machine);
    const { statusCode, headers, body: said } = await handler(event as never, lambda);

    expect(statusCode).toBeGreaterThanOrEqual(400);
    expect(statusCode).toBeLessThan(500);
    expect(headers?.['x-request-id']).toMatch(/^(lambda|rest)-0001$|^r$/);
    expect(said).toMatch(/"code":"[A-Z0-9_]+"|<return_code><!\[CDATA\[FAIL\]\]>/);
    expect(machine.logs.get(name)?.log.lines.length).toBeGreaterThan(0);
    expect(machine.happened).not.toContain('UpdateItemCommand');
  });
});

describe('a missing setting', () => {
  const environment = { ...SETTINGS, TABLE_NAME: undefined };
  const reason = 'the environment variable TABLE_NAME is not set';

  test.each([
    ['login', openLogin],
    ['prepay', openPrepay],
    ['query', openQuery],
    ['close', openClose],
    ['notify', openNotify],
    ['refund', openRefund],
  ] as const)('is named by every request of %s', async (name, open) => {
    const machine = testMachine({ environment });
    const handler = await open(machine);
    for (let call = 0; call < 2; call += 1) {
      expect(await handler({ ...apiEvent({ body }), rawPath: '/notify/v3' }, lambda)).toMatchObject(
        { statusCode: 500 },
      );
    }

    const log = machine.logs.get(name)?.log;
    expect(log?.lines.map(({ fields }) => fields['reason'])).toEqual([reason, reason]);
    expect(machine.happened).toEqual([]);
  });

  test('is named by a run of reconcile', async () => {
    const handler = await openReconcile(testMachine({ environment }));

    await expect(handler({}, lambda)).rejects.toThrow(reason);
  });
});

test('a buyer logs in on the machine’s time, over its hosts and with its secret', async () => {
  const machine = testMachine({ answer: () => JSON.stringify({ openid: OPENID }) });
  const handler = await openLogin(machine);
  const answer = await handler(apiEvent({ body }), lambda);
  const { token, expiresIn } = JSON.parse(answer.body ?? '');
  const key = { appid: APPID, sessionKey: 's'.repeat(32) };
  const verify = (epochSeconds: number) =>
    verifyToken(`Bearer ${token}`, { ...key, nowMs: epochSeconds * 1000 });

  expect(await verify(CREATED_AT)).toBe(OPENID);
  expect(await verify(CREATED_AT + expiresIn - 1)).toBe(OPENID);
  await expect(verify(CREATED_AT + expiresIn)).rejects.toThrow('TOKEN_EXPIRED');
  expect(machine.happened).toEqual([
    'mini-program',
    expect.stringMatching(/^\/sns\/jscode2session/),
  ]);
});

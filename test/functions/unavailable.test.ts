/** Secrets Manager or the table is slow, throttles or is down while each function is called. */
import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import { openClose } from '../../functions/close.ts';
import { openLogin } from '../../functions/login.ts';
import { openNotify } from '../../functions/notify.ts';
import { openPrepay } from '../../functions/prepay.ts';
import { openQuery } from '../../functions/query.ts';
import { openRefund } from '../../functions/refund.ts';
import type { Machine } from '../../lib/deployment.ts';
import { apiEvent } from '../support/api-event.ts';
import { jwt } from '../support/jwt.ts';
import { APPID, CREATED_AT, OPENID } from '../support/sample-orders.ts';
import { seededMachine } from '../support/seeded-machine.ts';
import { testMachine } from '../support/test-machine.ts';
import { notificationXml } from '../support/v2-message.ts';

const failure = (name: string, more: object = {}) =>
  Object.assign(new Error('s3cret'), { name, ...more });

const SECRET_FAILURES: [string, Error][] = [
  ['throttles', failure('ThrottlingException')],
  ['has a fault', failure('InternalServiceError', { $metadata: { httpStatusCode: 500 } })],
  ['does not answer', failure('TimeoutError')],
  ['cannot be reached', failure('Error', { code: 'ECONNREFUSED' })],
];
const TABLE_FAILURES: [string, Error][] = [
  ['throttles', failure('ProvisionedThroughputExceededException')],
  ['throttles an account', failure('RequestLimitExceeded')],
  ['has a fault', failure('InternalServerError', { $fault: 'server' })],
  ['does not answer', failure('TimeoutError')],
  ['cannot be reached', failure('Error', { code: 'ECONNRESET' })],
  [
    'throttles a transaction',
    new TransactionCanceledException({
      message: 'm',
      $metadata: {},
      CancellationReasons: [{ Code: 'ThrottlingError' }, { Code: 'None' }],
    }),
  ],
];

const authorization = `Bearer ${jwt({ sub: OPENID, aud: APPID, exp: CREATED_AT + 60 }, 's'.repeat(32))}`;
const latte = { items: [{ sku: 'latte', quantity: 1 }] };

type Handler = (
  event: never,
  context: { awsRequestId: string; getRemainingTimeInMillis?: () => number },
) => Promise<APIGatewayProxyStructuredResultV2>;

const withHttp = (event: ReturnType<typeof apiEvent>) => ({
  ...event,
  requestContext: { ...event.requestContext, http: { sourceIp: '203.0.113.7' } },
});
const refundEvent = () => {
  const event = apiEvent({ headers: { 'idempotency-key': 'refund-1' }, body: '{"refundFen":1}' });
  const authorizer = { iam: { userArn: 'arn:aws:iam::123456789012:user/shop' } };
  return {
    ...event,
    requestContext: { ...event.requestContext, authorizer },
    routeKey: 'POST /orders/{outTradeNo}/refunds',
    pathParameters: { outTradeNo: 'order-0001' },
  };
};
const CALLS: Record<string, { open: (machine: Machine) => Promise<Handler>; event: object }> = {
  login: { open: openLogin, event: apiEvent({ body: '{"code":"0a3xyz"}' }) },
  prepay: {
    open: openPrepay,
    event: withHttp(
      apiEvent({
        headers: { authorization, 'idempotency-key': 'tap-1' },
        body: JSON.stringify(latte),
      }),
    ),
  },
  query: {
    open: openQuery,
    event: {
      ...apiEvent({ headers: { authorization } }),
      pathParameters: { outTradeNo: 'order-0001' },
    },
  },
  close: {
    open: openClose,
    event: {
      ...apiEvent({ headers: { authorization } }),
      pathParameters: { outTradeNo: 'order-0001' },
    },
  },
  refund: { open: openRefund, event: refundEvent() },
  notify: {
    open: openNotify,
    event: { ...apiEvent({ body: notificationXml() }), rawPath: '/notify/v2/payment' },
  },
};

async function call(name: string, changes: Partial<Machine>) {
  const machine = testMachine(changes);
  const { open, event } = CALLS[name] as (typeof CALLS)[string];
  const handler = await open(machine);
  const answer = await handler(event as never, { awsRequestId: 'lambda-0001' });
  return { ...answer, machine, log: machine.logs.get(name) };
}

const failing = (reason: Error) => ({
  send: async () => {
    throw reason;
  },
});
const brokenSecrets = (reason: Error) => ({ openSecretsClient: () => failing(reason) });
const brokenTable = (reason: Error) => ({ openTableClient: () => failing(reason) });

describe.each(['login', 'prepay', 'query', 'close', 'refund'])('%s', (name) => {
  const failures = [
    // A refund reads its order before it needs a key.
    ...(name === 'refund' ? [] : SECRET_FAILURES).map(
      ([what, error]) => [`the secret store ${what}`, brokenSecrets(error)] as const,
    ),
    ...(name === 'login'
      ? []
      : TABLE_FAILURES.map(([what, error]) => [`the table ${what}`, brokenTable(error)] as const)),
  ];

  test.each(failures)('decides nothing while %s, and says so', async (_, changes) => {
    const { statusCode, headers, body, machine, log } = await call(name, changes);

    expect(statusCode).toBe(503);
    expect(headers).toMatchObject({ 'retry-after': '2' });
    expect(JSON.parse(String(body)).error).toEqual({
      code: 'TEMPORARILY_UNAVAILABLE',
      message:
        'Nothing was decided, because our storage is busy; repeat the request with the same Idempotency-Key.',
    });
    expect(machine.happened.filter((each) => each.startsWith('/'))).toEqual([]);
    expect(log?.log.lines).toHaveLength(1);
    expect(log?.log.counts).toEqual({ StorageUnavailable: 1 });
    expect(String(body)).not.toContain('s3cret');
  });
});

describe('notify', () => {
  test.each([
    ...SECRET_FAILURES.map(
      ([what, error]) => [`the secret store ${what}`, brokenSecrets(error)] as const,
    ),
    ...TABLE_FAILURES.map(([what, error]) => [`the table ${what}`, brokenTable(error)] as const),
  ])('has WeChat send a message again while %s', async (_, changes) => {
    const { statusCode, body, log } = await call('notify', changes);

    expect(statusCode).toBe(503);
    expect(body).toContain('<return_code>');
    expect(body).toContain('TEMPORARILY_UNAVAILABLE');
    expect(body).not.toContain('SUCCESS');
    expect(log?.log.counts).toEqual({ NotificationRefused: 1, StorageUnavailable: 1 });
  });
});

describe('a function in which something hangs for good', () => {
  const silent = { send: () => new Promise<never>(() => undefined) };
  const secrets: Partial<Machine> = { openSecretsClient: () => silent };
  const table: Partial<Machine> = { openTableClient: () => silent };
  const hanging = [
    ...['login', 'prepay', 'query', 'close', 'notify'].map(
      (name) => [name, 'the secret store', secrets] as const,
    ),
    ...['prepay', 'query', 'close', 'notify', 'refund'].map(
      (name) => [name, 'the table', table] as const,
    ),
  ];

  test.each(hanging)(
    '%s answers before its time is over while %s is silent, and says so',
    async (name, _, changes) => {
      const time = seededMachine('hangs');
      const machine = testMachine({ ...changes, startTimer: time.startTimer });
      const { open, event } = CALLS[name] as (typeof CALLS)[string];
      const handler = await open(machine);
      let answer: APIGatewayProxyStructuredResultV2 | undefined;
      const call = handler(event as never, {
        awsRequestId: 'lambda-0001',
        getRemainingTimeInMillis: () => 4_000 - time.monotonicMs(),
      }).then((result) => {
        answer = result;
      });
      await time.advance(3_699);
      expect(answer).toBeUndefined();
      await time.advance(1);
      await call;

      expect(answer?.statusCode).toBe(503);
      expect(answer?.body).toContain('TEMPORARILY_UNAVAILABLE');
      expect(answer?.headers?.['retry-after']).toBe(name === 'notify' ? undefined : '2');
      expect(machine.logs.get(name)?.log.lines.at(-1)?.fields).toMatchObject({
        code: 'TEMPORARILY_UNAVAILABLE',
        reason: 'the time of the function is nearly over',
      });
      expect(machine.logs.get(name)?.log.counts).toEqual({
        StorageUnavailable: 1,
        ...(name === 'notify' && { NotificationRefused: 1 }),
      });
      expect(machine.logs.get(name)?.flushes()).toBe(1);
      expect(machine.happened.filter((each) => each.startsWith('/'))).toEqual([]);
    },
  );
});

test('a role that may not read the secret is the owner’s matter, and not a passing one', async () => {
  const { statusCode, log } = await call('login', brokenSecrets(failure('AccessDeniedException')));

  expect(statusCode).toBe(500);
  expect(log?.log.counts).toEqual({ ConfigError: 1 });
  expect(log?.log.lines[0]?.fields).toMatchObject({
    reason: 'the secret mini-program cannot be read: AccessDeniedException',
  });
});

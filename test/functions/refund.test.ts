import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { beforeEach, describe, expect, test } from 'vitest';
import { refund } from '../../functions/refund.ts';
import { httpHandler } from '../../lib/http/handler.ts';
import { recordRefundEvidence } from '../../lib/evidence/refund-record.ts';
import type { Refund } from '../../lib/refund/refund.ts';
import type { Table } from '../../lib/table/client.ts';
import { apiEvent, recordedFunction } from '../support/api-event.ts';
import { useEmbeddedTables } from '../support/embedded-tables.ts';
import { givePaidOrder } from '../support/paid-order.ts';
import { openRefundDesk } from '../support/refund-desk.ts';

const newTable = useEmbeddedTables();
let table: Table;
let desk: ReturnType<typeof openRefundDesk>;

beforeEach(async () => {
  table = await newTable();
  desk = openRefundDesk(table);
  await givePaidOrder(table);
});

const PATHS = {
  refunds: '/orders/{outTradeNo}/refunds',
  refund: '/orders/{outTradeNo}/refunds/{outRefundNo}',
  abnormal: '/orders/{outTradeNo}/refunds/{outRefundNo}/abnormal',
};

interface Call {
  readonly body?: unknown;
  readonly key?: string;
  readonly outTradeNo?: string;
  readonly outRefundNo?: string;
  readonly authorizer?: unknown;
}

/** A call as API Gateway hands it over, answered by the real handler. */
async function call(routeKey: string, options: Call = {}) {
  const { body, key, outTradeNo = 'order-0001', outRefundNo } = options;
  const event = apiEvent({
    body: body === undefined ? '' : JSON.stringify(body),
    headers: key === undefined ? {} : { 'idempotency-key': key },
  });
  const iam = { userArn: 'arn:aws:iam::123456789012:user/shop' };
  const authorizer = 'authorizer' in options ? options.authorizer : { iam };
  const handler = httpHandler(
    refund,
    () => ({
      ...desk.context,
      wechatPay: () => ({
        ...desk.wechat.wechatPay,
        endAbnormal: async () => ({ kind: 'not-offered' }) as const,
      }),
    }),
    recordedFunction(),
  );
  const answer = await handler(
    {
      ...event,
      routeKey,
      pathParameters: { outTradeNo, ...(outRefundNo !== undefined && { outRefundNo }) },
      requestContext: { ...event.requestContext, authorizer },
    } as unknown as APIGatewayProxyEventV2,
    { awsRequestId: 'lambda-1' },
  );
  return { status: answer.statusCode, body: JSON.parse(answer.body ?? '{}') };
}

const create = (body: unknown = {}, more: Call = {}) =>
  call(`POST ${PATHS.refunds}`, { body, ...more });

describe('POST refunds', () => {
  test('answers 201 with the refund, and 200 for a repeat', async () => {
    const first = await create({ refundFen: 800, reason: '少发' }, { key: 'key-1' });
    const again = await create({ refundFen: 800, reason: '少发' }, { key: 'key-1' });

    expect(first).toEqual({
      status: 201,
      body: {
        outTradeNo: 'order-0001',
        outRefundNo: expect.stringMatching(/^[0-9a-f]{32}$/),
        refundFen: 800,
        status: 'PROCESSING',
        reason: '少发',
        refundId: '50000',
        createdAt: '2026-03-01T02:02:00Z',
        acceptedAt: '2026-03-01T02:02:00Z',
        source: 'API',
      },
    });
    expect(again).toEqual({ ...first, status: 200 });
  });

  test('needs a key, unless it names a number', async () => {
    expect(await create()).toMatchObject({
      status: 400,
      body: { error: { code: 'IDEMPOTENCY_KEY_REQUIRED' } },
    });
    expect(await create({ outRefundNo: 'r-1' })).toMatchObject({
      status: 201,
      body: { outRefundNo: 'r-1', refundFen: 2800 },
    });
  });

  test('says what is left when too much is asked for', async () => {
    await create({ refundFen: 800, outRefundNo: 'r-1' });

    expect(await create({ refundFen: 2001, outRefundNo: 'r-2' })).toMatchObject({
      status: 409,
      body: { error: { code: 'REFUND_EXCEEDS_PAYMENT', refundableFen: 2000 } },
    });
  });

  test('that WeChat refuses for good is 201 and CLOSED, with its word', async () => {
    desk.wechat.fates.push('refused');

    expect(await create({ outRefundNo: 'r-1' })).toMatchObject({
      status: 201,
      body: { status: 'CLOSED', failure: { code: 'ERROR', message: 'text of ERROR' } },
    });
  });

  test('with goods that are more than the refund is refused, and nothing is reserved', async () => {
    const goods = [{ merchantGoodsId: 'a', unitPriceFen: 900, refundFen: 900, quantity: 1 }];

    expect(await create({ refundFen: 800, goods, outRefundNo: 'r-1' })).toMatchObject({
      status: 400,
      body: { error: { code: 'AMOUNT_INVALID' } },
    });
    expect((await call(`GET ${PATHS.refunds}`)).body).toEqual({ refunds: [], refundableFen: 2800 });
  });
});

describe('GET', () => {
  test('lists the refunds of an order, the oldest first, and what is left', async () => {
    await create({ refundFen: 800, outRefundNo: 'z' });
    desk.clock.at += 60;
    await create({ refundFen: 1, outRefundNo: 'a' });

    const { status, body } = await call(`GET ${PATHS.refunds}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      refunds: [
        { outRefundNo: 'z', refundFen: 800 },
        { outRefundNo: 'a', refundFen: 1 },
      ],
      refundableFen: 1999,
    });
  });

  test('one is the same object', async () => {
    const { body } = await create({ outRefundNo: 'r-1' });

    expect(await call(`GET ${PATHS.refund}`, { outRefundNo: 'r-1' })).toEqual({
      status: 200,
      body,
    });
  });

  test.each([
    [PATHS.refunds, 'order-0009', undefined, 'ORDER_NOT_FOUND'],
    [PATHS.refund, 'order-0009', 'r-1', 'ORDER_NOT_FOUND'],
    [PATHS.refund, 'order-0001', 'r-9', 'REFUND_NOT_FOUND'],
  ])('%s of %s and %s is 404 %s', async (path, outTradeNo, outRefundNo, code) => {
    const names = { outTradeNo, ...(outRefundNo !== undefined && { outRefundNo }) };

    expect(await call(`GET ${path}`, names)).toMatchObject({
      status: 404,
      body: { error: { code } },
    });
  });
});

describe('POST abnormal', () => {
  test('records what a person decided, once', async () => {
    await create({ outRefundNo: 'r-1' });
    desk.wechat.end('r-1', 'ABNORMAL');
    await recordRefundEvidence(
      desk.context,
      (await desk.stored('r-1')) as Refund,
      desk.wechat.book.get('r-1')!,
    );
    const end = (key?: string) =>
      call(`POST ${PATHS.abnormal}`, {
        body: { to: 'OTHERWISE', note: '现金退还' },
        outRefundNo: 'r-1',
        ...(key !== undefined && { key }),
      });

    expect((await end()).body.error.code).toBe('IDEMPOTENCY_KEY_REQUIRED');
    const first = await end('key-1');
    expect(first).toMatchObject({
      status: 200,
      body: { status: 'ABNORMAL', abnormalEnd: { to: 'OTHERWISE', note: '现金退还' } },
    });
    expect(await end('key-1')).toEqual(first);
    expect((await end('key-2')).body.error.code).toBe('REFUND_END_DECIDED');
  });
});

describe('every route', () => {
  test.each(Object.values(PATHS))(
    '%s is closed without API Gateway’s check of the caller',
    async (path) => {
      const method = path === PATHS.refund ? 'GET' : 'POST';

      expect(await call(`${method} ${path}`, { authorizer: undefined })).toMatchObject({
        status: 403,
        body: { error: { code: 'CALLER_UNKNOWN' } },
      });
      expect(desk.wechat.calls).toEqual([]);
    },
  );

  test('that the function does not know is a fault of ours', async () => {
    expect(await call('DELETE /orders/{outTradeNo}')).toMatchObject({ status: 500 });
  });
});

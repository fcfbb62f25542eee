import { beforeEach, describe, expect, test } from 'vitest';
import { query } from '../../functions/query.ts';
import { httpHandler } from '../../lib/http/handler.ts';
import type { Order } from '../../lib/order/order.ts';
import { issueToken } from '../../lib/http/session.ts';
import type { Table } from '../../lib/table/client.ts';
import { createOrder } from '../../lib/table/checkout.ts';
import { applyEvidence } from '../../lib/table/order-transition.ts';
import { apiEvent, recordedFunction, REQUEST_ID } from '../support/api-event.ts';
import { putRow, type Row, rowOf, useEmbeddedTables } from '../support/embedded-tables.ts';
import { moneyAlarms } from '../support/money-alarms.ts';
import { SESSION_KEY } from '../support/prepay-shop.ts';
import {
  APPID,
  CREATED_AT,
  OPENID,
  sampleOrder,
  samplePayment,
  orderId,
} from '../support/sample-orders.ts';
import { secretVersions } from '../support/secret-versions.ts';
import { API_V2_KEY, OTHER_KEY, paidFields } from '../support/v2-message.ts';
import {
  accepted,
  refused,
  timedOut,
  type WechatAnswer,
  wechatDouble,
} from '../support/wechat-double.ts';
import { watchTable } from '../support/watched-table.ts';

const newTable = useEmbeddedTables();
let table: Table;

beforeEach(async () => {
  table = await newTable();
});

const NUMBER = 'order-0001';
const QUERY = '/pay/orderquery';
const create = (changes: Partial<Order> = {}) => createOrder(table, sampleOrder(changes));
const unpaid: WechatAnswer = async () => ({
  ...accepted,
  out_trade_no: NUMBER,
  trade_state: 'NOTPAY',
});
const paid: WechatAnswer = async () => paidFields({ trade_state: 'SUCCESS' });

/** What the buyer of the sample order sees before it is paid. */
const view = {
  outTradeNo: NUMBER,
  tradeState: 'NOTPAY',
  totalFen: 2800,
  description: '拿铁',
  createdAt: '2026-03-01T02:00:00Z',
  expiresAt: '2026-03-01T02:30:00Z',
};
const paidView = {
  ...view,
  tradeState: 'SUCCESS',
  paidAt: '2026-03-01T02:00:40Z',
  transactionId: '4200000001202603010000000001',
};

function openQuery({ answer = unpaid, key = API_V2_KEY } = {}) {
  const happened: string[] = [];
  const clock = { nowMs: (CREATED_AT + 60) * 1000 };
  const wechat = wechatDouble(
    async (request) => {
      happened.push(request.path);
      return answer(request);
    },
    { key },
  );
  const watched = watchTable(table, ({ name, send }) => {
    happened.push(name);
    return send();
  });
  const functionLog = recordedFunction();
  const handler = httpHandler(
    query,
    () => ({
      miniProgram: secretVersions({
        appid: APPID,
        appSecret: '0123456789abcdef0123456789abcdef',
        sessionKey: SESSION_KEY,
      }),
      table: watched,
      wechatPay: wechat.wechatPay,
      nowMs: () => clock.nowMs,
      paymentAfterClose: 'keep' as const,
    }),
    functionLog,
  );
  return {
    happened,
    clock,
    requests: wechat.requests,
    log: functionLog.log,
    async get(outTradeNo = NUMBER, openid = OPENID, bearer?: string) {
      const login = { appid: APPID, sessionKey: SESSION_KEY, lifetimeSeconds: 7200 };
      const token = bearer ?? (await issueToken(openid, { ...login, nowMs: CREATED_AT * 1000 }));
      const event = {
        ...apiEvent({ headers: { authorization: `Bearer ${token}` } }),
        // API Gateway leaves the parameters out when there are none.
        ...(outTradeNo !== '' && { pathParameters: { outTradeNo } }),
      };
      const answer = await handler(event, { awsRequestId: REQUEST_ID });
      return { status: answer.statusCode, body: JSON.parse(answer.body ?? '') };
    },
  };
}

describe('an unpaid order', () => {
  test('is asked about at WeChat and shown to its buyer', async () => {
    await create({ attach: '桌号 12', items: [{ sku: 'latte', quantity: 1, unitFen: 2800 }] });
    const shop = openQuery();

    expect(await shop.get()).toEqual({ status: 200, body: view });
    expect(shop.happened).toEqual(['GetItem', 'UpdateItem', QUERY]);
    expect(shop.requests[0]?.fields).toMatchObject({ out_trade_no: NUMBER, appid: APPID });
  });

  test('is not asked about again within 3 seconds: one read and nothing else', async () => {
    await create();
    const shop = openQuery();
    await shop.get();
    shop.happened.length = 0;
    shop.clock.nowMs += 2_999;
    expect(await shop.get()).toEqual({ status: 200, body: view });
    expect(shop.happened).toEqual(['GetItem']);

    shop.clock.nowMs += 1;
    await shop.get();
    expect(shop.requests).toHaveLength(2);
  });

  test('that was paid while the notification was lost is SUCCESS, here and in the answer', async () => {
    await create();
    const shop = openQuery({ answer: paid });

    expect(await shop.get()).toEqual({ status: 200, body: paidView });
    expect(shop.happened).toEqual(['GetItem', 'UpdateItem', QUERY, 'UpdateItem']);
    expect((await rowOf(table, `ORDER#${NUMBER}`))?.['tradeState']).toEqual({ S: 'SUCCESS' });
    expect(shop.log.counts).toEqual({ OrderPaid: 1 });

    shop.happened.length = 0;
    expect(await shop.get()).toEqual({ status: 200, body: paidView });
    expect(shop.happened).toEqual(['GetItem']);
  });

  test('that is closed at WeChat is CLOSED', async () => {
    await create();
    const shop = openQuery({
      answer: async () => ({ ...accepted, out_trade_no: NUMBER, trade_state: 'CLOSED' }),
    });

    expect((await shop.get()).body).toEqual({ ...view, tradeState: 'CLOSED' });
    expect((await rowOf(table, `ORDER#${NUMBER}`))?.['tradeState']).toEqual({ S: 'CLOSED' });
  });

  test.each<[string, WechatAnswer]>([
    ['does not answer', async () => timedOut()],
    ['is busy', async () => refused('SYSTEMERROR')],
    ['refuses', async () => refused('NOAUTH')],
    [
      'answers about another order',
      async () => paidFields({ trade_state: 'SUCCESS', out_trade_no: 'order-0002' }),
    ],
    [
      'answers for another merchant',
      async () => paidFields({ trade_state: 'SUCCESS', mch_id: '1900000999' }),
    ],
  ])('is shown as it is known when WeChat %s', async (_name, answer) => {
    await create();
    const shop = openQuery({ answer });

    expect(await shop.get()).toEqual({ status: 200, body: view });
    expect((await rowOf(table, `ORDER#${NUMBER}`))?.['tradeState']).toEqual({ S: 'NOTPAY' });
    expect(shop.log.messages('warn')).toEqual(['WeChat could not be asked about an order']);
  });

  test('stays unpaid when the answer is forged', async () => {
    await create();
    const shop = openQuery({ answer: paid, key: OTHER_KEY });

    expect((await shop.get()).body).toEqual(view);
    expect(shop.happened).toEqual(['GetItem', 'UpdateItem', QUERY]);
  });

  test('stays unpaid when the payment is of another amount, and the alarm is raised', async () => {
    await create();
    const shop = openQuery({
      answer: async () => paidFields({ trade_state: 'SUCCESS', total_fee: '1' }),
    });

    expect((await shop.get()).body).toEqual(view);
    expect(shop.log.counts).toEqual({});
    expect(await moneyAlarms(table)).toEqual({ TransactionMismatch: 1 });
  });

  test('that the notification settles meanwhile is paid once, and WeChat is asked once by 10 pollers', async () => {
    await create();
    const shop = openQuery({ answer: paid });
    const payment = samplePayment();
    const [decision, ...answers] = await Promise.all([
      applyEvidence(
        table,
        orderId(NUMBER),
        { kind: 'paid', refunded: false, payment },
        CREATED_AT + 60,
      ),
      ...Array.from({ length: 10 }, () => shop.get()),
    ]);

    expect(shop.happened.filter((name) => name === QUERY).length).toBeLessThanOrEqual(1);
    for (const { body } of answers) {
      expect([view, paidView]).toContainEqual(body);
    }
    expect((await shop.get()).body).toEqual(paidView);
    const byNotification = decision.kind === 'apply' ? 1 : 0;
    expect(byNotification + (shop.log.counts.OrderPaid ?? 0)).toBe(1);
  });
});

describe('a settled order', () => {
  test.each([
    ['SUCCESS', paidView],
    ['REFUND', { ...paidView, tradeState: 'REFUND' }],
    ['CLOSED', { ...view, tradeState: 'CLOSED' }],
  ] as const)('that is %s is shown with one read, and WeChat is not asked', async (state, body) => {
    await create({ tradeState: state, nextCheckAtEpochSeconds: undefined });
    const row = await rowOf(table, `ORDER#${NUMBER}`);
    await putRow(table, {
      ...row,
      ...(state !== 'CLOSED' && {
        paidAt: { S: '2026-03-01T02:00:40Z' },
        transactionId: { S: '4200000001202603010000000001' },
      }),
    });
    const shop = openQuery();

    expect(await shop.get()).toEqual({ status: 200, body });
    expect(shop.happened).toEqual(['GetItem']);
  });
});

describe('an order is not found', () => {
  const notFound = { status: 404, code: 'ORDER_NOT_FOUND' };
  const ending = ({
    status,
    body,
  }: {
    status: number | undefined;
    body: { error: { code: string } };
  }) => ({
    status,
    code: body.error.code,
  });

  test('by another buyer, in the very same words as one that does not exist', async () => {
    await create();
    const shop = openQuery({ answer: paid });
    const ofAnother = await shop.get(NUMBER, 'oSomebodyElse');
    const ofNobody = await shop.get('order-9999');

    expect(ending(ofAnother)).toEqual(notFound);
    expect(ofAnother).toEqual(ofNobody);
    expect(shop.happened).toEqual(['GetItem', 'GetItem']);
    expect((await rowOf(table, `ORDER#${NUMBER}`))?.['tradeState']).toEqual({ S: 'NOTPAY' });
  });

  test.each(['', 'x'.repeat(33), 'x'.repeat(3000), 'a/b/c/d', '订单一二三四'])(
    'under what cannot be a number (%#), without a read',
    async (outTradeNo) => {
      const shop = openQuery();

      expect(ending(await shop.get(outTradeNo))).toEqual(notFound);
      expect(shop.happened).toEqual([]);
    },
  );
});

test('without a login nothing is read', async () => {
  await create();
  const shop = openQuery();
  const { status, body } = await shop.get(NUMBER, OPENID, 'a.b.c');

  expect([status, body.error.code]).toEqual([401, 'UNAUTHENTICATED']);
  expect(shop.happened).toEqual([]);
});

describe('an order whose row is damaged', () => {
  test.each<[string, Row]>([
    ['tradeState', { tradeState: { S: 'PAYING' } }],
    ['apiVersion', { apiVersion: { S: 'v4' } }],
    ['totalFen', { totalFen: { S: '2800' } }],
    ['prepayRequest', { prepayRequest: { M: {} } }],
    ['expiresAt', { expiresAt: { NULL: true } }],
  ])('in its %s is a clear error with an alarm, and nobody is asked', async (attribute, bad) => {
    await create();
    await putRow(table, { ...(await rowOf(table, `ORDER#${NUMBER}`)), ...bad });
    const shop = openQuery();

    expect(await shop.get()).toMatchObject({
      status: 500,
      body: { error: { code: 'ORDER_UNREADABLE' }, requestId: REQUEST_ID },
    });
    expect(shop.happened).toEqual(['GetItem']);
    expect(shop.log.counts).toEqual({ OrderUnreadable: 1 });
    expect(shop.log.lines).toMatchObject([
      { level: 'error', fields: { row: `ORDER#${NUMBER} ORDER`, attribute } },
    ]);
  });

  test('while WeChat is asked is shown as it was, with an alarm', async () => {
    await create();
    const spoil = async () => {
      await putRow(table, {
        ...(await rowOf(table, `ORDER#${NUMBER}`)),
        tradeState: { S: 'PAYING' },
      });
    };
    const shop = openQuery({
      answer: async (request) => {
        await spoil();
        return paid(request);
      },
    });

    expect(await shop.get()).toEqual({ status: 200, body: view });
    expect(shop.log.counts).toEqual({ OrderUnreadable: 1 });
  });
});

import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { beforeEach, describe, expect, test } from 'vitest';
import { close } from '../../functions/close.ts';
import { query } from '../../functions/query.ts';
import { httpHandler } from '../../lib/http/handler.ts';
import { issueToken } from '../../lib/http/session.ts';
import type { Order } from '../../lib/order/order.ts';
import type { Evidence } from '../../lib/order/transition.ts';
import { createOrder } from '../../lib/table/checkout.ts';
import type { Table } from '../../lib/table/client.ts';
import { applyEvidence } from '../../lib/table/order-transition.ts';
import { readOrder } from '../../lib/table/orders.ts';
import { apiEvent, recordedFunction, REQUEST_ID } from '../support/api-event.ts';
import { allRows, rowOf, useEmbeddedTables } from '../support/embedded-tables.ts';
import { moneyAlarms } from '../support/money-alarms.ts';
import { SESSION_KEY } from '../support/prepay-shop.ts';
import { runOnce } from '../support/reconcile-run.ts';
import {
  APPID,
  CREATED_AT,
  OPENID,
  orderId,
  sampleOrder,
  samplePayment,
} from '../support/sample-orders.ts';
import { merchantWith, secretVersions } from '../support/secret-versions.ts';
import { paidFields } from '../support/v2-message.ts';
import { v3Double, type V3Answer } from '../support/v3-double.ts';
import {
  accepted,
  refused,
  timedOut,
  type WechatAnswer,
  wechatDouble,
} from '../support/wechat-double.ts';
import { type Operation, watchTable } from '../support/watched-table.ts';

const newTable = useEmbeddedTables();
let table: Table;

beforeEach(async () => {
  table = await newTable();
});

const NUMBER = 'order-0001';
const CLOSE = '/pay/closeorder';
const QUERY = '/pay/orderquery';
const create = (changes: Partial<Order> = {}) => createOrder(table, sampleOrder(changes));
const stored = () => readOrder(table, orderId(NUMBER));
const apply = (evidence: Evidence) => applyEvidence(table, orderId(NUMBER), evidence, CREATED_AT);
const payment: Evidence = { kind: 'paid', refunded: false, payment: samplePayment() };

const state = (tradeState: string) => ({
  ...accepted,
  out_trade_no: NUMBER,
  trade_state: tradeState,
});
const done = { ...accepted, result_msg: 'OK' };
const paid = paidFields({ trade_state: 'SUCCESS' });

/** What the buyer of the sample order sees. */
const view = {
  outTradeNo: NUMBER,
  tradeState: 'NOTPAY',
  totalFen: 2800,
  description: '拿铁',
  createdAt: '2026-03-01T02:00:00Z',
  expiresAt: '2026-03-01T02:30:00Z',
};
const closed = { status: 200, body: { ...view, tradeState: 'CLOSED' } };
const closing = { status: 202, body: { ...view, closing: true } };
const won = {
  status: 200,
  body: {
    ...view,
    tradeState: 'SUCCESS',
    paidAt: '2026-03-01T02:00:40Z',
    transactionId: '4200000001202603010000000001',
  },
};

/** What WeChat answers to each of the two calls. */
const answers =
  (toClose: object | Error, toQuery: object | Error) =>
  async ({ path }: { path: string }) =>
    (path === CLOSE ? toClose : toQuery) as never;

interface Setting {
  readonly answer?: WechatAnswer;
  readonly v3?: (path: string) => V3Answer | Error;
  /** Seconds after the order was made. */
  readonly at?: number;
  readonly onOperation?: (operation: Operation) => Promise<unknown>;
}

function openShop({
  answer = answers(done, state('CLOSED')),
  v3,
  at = 400,
  onOperation = ({ send }) => send(),
}: Setting = {}) {
  const happened: string[] = [];
  const clock = { nowMs: (CREATED_AT + at) * 1000 };
  const wechat = wechatDouble(async (request) => {
    happened.push(request.path);
    return answer(request);
  });
  const { wechatPay: wechatPayV3 } = v3Double(
    ({ path }) => {
      happened.push(path);
      return v3?.(path) ?? new Error('nothing is said about v3');
    },
    { nowMs: () => clock.nowMs },
  );
  const watched = watchTable(table, (operation) => {
    happened.push(operation.name);
    return onOperation(operation);
  });
  const functionLog = recordedFunction();
  const dependencies = {
    miniProgram: secretVersions({
      appid: APPID,
      appSecret: '0123456789abcdef0123456789abcdef',
      sessionKey: SESSION_KEY,
    }),
    table: watched,
    wechatPay: (use: Pick<Order, 'apiVersion' | 'merchantKey'>) =>
      use.apiVersion === 'v3' ? wechatPayV3 : wechat.wechatPay(use),
    nowMs: () => clock.nowMs,
    paymentAfterClose: 'keep' as const,
  };
  const handlers = {
    close: httpHandler(close, () => dependencies, functionLog),
    get: httpHandler(query, () => dependencies, functionLog),
  };
  async function call(
    name: keyof typeof handlers,
    outTradeNo = NUMBER,
    openid = OPENID,
    bearer?: string,
  ) {
    const login = { appid: APPID, sessionKey: SESSION_KEY, lifetimeSeconds: 7200 };
    const token = bearer ?? (await issueToken(openid, { ...login, nowMs: CREATED_AT * 1000 }));
    const event = {
      ...apiEvent({ headers: { authorization: `Bearer ${token}` } }),
      // API Gateway leaves the parameters out when there are none.
      ...(outTradeNo !== '' && { pathParameters: { outTradeNo } }),
    };
    const answered = await handlers[name](event, { awsRequestId: REQUEST_ID });
    return { status: answered.statusCode, body: JSON.parse(answered.body ?? '') };
  }
  return {
    happened,
    clock,
    requests: wechat.requests,
    log: functionLog.log,
    close: (...input: [outTradeNo?: string, openid?: string, bearer?: string]) =>
      call('close', ...input),
    get: () => call('get'),
  };
}

describe('an order that its buyer gives up', () => {
  test('is CLOSED once WeChat said so: one read, two writes, WeChat asked to close and then what it is', async () => {
    await create({ attach: '桌号 12' });
    const shop = openShop();

    expect(await shop.close()).toEqual(closed);
    expect(shop.happened).toEqual(['GetItem', 'UpdateItem', CLOSE, QUERY, 'UpdateItem']);
    expect(await stored()).toMatchObject({
      tradeState: 'CLOSED',
      nextCheckAtEpochSeconds: undefined,
    });
    expect(shop.log.counts).toEqual({ OrderClosed: 1 });
    expect(shop.requests.map(({ fields }) => fields['out_trade_no'])).toEqual([NUMBER, NUMBER]);
  });

  test('and closed again is the same 200, with one read and nothing else', async () => {
    await create();
    const shop = openShop();
    await shop.close();
    shop.happened.length = 0;

    expect(await shop.close()).toEqual(closed);
    expect(shop.happened).toEqual(['GetItem']);
    expect((await shop.get()).body).toEqual(closed.body);
  });

  test('is SUCCESS when a payment won the race at WeChat, as an ordinary payment', async () => {
    await create();
    const shop = openShop({ answer: answers(refused('ORDERPAID'), paid) });

    expect(await shop.close()).toEqual(won);
    expect(await stored()).toMatchObject({ tradeState: 'SUCCESS', paidAfterClose: undefined });
    expect(shop.log.counts).toEqual({ OrderPaid: 1 });
  });

  test('is SUCCESS when WeChat closes it and knows it as paid all the same', async () => {
    await create();

    expect(await openShop({ answer: answers(done, paid) }).close()).toEqual(won);
  });

  test.each<[string, Evidence, object]>([
    ['a payment', payment, won],
    ['a close by reconcile', { kind: 'closed' }, closed],
  ])('shows %s that is recorded before the mark, and asks nobody', async (_, evidence, answer) => {
    await create();
    const shop = openShop({
      onOperation: async ({ name, send }) => {
        if (name === 'UpdateItem') {
          await apply(evidence);
        }
        return send();
      },
    });

    expect(await shop.close()).toEqual(answer);
    expect(shop.happened).toEqual(['GetItem', 'UpdateItem']);
    expect((await stored())?.closingAtEpochSeconds).toBeUndefined();
  });

  test.each<[string, Evidence, object]>([
    ['a payment', payment, won],
    ['a close by reconcile', { kind: 'closed' }, closed],
  ])('shows %s that is recorded while WeChat is asked', async (_, evidence, answer) => {
    await create();
    const toQuery = evidence.kind === 'paid' ? paid : state('CLOSED');
    const shop = openShop({
      answer: async (request) => {
        await apply(evidence);
        return answers(done, toQuery)(request);
      },
    });

    expect(await shop.close()).toEqual(answer);
  });

  test('and paid before is refused, and WeChat is not asked', async () => {
    await create();
    await apply(payment);
    const shop = openShop();
    const { status, body } = await shop.close();

    expect([status, body.error]).toEqual([
      409,
      { code: 'ORDER_ALREADY_PAID', message: 'The order order-0001 is already paid.' },
    ]);
    expect(shop.happened).toEqual(['GetItem']);
  });

  test('that is paid while it is closing is an ordinary payment, and no longer closing', async () => {
    await create();
    const shop = openShop({ answer: answers(refused('USERPAYING'), state('NOTPAY')) });
    expect(await shop.close()).toEqual(closing);
    await apply(payment);

    expect(await stored()).toMatchObject({ tradeState: 'SUCCESS', paidAfterClose: undefined });
    expect((await shop.get()).body).toEqual(won.body);
    expect((await shop.close()).body.error.code).toBe('ORDER_ALREADY_PAID');
  });
});

describe('an order that cannot be closed yet', () => {
  test('because v2 refuses its first 5 minutes is closing: WeChat is only asked what it is', async () => {
    await create();
    const shop = openShop({ at: 299, answer: answers(done, state('NOTPAY')) });

    expect(await shop.close()).toEqual(closing);
    expect(shop.happened).toEqual(['GetItem', 'UpdateItem', QUERY]);
    expect(await stored()).toMatchObject({
      tradeState: 'NOTPAY',
      closingAtEpochSeconds: CREATED_AT + 299,
      nextCheckAtEpochSeconds: CREATED_AT + 300,
    });
    expect((await rowOf(table, `ORDER#${NUMBER}`))?.['closingAt']).toEqual({
      S: '2026-03-01T02:04:59Z',
    });

    shop.clock.nowMs += 1000;
    await shop.close();
    expect(shop.happened.filter((path) => path === CLOSE)).toHaveLength(1);
  });

  test('in the first 5 minutes of v2 but is paid by now is SUCCESS', async () => {
    await create();

    expect(await openShop({ at: 60, answer: answers(done, paid) }).close()).toEqual(won);
  });

  test('is closed at once in v3, which has no such rule', async () => {
    await create({
      apiVersion: 'v3',
      prepayRequest: sampleOrder({ apiVersion: 'v3' }).prepayRequest,
    });
    const transaction = {
      out_trade_no: NUMBER,
      mchid: merchantWith().mchid,
      trade_state: 'CLOSED',
    };
    const shop = openShop({
      at: 1,
      v3: (path) => (path.endsWith('/close') ? { status: 204, text: '' } : { json: transaction }),
    });

    expect(await shop.close()).toEqual(closed);
  });

  test.each<[string, V3Answer]>([
    ['202', { status: 202, json: { code: 'USER_PAYING', message: '用户支付中' } }],
    ['a refusal', { status: 400, json: { code: 'USER_PAYING', message: '用户支付中' } }],
  ])('because its buyer is paying in v3, which says so by %s, is closing', async (_, answer) => {
    await create({
      apiVersion: 'v3',
      prepayRequest: sampleOrder({ apiVersion: 'v3' }).prepayRequest,
    });
    const transaction = {
      out_trade_no: NUMBER,
      mchid: merchantWith().mchid,
      trade_state: 'NOTPAY',
    };
    const shop = openShop({
      at: 1,
      v3: (path) => (path.endsWith('/close') ? answer : { json: transaction }),
    });

    expect(await shop.close()).toEqual(closing);
    expect(shop.log.messages('warn')).toEqual([]);
  });

  test.each<[string, object | Error, object | Error]>([
    ['its buyer is paying right now', refused('USERPAYING'), state('NOTPAY')],
    ['WeChat is not through with it', refused('TRADE_STATE_ERROR'), state('USERPAYING')],
    ['WeChat closes it and still shows it unpaid', done, state('NOTPAY')],
    ['WeChat is busy', refused('SYSTEMERROR'), state('NOTPAY')],
    ['WeChat does not answer', timedOut(), timedOut()],
    ['the query does not answer', done, timedOut()],
    ['WeChat refuses our credentials', refused('NOAUTH'), refused('NOAUTH')],
    ['the answer is about another order', done, { ...state('CLOSED'), out_trade_no: 'order-0002' }],
    ['the answer is for another merchant', done, { ...state('CLOSED'), mch_id: '1900000999' }],
    ['a host says paid and another not found', refused('ORDERPAID'), refused('ORDERNOTEXIST')],
  ])('because %s is closing', async (_, toClose, toQuery) => {
    await create();
    const shop = openShop({ answer: answers(toClose, toQuery) });

    expect(await shop.close()).toEqual(closing);
    expect(await shop.get()).toEqual({ ...closing, status: 200 });
    expect((await stored())?.tradeState).toBe('NOTPAY');
  });

  test('because its payment contradicts it is closing, and the alarm rings', async () => {
    await create();
    const shop = openShop({
      answer: answers(done, paidFields({ trade_state: 'SUCCESS', total_fee: '1' })),
    });

    expect(await shop.close()).toEqual(closing);
    expect(shop.log.counts).toEqual({});
    expect(await moneyAlarms(table)).toEqual({ TransactionMismatch: 1 });
  });

  test('is asked to be closed again by a repeat, and the mark stays as it was first set', async () => {
    await create();
    let toQuery = state('NOTPAY');
    const shop = openShop({ answer: async (request) => answers(done, toQuery)(request) });
    await shop.close();
    const marked = await stored();
    shop.happened.length = 0;
    shop.clock.nowMs += 1000;
    expect(await shop.close()).toEqual(closing);

    expect(shop.happened).toEqual(['GetItem', CLOSE, QUERY]);
    expect(await stored()).toEqual(marked);

    toQuery = state('CLOSED');
    expect(await shop.close()).toEqual(closed);
  });

  test('50 times at once is marked once, and each answer is closing or closed', async () => {
    await create();
    const shop = openShop();
    const all = await Promise.all(Array.from({ length: 50 }, () => shop.close()));

    for (const answer of all) {
      expect([closing, closed]).toContainEqual(answer);
    }
    expect(shop.log.counts).toEqual({ OrderClosed: 1 });
    expect(await shop.close()).toEqual(closed);
  });
});

describe('an order that WeChat does not know', () => {
  const unknown = refused('ORDERNOTEXIST');
  const nowhere = answers(unknown, unknown);

  test('is closing for a minute, because its prepay may still be on its way', async () => {
    await create();
    const shop = openShop({ answer: nowhere });
    expect(await shop.close()).toEqual(closing);
    shop.clock.nowMs += 59_000;
    expect(await shop.close()).toEqual(closing);

    shop.clock.nowMs += 1000;
    expect(await shop.close()).toEqual(closed);
  });

  test('counts as closed after that minute also in the first 5 of v2, by both answers', async () => {
    await create();
    const shop = openShop({ at: 10, answer: nowhere });
    await shop.close();
    shop.happened.length = 0;
    shop.clock.nowMs += 60_000;

    expect(await shop.close()).toEqual(closed);
    expect(shop.happened).toEqual(['GetItem', QUERY, CLOSE, 'UpdateItem']);
  });

  test('is closing in v3 though v3 "closes" numbers that never were', async () => {
    await create({
      apiVersion: 'v3',
      prepayRequest: sampleOrder({ apiVersion: 'v3' }).prepayRequest,
    });
    const shop = openShop({
      at: 5,
      v3: (path) =>
        path.endsWith('/close')
          ? { status: 204, text: '' }
          : { status: 404, json: { code: 'ORDER_NOT_EXIST', message: '订单不存在' } },
    });

    expect(await shop.close()).toEqual(closing);
    shop.clock.nowMs += 60_000;
    expect(await shop.close()).toEqual(closed);
  });

  test('is paid after all when its prepay arrived in that minute', async () => {
    await create();
    let toQuery: object = unknown;
    const shop = openShop({ answer: async (request) => answers(unknown, toQuery)(request) });
    await shop.close();
    toQuery = paid;
    shop.clock.nowMs += 60_000;

    expect(await shop.close()).toEqual(won);
  });
});

describe('reconcile', () => {
  test('ends what is closing as soon as v2 allows it, whatever it planned before', async () => {
    await create({ nextCheckAtEpochSeconds: CREATED_AT + 1800, checks: 4 });
    const shop = openShop({ at: 280, answer: answers(done, state('NOTPAY')) });
    await shop.close();

    const tooSoon = await runOnce(table, { at: 299 });
    expect(tooSoon.summary.due).toBe(0);
    const { summary, calls } = await runOnce(table, {
      at: 300,
      wechat: { query: async () => ({ kind: 'not-paid', tradeState: 'CLOSED' }) },
    });

    expect(calls).toEqual([`close ${NUMBER}`, `query ${NUMBER}`]);
    expect(summary).toMatchObject({ due: 1, closed: 1 });
    expect((await shop.get()).body).toEqual(closed.body);
  });

  test('ends an order that WeChat never knew a minute after it was given up', async () => {
    await create({ nextCheckAtEpochSeconds: CREATED_AT + 1800 });
    const unknown = refused('ORDERNOTEXIST');
    await openShop({ at: 10, answer: answers(unknown, unknown) }).close();
    const { summary } = await runOnce(table, {
      at: 70,
      wechat: {
        query: async () => ({ kind: 'not-found' }),
        close: async () => 'not-found',
      },
    });

    expect(summary).toMatchObject({ due: 1, closed: 1 });
  });

  test('that read the order before it was given up does not put it off after', async () => {
    await create();
    const shop = openShop({ at: 60, answer: answers(done, state('NOTPAY')) });
    const { summary } = await runOnce(table, {
      at: 60,
      wechat: {
        query: async () => {
          await shop.close();
          return { kind: 'not-paid', tradeState: 'NOTPAY' };
        },
      },
    });

    expect(summary).toMatchObject({ due: 1, stillOpen: 1 });
    expect(await stored()).toMatchObject({
      closingAtEpochSeconds: CREATED_AT + 60,
      nextCheckAtEpochSeconds: CREATED_AT + 120,
      checks: 0,
    });
  });

  test('puts off what cannot be closed yet and keeps it closing', async () => {
    await create();
    await openShop({ answer: answers(refused('USERPAYING'), state('NOTPAY')) }).close();
    const { summary, log } = await runOnce(table, {
      at: 460,
      wechat: { close: async () => 'paying' },
    });

    expect(summary).toMatchObject({ due: 1, stillOpen: 1, failed: 0 });
    expect(log.counts).toEqual({});
    expect(await stored()).toMatchObject({
      closingAtEpochSeconds: CREATED_AT + 400,
      nextCheckAtEpochSeconds: CREATED_AT + 520,
    });
  });

  test('is no failure when v2 refuses a close whose order reached it later than we made it', async () => {
    await create();
    const shop = openShop({
      at: 300,
      answer: answers(refused('TRADE_STATE_ERROR'), state('NOTPAY')),
    });

    expect(await shop.close()).toEqual(closing);
    expect(shop.log.messages('warn')).toEqual([]);
  });
});

describe('an order is not found', () => {
  test('by another buyer, in the very same words as one that does not exist', async () => {
    await create();
    const shop = openShop();
    const ofAnother = await shop.close(NUMBER, 'oSomebodyElse');
    const ofNobody = await shop.close('order-9999');

    expect([ofAnother.status, ofAnother.body.error.code]).toEqual([404, 'ORDER_NOT_FOUND']);
    expect(ofAnother).toEqual(ofNobody);
    expect(shop.happened).toEqual(['GetItem', 'GetItem']);
    expect((await stored())?.closingAtEpochSeconds).toBeUndefined();
  });

  test.each(['', 'x'.repeat(33), 'a/b/c/d', '订单一二三四'])(
    'under what cannot be a number (%#), without a read',
    async (outTradeNo) => {
      const shop = openShop();

      expect((await shop.close(outTradeNo)).status).toBe(404);
      expect(shop.happened).toEqual([]);
    },
  );

  test('when it goes between the read and the mark, and no row is made', async () => {
    await create();
    const shop = openShop({
      onOperation: async ({ name, send }) => {
        if (name === 'UpdateItem') {
          const Key = { PK: { S: `ORDER#${NUMBER}` }, SK: { S: 'ORDER' } };
          await table.client.send(new DeleteItemCommand({ TableName: table.tableName, Key }));
        }
        return send();
      },
    });

    expect((await shop.close()).status).toBe(404);
    expect(await allRows(table)).toEqual([]);
  });
});

test('without a login nothing is read', async () => {
  await create();
  const shop = openShop();
  const { status, body } = await shop.close(NUMBER, OPENID, 'a.b.c');

  expect([status, body.error.code]).toEqual([401, 'UNAUTHENTICATED']);
  expect(shop.happened).toEqual([]);
});

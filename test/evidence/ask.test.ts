import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { beforeEach, describe, expect, test } from 'vitest';
import { ConfigError, WechatPayTransportError } from '../../lib/errors.ts';
import type { Order } from '../../lib/order/order.ts';
import { refreshOrder } from '../../lib/evidence/ask.ts';
import type { Table } from '../../lib/table/client.ts';
import { createOrder } from '../../lib/table/checkout.ts';
import { applyEvidence } from '../../lib/table/order-transition.ts';
import { readOrder } from '../../lib/table/orders.ts';
import type { QueryResult } from '../../lib/wechatpay/operations.ts';
import { rowOf, useEmbeddedTables } from '../support/embedded-tables.ts';
import { moneyAlarms } from '../support/money-alarms.ts';
import { recordingLog } from '../support/recording-log.ts';
import { CREATED_AT, sampleOrder, samplePayment, orderId } from '../support/sample-orders.ts';
import { watchTable } from '../support/watched-table.ts';

const newTable = useEmbeddedTables();
let table: Table;

beforeEach(async () => {
  table = await newTable();
});

const NOW_MS = (CREATED_AT + 60) * 1000;
const notPaid: QueryResult = { kind: 'not-paid', tradeState: 'NOTPAY' };
const paid: QueryResult = { kind: 'paid', refunded: false, payment: samplePayment() };

/** Refreshes an order that is in the table; WeChat answers what it is given. */
async function refresh(
  order: Order,
  answer: () => Promise<QueryResult>,
  { on = table, nowMs = NOW_MS } = {},
) {
  const log = recordingLog();
  const asked: unknown[] = [];
  const watched = watchTable(on);
  const wechatPay = {
    queryOrder: async (...input: unknown[]) => {
      asked.push(input);
      return answer();
    },
  };
  const refreshed = await refreshOrder(
    {
      table: watched,
      wechatPay: () => wechatPay,
      log,
      nowMs: () => nowMs,
      paymentAfterClose: 'keep',
    },
    order,
  );
  return { refreshed, asked, log, operations: watched.operations };
}

describe('an order that looks unpaid', () => {
  test('and is unpaid at WeChat stays as it is, and the time of the question is kept', async () => {
    const order = await createOrder(table, sampleOrder());
    const { refreshed, asked, operations } = await refresh(order, async () => notPaid);

    expect(refreshed).toEqual(order);
    expect(asked).toEqual([[order, { timeoutMs: 5000 }]]);
    expect(operations).toEqual(['UpdateItem']);
    expect(await readOrder(table, orderId('order-0001'))).toEqual({
      ...order,
      isAskedAbout: true,
      checkedAtEpochSeconds: CREATED_AT + 60,
    });
  });

  test('and is unknown at WeChat stays as it is', async () => {
    const order = await createOrder(table, sampleOrder());
    const { refreshed } = await refresh(order, async () => ({ kind: 'not-found' }));

    expect(refreshed.tradeState).toBe('NOTPAY');
  });

  test('but was paid becomes SUCCESS here, with one write to take the turn and one to record it', async () => {
    const order = await createOrder(table, sampleOrder());
    const { refreshed, operations, log } = await refresh(order, async () => paid);

    expect(refreshed).toMatchObject({
      tradeState: 'SUCCESS',
      transactionId: samplePayment().transactionId,
      paidAtEpochSeconds: CREATED_AT + 40,
    });
    expect(operations).toEqual(['UpdateItem', 'UpdateItem']);
    expect((await readOrder(table, orderId('order-0001')))?.tradeState).toBe('SUCCESS');
    expect(log.counts).toEqual({ OrderPaid: 1 });
  });

  test('but was refunded becomes REFUND here', async () => {
    const order = await createOrder(table, sampleOrder());
    const { refreshed } = await refresh(order, async () => ({
      kind: 'paid',
      refunded: true,
      payment: samplePayment(),
    }));

    expect(refreshed).toMatchObject({ tradeState: 'REFUND', paidAtEpochSeconds: CREATED_AT + 40 });
  });

  test('but was closed at WeChat becomes CLOSED here, unpaid', async () => {
    const order = await createOrder(table, sampleOrder());
    const { refreshed, log } = await refresh(order, async () => ({
      kind: 'not-paid',
      tradeState: 'CLOSED',
    }));

    expect(refreshed).toEqual({ ...order, tradeState: 'CLOSED' });
    expect((await readOrder(table, orderId('order-0001')))?.tradeState).toBe('CLOSED');
    expect(log.counts).toEqual({ OrderClosed: 1 });
  });

  test('but was settled by the notification meanwhile shows what the row says', async () => {
    const order = await createOrder(table, sampleOrder());
    const { refreshed, operations, log } = await refresh(order, async () => {
      const payment = samplePayment();
      const evidence = { kind: 'paid', refunded: false, payment } as const;
      await applyEvidence(table, orderId('order-0001'), evidence, CREATED_AT + 60);
      return paid;
    });

    expect(refreshed).toEqual(await readOrder(table, orderId('order-0001')));
    expect(refreshed.tradeState).toBe('SUCCESS');
    expect(operations).toEqual(['UpdateItem', 'UpdateItem', 'GetItem']);
    expect(log.counts).toEqual({});
  });

  test('and was paid between the question and its answer stays paid', async () => {
    const order = await createOrder(table, sampleOrder());
    await refresh(order, async () => {
      const evidence = { kind: 'paid', refunded: false, payment: samplePayment() } as const;
      await applyEvidence(table, orderId('order-0001'), evidence, CREATED_AT + 60);
      return notPaid;
    });

    expect(await readOrder(table, orderId('order-0001'))).toMatchObject({
      tradeState: 'SUCCESS',
      nextCheckAtEpochSeconds: undefined,
    });
  });

  test('and is contradicted by the payment stays unpaid, and is not asked about at every poll', async () => {
    const order = await createOrder(table, sampleOrder());
    const payment = samplePayment({ totalFen: 1 });
    const wrong = async (): Promise<QueryResult> => ({ kind: 'paid', refunded: false, payment });
    const first = await refresh(order, wrong);
    const second = await refresh(first.refreshed, wrong, { nowMs: NOW_MS + 1000 });

    expect(first.refreshed.tradeState).toBe('NOTPAY');
    expect(first.log.counts).toEqual({});
    expect(await moneyAlarms(table)).toEqual({ TransactionMismatch: 1 });
    expect(second.refreshed.tradeState).toBe('NOTPAY');
    expect(second.asked).toEqual([]);
  });

  test('and vanished from the table meanwhile is shown as it was read', async () => {
    const order = await createOrder(table, sampleOrder());
    const { refreshed } = await refresh(order, async () => {
      await table.client.send(
        new DeleteItemCommand({
          TableName: table.tableName,
          Key: { PK: { S: 'ORDER#order-0001' }, SK: { S: 'ORDER' } },
        }),
      );
      return paid;
    });

    expect(refreshed).toEqual(order);
  });

  test.each([
    ['WeChat', new WechatPayTransportError('not-sent', 'no connection')],
    ['the table', new Error('throttled')],
  ])(
    'is shown as it was known when %s does not answer, and the log says why',
    async (_name, error) => {
      const order = await createOrder(table, sampleOrder());
      const before = await rowOf(table, 'ORDER#order-0001');
      const { refreshed, log } = await refresh(order, async () => {
        throw error;
      });

      expect(refreshed).toBe(order);
      // Only the turn is kept, and that somebody looks: a WeChat that fails is not asked at every poll.
      const { checkedAt, ...rest } = (await rowOf(table, 'ORDER#order-0001')) ?? {};
      expect(rest).toEqual({ ...before, GSI1PK: { S: 'OPEN#ASKED#01' } });
      expect(checkedAt).toEqual({ S: '2026-03-01T02:01:00Z' });
      expect(log.messages('warn')).toEqual(['WeChat could not be asked about an order']);
      expect(log.lines[0]?.fields).toMatchObject({
        outTradeNo: 'order-0001',
        reason: error.message,
      });
    },
  );
});

test('a wrong setting that keeps WeChat from being asked is counted', async () => {
  const order = await createOrder(table, sampleOrder());
  const { refreshed, log } = await refresh(order, async () => {
    throw new ConfigError('the merchant secret has no apiV2Key');
  });

  expect(refreshed).toBe(order);
  expect(log.counts).toEqual({ ConfigError: 1 });
});

describe('WeChat is not asked', () => {
  test('twice by two who look at the same moment', async () => {
    const order = await createOrder(table, sampleOrder());
    const first = await refresh(order, async () => notPaid);
    const second = await refresh(order, async () => notPaid);

    expect(first.asked).toHaveLength(1);
    expect(second.asked).toEqual([]);
    expect(second.refreshed).toBe(order);
  });

  test.each(['SUCCESS', 'REFUND', 'CLOSED'] as const)(
    'about an order that is %s',
    async (tradeState) => {
      const order = sampleOrder({ tradeState });
      const { refreshed, asked, operations } = await refresh(order, async () => paid);

      expect(refreshed).toBe(order);
      expect([asked, operations]).toEqual([[], []]);
    },
  );

  test.each([
    [0, 0],
    [2999, 0],
    [3000, 1],
    // A clock that was moved back must not silence the question for ever.
    [-1, 1],
  ])('again %i ms after the last question: %i questions', async (ageMs, questions) => {
    const order = await createOrder(table, sampleOrder());
    const checked = { ...order, checkedAtEpochSeconds: CREATED_AT + 60 };
    const { asked } = await refresh(checked, async () => notPaid, { nowMs: NOW_MS + ageMs });

    expect(asked).toHaveLength(questions);
  });
});

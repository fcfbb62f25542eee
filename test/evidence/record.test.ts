import { beforeEach, describe, expect, test } from 'vitest';
import type { OrderState } from '../../lib/order/order.ts';
import type { Evidence } from '../../lib/order/transition.ts';
import { evidenceOf, recordEvidence } from '../../lib/evidence/record.ts';
import type { Table } from '../../lib/table/client.ts';
import { orderToItem } from '../../lib/table/order-row.ts';
import type { QueryResult, TradeState } from '../../lib/wechatpay/operations.ts';
import { allRows, putRow, rowOf, useEmbeddedTables } from '../support/embedded-tables.ts';
import { moneyAlarms } from '../support/money-alarms.ts';
import { recordingLog } from '../support/recording-log.ts';
import { CREATED_AT, sampleOrder, samplePayment, orderId } from '../support/sample-orders.ts';
import { watchTable } from '../support/watched-table.ts';

const newTable = useEmbeddedTables();
let table: Table;

beforeEach(async () => {
  table = await newTable();
});

const NUMBER = 'order-0001';
const TRANSACTION = '4200000001202603010000000001';
const NOW_MS = (CREATED_AT + 60) * 1000 + 789;

const MESSAGE = {
  id: 'EV-1',
  receivedAtMs: NOW_MS,
  apiVersion: 'v3',
  kind: 'payment',
  content: '{}',
} as const;

const paid: Evidence = { kind: 'paid', refunded: false, payment: samplePayment() };
const refunded: Evidence = { kind: 'paid', refunded: true, payment: samplePayment() };
const forged: Evidence = {
  kind: 'paid',
  refunded: false,
  payment: samplePayment({ totalFen: 1 }),
};
const closed: Evidence = { kind: 'closed' };

async function given(tradeState: OrderState) {
  const isPaid = tradeState === 'SUCCESS' || tradeState === 'REFUND';
  await putRow(table, {
    ...orderToItem(sampleOrder({ tradeState })),
    ...(isPaid && { transactionId: { S: TRANSACTION } }),
  });
}

async function settled(evidence: Evidence, on: Table = table) {
  const log = recordingLog();
  const decision = await recordEvidence(
    { table: on, log, nowMs: () => NOW_MS, paymentAfterClose: 'keep' },
    orderId(NUMBER),
    evidence,
  );
  return { decision, log };
}

describe('evidence about an order', () => {
  test.each<[string, OrderState, Evidence, object, string[], string[]]>([
    ['a payment', 'NOTPAY', paid, { OrderPaid: 1 }, ['order changed'], []],
    ['a refund', 'NOTPAY', refunded, { OrderPaid: 1 }, ['order changed'], []],
    ['a close', 'NOTPAY', closed, { OrderClosed: 1 }, ['order changed'], []],
    ['a refund', 'SUCCESS', refunded, {}, ['order changed'], []],
    [
      'a payment',
      'CLOSED',
      paid,
      { OrderPaid: 1 },
      ['order changed'],
      ['a closed order was paid: ship it or refund it'],
    ],
    ['a second payment message', 'SUCCESS', paid, {}, ['nothing new about the order'], []],
    ['a close', 'SUCCESS', closed, {}, [], ['a paid order was reported as closed; it stays paid']],
  ])(
    'by %s of one that is %s counts %o… and says so',
    async (_name, state, evidence, counts, infos, warnings) => {
      await given(state);
      const { log } = await settled(evidence);

      expect(log.counts).toEqual(counts);
      expect(log.messages('info')).toEqual(infos);
      expect(log.messages('warn')).toEqual(warnings);
      expect(log.messages('error')).toEqual([]);
    },
  );

  test('takes one write and says which transaction moved which order from where to where', async () => {
    await given('NOTPAY');
    const watched = watchTable(table);
    const { decision, log } = await settled(paid, watched);

    expect(decision).toMatchObject({ kind: 'apply', to: 'SUCCESS' });
    expect(watched.operations).toEqual(['UpdateItem']);
    expect(log.lines).toEqual([
      {
        level: 'info',
        message: 'order changed',
        fields: { outTradeNo: NUMBER, transactionId: TRANSACTION, from: 'NOTPAY', to: 'SUCCESS' },
      },
    ]);
    expect((await rowOf(table, `ORDER#${NUMBER}`))?.['updatedAt']).toEqual({
      S: '2026-03-01T02:01:00Z',
    });
  });

  test('of a payment for a closed order that is given back says so, and rings all the same', async () => {
    await given('CLOSED');
    const log = recordingLog();
    await recordEvidence(
      { table, log, nowMs: () => NOW_MS, paymentAfterClose: 'refund' },
      orderId(NUMBER),
      paid,
    );

    expect(log.lines.at(-1)).toMatchObject({
      level: 'warn',
      message: 'a closed order was paid: the payment is given back',
      fields: { outTradeNo: NUMBER, paymentAfterClose: 'refund' },
    });
    expect(log.counts).toEqual({ OrderPaid: 1 });
    expect(await moneyAlarms(table)).toEqual({ PaymentAfterClose: 1 });
    expect(await rowOf(table, `ORDER#${NUMBER}`)).toMatchObject({
      paymentAfterClose: { S: 'refund' },
    });
  });

  test('that a payment contradicts keeps the contradiction, raises the alarm and changes no state', async () => {
    await given('NOTPAY');
    const { decision, log } = await settled(forged);

    expect(decision).toEqual({ kind: 'mismatch', field: 'totalFen', expected: 2800, observed: 1 });
    const row = await rowOf(table, `ORDER#${NUMBER}`);
    expect(row?.['tradeState']).toEqual({ S: 'NOTPAY' });
    expect(row?.['mismatch']?.M).toMatchObject({
      at: { S: '2026-03-01T02:01:00Z' },
      field: { S: 'totalFen' },
      expected: { S: '2800' },
      observed: { S: '1' },
    });
    expect(log.counts).toEqual({});
    expect(await moneyAlarms(table)).toEqual({ TransactionMismatch: 1 });
    expect(log.lines).toEqual([
      {
        level: 'error',
        message: 'the transaction contradicts the order',
        fields: {
          outTradeNo: NUMBER,
          transactionId: TRANSACTION,
          field: 'totalFen',
          expected: 2800,
          observed: 1,
        },
      },
    ]);
  });

  test('that names another payer logs that it does, and nobody’s openid', async () => {
    await given('NOTPAY');
    const { log } = await settled({
      ...paid,
      payment: samplePayment({ openid: 'oSomebodyElse' }),
    });

    expect(log.lines.map(({ fields }) => fields)).toEqual([
      { outTradeNo: NUMBER, transactionId: TRANSACTION, field: 'openid' },
    ]);
  });

  test('raises the alarm of a contradiction even when it cannot be kept', async () => {
    await given('NOTPAY');
    const log = recordingLog();
    const failing = watchTable(table, async ({ input, send }) => {
      if (String(input['UpdateExpression']).includes('mismatch')) {
        throw new Error('throttled');
      }
      return send();
    });

    await expect(
      recordEvidence(
        { table: failing, log, nowMs: () => NOW_MS, paymentAfterClose: 'keep' },
        orderId(NUMBER),
        forged,
      ),
    ).rejects.toThrow('throttled');
    expect(log.counts).toEqual({ TransactionMismatch: 1 });
  });

  test('rings at every contradiction that its order cannot keep any more', async () => {
    await given('NOTPAY');
    const log = recordingLog();
    const contradict = (totalFen: number) =>
      recordEvidence(
        { table, log, nowMs: () => NOW_MS, paymentAfterClose: 'keep' },
        orderId(NUMBER),
        { ...paid, payment: samplePayment({ totalFen }) },
      );
    for (let fen = 1; fen <= 20; fen += 1) {
      await contradict(fen);
      await contradict(fen);
    }
    expect(log.counts).toEqual({});
    expect(await moneyAlarms(table)).toEqual({ TransactionMismatch: 20 });
    await contradict(21);
    await contradict(21);
    await contradict(20);

    expect(log.counts).toEqual({ TransactionMismatch: 2 });
    expect(await moneyAlarms(table)).toEqual({ TransactionMismatch: 20 });
  });

  test('with a time that is none, of an order that is not here, is a payment of no order', async () => {
    const log = recordingLog();
    const decision = await recordEvidence(
      { table, log, nowMs: () => NOW_MS, paymentAfterClose: 'keep', notification: MESSAGE },
      orderId(NUMBER),
      { ...paid, payment: samplePayment({ paidAtEpochSeconds: Number.NaN }) },
    );

    expect(decision).toEqual({ kind: 'unknown-order' });
    expect(log.counts).toEqual({ UnknownOrderNotified: 1 });
    expect(await moneyAlarms(table)).toEqual({ UnknownOrderNotified: 1 });
  });

  test('with a time that is none contradicts first what weighs more', async () => {
    await given('NOTPAY');
    const payment = samplePayment({ totalFen: 1, paidAtEpochSeconds: Number.NaN });
    const { decision } = await settled({ ...paid, payment });

    expect(decision).toMatchObject({ kind: 'mismatch', field: 'totalFen' });
  });

  test.each([paid, closed])(
    'that is not in the table is reported and makes no row',
    async (evidence) => {
      const { decision, log } = await settled(evidence);

      expect(decision).toEqual({ kind: 'unknown-order' });
      expect(log.counts).toEqual({ UnknownOrderNotified: 1 });
      expect(log.messages('error')).toEqual(['WeChat reports an order that is not in the table']);
      expect(await allRows(table)).toEqual([]);
    },
  );
});

describe('evidence in an answer to a query', () => {
  const notPaid = (tradeState: Exclude<TradeState, 'SUCCESS' | 'REFUND'>): QueryResult => ({
    kind: 'not-paid',
    tradeState,
  });

  test('is the payment, refunded or not', () => {
    expect(evidenceOf({ kind: 'paid', refunded: false, payment: samplePayment() })).toEqual(paid);
    expect(evidenceOf({ kind: 'paid', refunded: true, payment: samplePayment() })).toEqual(
      refunded,
    );
  });

  test.each(['CLOSED', 'REVOKED'] as const)('is a close when WeChat says %s', (tradeState) => {
    expect(evidenceOf(notPaid(tradeState))).toEqual({ kind: 'closed' });
  });

  test.each(['NOTPAY', 'USERPAYING', 'PAYERROR', 'ACCEPT'] as const)(
    'is none while WeChat says %s: the order may still be paid',
    (tradeState) => {
      expect(evidenceOf(notPaid(tradeState))).toBeUndefined();
    },
  );

  test('is none for an order that WeChat does not know: it may be on its way', () => {
    expect(evidenceOf({ kind: 'not-found' })).toBeUndefined();
  });
});

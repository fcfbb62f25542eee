import { beforeEach, describe, expect, test } from 'vitest';
import { WechatPayNotReadyError } from '../../lib/errors.ts';
import { confirmRefund } from '../../lib/evidence/refund-notice.ts';
import { FIRST_MERCHANT } from '../../lib/order/order-id.ts';
import type { Order } from '../../lib/order/order.ts';
import type { Refund, RefundEvidence } from '../../lib/refund/refund.ts';
import type { Table } from '../../lib/table/client.ts';
import { createOrder } from '../../lib/table/checkout.ts';
import { readOrder } from '../../lib/table/orders.ts';
import { readRefund, reserveRefund } from '../../lib/table/refunds.ts';
import type { QueryResult, RefundHint } from '../../lib/wechatpay/operations.ts';
import type { RefundQueryResult } from '../../lib/wechatpay/refund-results.ts';
import { RefundMismatchError } from '../../lib/wechatpay/refund-settlement.ts';
import { useEmbeddedTables } from '../support/embedded-tables.ts';
import { moneyAlarms } from '../support/money-alarms.ts';
import { factsOf, factTypesOf } from '../support/facts-of.ts';
import { accountOf, givePaidOrder } from '../support/paid-order.ts';
import { recordingLog } from '../support/recording-log.ts';
import { CREATED_AT, orderId, sampleOrder, samplePayment } from '../support/sample-orders.ts';
import {
  ASKED_AT,
  OUT_REFUND_NO,
  refundEvidence,
  sampleRefund,
} from '../support/sample-refunds.ts';
import { watchTable } from '../support/watched-table.ts';

const newTable = useEmbeddedTables();
let table: Table;

beforeEach(async () => {
  table = await newTable();
});

const hint: RefundHint = {
  outTradeNo: 'order-0001',
  transactionId: samplePayment().transactionId,
  outRefundNo: 'refund-0001',
  refundId: '50000000382026030100000000001',
  refundFen: 800,
  status: 'SUCCESS',
};
const paid: QueryResult = { kind: 'paid', refunded: false, payment: samplePayment() };
const refunded: QueryResult = { ...paid, refunded: true };

interface Words {
  readonly order?: QueryResult;
  readonly refund?: RefundQueryResult | Error;
}

/** Delivers a notice; `asked` is what WeChat was asked. */
async function deliver(
  words: Words,
  notice: { refund?: Partial<RefundHint>; evidence?: RefundEvidence } = {},
) {
  const log = recordingLog();
  const asked: unknown[] = [];
  const wechatPay = {
    queryOrder: async (_order: unknown, options: unknown) => {
      asked.push(['order', options]);
      return words.order ?? paid;
    },
    queryRefund: async (_refund: unknown, options: unknown) => {
      asked.push(['refund', options]);
      if (words.refund instanceof Error) {
        throw words.refund;
      }
      return words.refund ?? ({ kind: 'not-found' } as const);
    },
  };
  const watched = watchTable(table);
  const decision = await confirmRefund(
    {
      table: watched,
      wechatPay: () => wechatPay,
      log,
      nowMs: () => (CREATED_AT + 60) * 1000,
      paymentAfterClose: 'keep',
    },
    FIRST_MERCHANT,
    {
      kind: 'refund',
      refund: { ...hint, ...notice.refund },
      ...(notice.evidence && { evidence: notice.evidence }),
    },
  ).catch((error: unknown) => error);
  return { decision, asked, log, operations: watched.operations };
}

const stored = async () => (await readOrder(table, orderId())) as Order;

describe('a notice of a refund that nobody asked for here', () => {
  async function confirm(
    word: QueryResult,
    { order, refund }: { order?: Partial<Order> | 'none'; refund?: Partial<RefundHint> } = {},
  ) {
    if (order !== 'none') {
      await createOrder(
        table,
        sampleOrder({ tradeState: 'SUCCESS', nextCheckAtEpochSeconds: undefined, ...order }),
      );
    }
    const delivered = await deliver({ order: word }, refund && { refund });
    const { tradeState, refundNotices, nextCheckAtEpochSeconds } =
      (await readOrder(table, orderId('order-0001'))) ?? {};
    return { ...delivered, tradeState, refundNotices, nextCheckAtEpochSeconds };
  }

  test('leads to REFUND once WeChat’s own answer shows the refund, and leaves the order due', async () => {
    expect(await confirm(refunded)).toMatchObject({
      decision: { kind: 'apply', to: 'REFUND' },
      tradeState: 'REFUND',
      asked: [['order', { timeoutMs: 1_500 }]],
      refundNotices: ['refund-0001'],
      nextCheckAtEpochSeconds: CREATED_AT + 60,
      operations: ['BatchGetItem', 'UpdateItem', 'UpdateItem', 'UpdateItem'],
    });
  });

  test('changes nothing while WeChat’s answer does not show it: the notice is to come again', async () => {
    const { decision, tradeState, refundNotices } = await confirm(paid);

    expect(decision).toEqual(
      new WechatPayNotReadyError('a refund is reported, but the order does not show one yet'),
    );
    expect(decision).toMatchObject({ code: 'WECHAT_PAY_BUSY', outcome: 'unknown' });
    expect([tradeState, refundNotices]).toEqual(['SUCCESS', undefined]);
  });

  test.each<[QueryResult]>([[{ kind: 'not-found' }], [{ kind: 'not-paid', tradeState: 'NOTPAY' }]])(
    'about an order that WeChat does not show as paid is to come again: %j',
    async (word) => {
      expect((await confirm(word)).decision).toBeInstanceOf(WechatPayNotReadyError);
    },
  );

  test.each(['CLOSED', 'ABNORMAL'] as const)(
    'that failed (%s) says so, leaves the order paid, and reconcile asks what it was',
    async (status) => {
      const { decision, tradeState, log, refundNotices, asked } = await confirm(paid, {
        refund: { status },
      });

      expect(decision).toMatchObject({ kind: 'duplicate' });
      expect([tradeState, refundNotices, asked]).toEqual(['SUCCESS', ['refund-0001'], []]);
      expect(log.messages('warn')).toEqual([
        'a refund did not reach the buyer: see the merchant console',
      ]);
    },
  );

  test('that failed, of an order whose payment is not known here yet, records the payment first', async () => {
    const { tradeState, refundNotices, nextCheckAtEpochSeconds } = await confirm(paid, {
      order: { tradeState: 'NOTPAY', nextCheckAtEpochSeconds: CREATED_AT + 600 },
      refund: { status: 'CLOSED' },
    });

    expect([tradeState, refundNotices]).toEqual(['SUCCESS', ['refund-0001']]);
    expect(nextCheckAtEpochSeconds).toBe(CREATED_AT + 60);
  });

  test('that is still on its way changes nothing and asks nobody', async () => {
    expect(await confirm(refunded, { refund: { status: 'PROCESSING' } })).toMatchObject({
      decision: { kind: 'duplicate' },
      tradeState: 'SUCCESS',
      asked: [],
      operations: [],
    });
  });

  test('about an order that is refunded already asks nobody, and leaves it due', async () => {
    expect(await confirm(refunded, { order: { tradeState: 'REFUND' } })).toMatchObject({
      decision: { kind: 'duplicate' },
      asked: [],
      refundNotices: ['refund-0001'],
    });
  });

  test('about an order that contradicts its payment notes nothing', async () => {
    const payment = samplePayment({ totalFen: 1 });
    const { decision, refundNotices } = await confirm({ ...refunded, payment });

    expect([decision, refundNotices]).toMatchObject([{ kind: 'mismatch' }, undefined]);
  });

  test('about an order of another system asks nobody and raises no alarm', async () => {
    const { decision, asked, log } = await confirm(refunded, { order: 'none' });

    expect([decision, asked, log.counts]).toEqual([{ kind: 'unknown-order' }, [], {}]);
  });
});

describe('a notice of a refund that has a row', () => {
  const found = (changes: Partial<RefundEvidence>): RefundQueryResult => ({
    kind: 'found',
    refund: refundEvidence(changes),
  });
  const row = async () =>
    (await readRefund(table, { ...orderId(), outRefundNo: OUT_REFUND_NO })).refund as Refund;

  beforeEach(async () => {
    await givePaidOrder(table);
    const turns = { nowEpochSeconds: ASKED_AT, order: false, probe: false };
    await reserveRefund(table, sampleRefund(), turns, undefined);
  });

  test.each(['SUCCESS', 'CLOSED'] as const)(
    'that is signed (v3) and says %s ends it: one read, one transaction, nobody is asked',
    async (status) => {
      const evidence = refundEvidence({ status });
      const { decision, asked, operations } = await deliver({}, { refund: { status }, evidence });

      expect([decision, asked]).toEqual([{ kind: 'duplicate' }, []]);
      expect(operations).toEqual(['BatchGetItem', 'TransactWriteItems']);
      expect((await row()).status).toBe(status);
      expect((await accountOf(table)).refundableFen).toBe(status === 'CLOSED' ? 2800 : 2000);
    },
  );

  test('twice, and again after others, ends it once', async () => {
    const evidence = refundEvidence({ status: 'CLOSED' });
    for (let time = 0; time < 3; time += 1) {
      await deliver({}, { refund: { status: 'CLOSED' }, evidence });
    }
    await deliver({}, { evidence: refundEvidence({ status: 'SUCCESS' }) });

    expect((await row()).status).toBe('CLOSED');
    expect((await accountOf(table)).refundableFen).toBe(2800);
  });

  test('without a signature (v2) only makes us ask, and WeChat’s answer is what counts', async () => {
    const { asked } = await deliver({ refund: found({ status: 'PROCESSING' }) });

    expect(asked).toEqual([['refund', { timeoutMs: 1_500 }]]);
    expect((await row()).status).toBe('PROCESSING');
    expect((await accountOf(table)).tradeState).toBe('REFUND');
  });

  test('that says ABNORMAL may be an old one: only WeChat’s answer makes it so', async () => {
    await deliver({ refund: found({ status: 'SUCCESS' }) }, { refund: { status: 'ABNORMAL' } });
    expect((await row()).status).toBe('SUCCESS');
  });

  test('of a failed refund that WeChat’s own query does not know is acknowledged and changes nothing', async () => {
    const before = await row();
    const { decision, log } = await deliver({}, { refund: { status: 'CLOSED' } });

    expect(decision).toEqual({ kind: 'duplicate' });
    expect(await row()).toEqual(before);
    expect((await accountOf(table)).refundableFen).toBe(2000);
    expect(log.messages('warn')).toEqual(['a failed refund is reported that WeChat does not know']);
  });

  test('of a success that WeChat’s query does not know yet is to come again', async () => {
    expect((await deliver({})).decision).toBeInstanceOf(WechatPayNotReadyError);
  });

  test('that contradicts it is not received, and rings', async () => {
    const evidence = refundEvidence({ status: 'SUCCESS', refundFen: 801 });
    const { decision, log } = await deliver({}, { evidence });

    expect(decision).toEqual({ kind: 'stale' });
    expect(log.counts).toEqual({});
    expect(await moneyAlarms(table)).toEqual({ RefundMismatch: 1 });
    expect((await row()).status).toBe('PENDING');
  });

  test('by an answer that is about another refund is kept beside it, and is to come again', async () => {
    const mismatch = { field: 'refundFen', expected: 800, observed: 801 } as const;
    const { decision } = await deliver({ refund: new RefundMismatchError(mismatch) });

    expect(decision).toBeInstanceOf(RefundMismatchError);
    expect((await row()).status).toBe('PENDING');
    expect(await factsOf(table, 'ORDER#order-0001', `REFUND#${OUT_REFUND_NO}`)).toMatchObject([
      { type: 'REQUESTED' },
      { type: 'MISMATCH', field: 'refundFen', expected: '800', observed: '801' },
    ]);
  });

  test('is not judged by a query that fails otherwise', async () => {
    const away = new Error('away');

    expect((await deliver({ refund: away })).decision).toBe(away);
    expect(await factTypesOf(table, 'ORDER#order-0001', `REFUND#${OUT_REFUND_NO}`)).toEqual([
      'REQUESTED',
    ]);
  });

  test('leaves the order alone: it has no notice to follow', async () => {
    await deliver({}, { evidence: refundEvidence({ status: 'SUCCESS' }) });

    expect((await stored()).refundNotices).toBeUndefined();
  });
});

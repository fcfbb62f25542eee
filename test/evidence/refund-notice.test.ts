import { beforeEach, describe, expect, test } from 'vitest';
import { WechatPayNotReadyError } from '../../lib/errors.ts';
import { confirmRefund } from '../../lib/evidence/refund-notice.ts';
import { FIRST_MERCHANT } from '../../lib/order/order-id.ts';
import type { Order } from '../../lib/order/order.ts';
import type { Table } from '../../lib/table/client.ts';
import { createOrder } from '../../lib/table/checkout.ts';
import { readOrder } from '../../lib/table/orders.ts';
import type { QueryResult, RefundHint } from '../../lib/wechatpay/operations.ts';
import { useEmbeddedTables } from '../support/embedded-tables.ts';
import { recordingLog } from '../support/recording-log.ts';
import { CREATED_AT, orderId, sampleOrder, samplePayment } from '../support/sample-orders.ts';

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

async function confirm(
  word: QueryResult,
  { order, refund }: { order?: Partial<Order> | 'none'; refund?: Partial<RefundHint> } = {},
) {
  if (order !== 'none') {
    await createOrder(table, sampleOrder({ tradeState: 'SUCCESS', ...order }));
  }
  const log = recordingLog();
  const asked: unknown[] = [];
  const wechatPay = {
    queryOrder: async (_order: unknown, options: unknown) => {
      asked.push(options);
      return word;
    },
  };
  const decision = await confirmRefund(
    {
      table,
      wechatPay: () => wechatPay,
      log,
      nowMs: () => (CREATED_AT + 60) * 1000,
      paymentAfterClose: 'keep',
    },
    FIRST_MERCHANT,
    { ...hint, ...refund },
  ).catch((error: unknown) => error);
  const { tradeState } = (await readOrder(table, orderId('order-0001'))) ?? {};
  return { decision, tradeState, asked, log };
}

describe('a refund notice', () => {
  test('leads to REFUND once WeChat’s own answer shows the refund', async () => {
    expect(await confirm(refunded)).toMatchObject({
      decision: { kind: 'apply', to: 'REFUND' },
      tradeState: 'REFUND',
      asked: [{ timeoutMs: 1_500 }],
    });
  });

  test('changes nothing while WeChat’s answer does not show it: the notice is to come again', async () => {
    const { decision, tradeState } = await confirm(paid);

    expect(decision).toEqual(
      new WechatPayNotReadyError('a refund is reported, but the order does not show one yet'),
    );
    expect(decision).toMatchObject({ code: 'WECHAT_PAY_BUSY', outcome: 'unknown' });
    expect(tradeState).toBe('SUCCESS');
  });

  test.each<[QueryResult]>([[{ kind: 'not-found' }], [{ kind: 'not-paid', tradeState: 'NOTPAY' }]])(
    'about an order that WeChat does not show as paid is to come again: %j',
    async (word) => {
      expect((await confirm(word)).decision).toBeInstanceOf(WechatPayNotReadyError);
    },
  );

  test.each(['CLOSED', 'ABNORMAL'] as const)(
    'of a refund that failed (%s) says so and leaves the order paid',
    async (status) => {
      const { decision, tradeState, log } = await confirm(paid, { refund: { status } });

      expect(decision).toMatchObject({ kind: 'duplicate' });
      expect(tradeState).toBe('SUCCESS');
      expect(log.messages('warn')).toEqual([
        'a refund did not reach the buyer: see the merchant console',
      ]);
    },
  );

  test.each([{}, { order: 'none' }] as const)(
    'of a refund on its way is received and does nothing: %j',
    async (given) => {
      const status = 'PROCESSING';
      const { decision, tradeState, asked, log } = await confirm(refunded, {
        ...given,
        refund: { status },
      });

      expect([decision, asked, log.counts]).toEqual([{ kind: 'duplicate' }, [], {}]);
      expect(tradeState).toBe('order' in given ? undefined : 'SUCCESS');
    },
  );

  test('about an order that is refunded already asks nobody', async () => {
    expect(await confirm(refunded, { order: { tradeState: 'REFUND' } })).toMatchObject({
      decision: { kind: 'duplicate' },
      asked: [],
    });
  });

  test('about an order of another system asks nobody and raises no alarm', async () => {
    const { decision, asked, log } = await confirm(refunded, { order: 'none' });

    expect([decision, asked, log.counts]).toEqual([{ kind: 'unknown-order' }, [], {}]);
  });
});

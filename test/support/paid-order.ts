/** A paid order in a table, as its own payment's write left it, and the rows that refunds make. */
import type { Order } from '../../lib/order/order.ts';
import { createOrder } from '../../lib/table/checkout.ts';
import type { Table } from '../../lib/table/client.ts';
import { applyEvidence } from '../../lib/table/order-transition.ts';
import { readOrder } from '../../lib/table/orders.ts';
import { rowOf } from './embedded-tables.ts';
import { sampleOrder, samplePayment } from './sample-orders.ts';
import { PAID_AT } from './sample-refunds.ts';

/** Makes an order and pays it. */
export async function givePaidOrder(table: Table, changes: Partial<Order> = {}): Promise<Order> {
  const order = await createOrder(table, sampleOrder(changes));
  const { outTradeNo, totalFen, subMchid, spAppid } = order;
  const payment = samplePayment({ outTradeNo, totalFen, subMchid, spAppid });
  await applyEvidence(table, order, { kind: 'paid', refunded: false, payment }, PAID_AT);
  return (await readOrder(table, order)) as Order;
}

/** What the order's row says of its refunds: plain numbers and words. */
export async function accountOf(table: Table, outTradeNo = 'order-0001') {
  const row = (await rowOf(table, `ORDER#${outTradeNo}`)) ?? {};
  const number = (name: string) => (row[name]?.N === undefined ? undefined : Number(row[name].N));
  return {
    tradeState: row['tradeState']?.S,
    refundableFen: number('refundableFen'),
    refundedFen: number('refundedFen'),
    provedFen: number('provedFen'),
    refundCount: number('refundCount'),
    sentAt: row['refundSentAt']?.S,
    refundMismatch: row['refundMismatch']?.M,
  };
}

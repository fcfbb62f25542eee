/** An order as its buyer may see it. */
import { isClosing, type Order } from '../order/order.ts';
import { refundedFenOf } from '../refund/rules.ts';
import { isoTime } from '../time.ts';

/** Times in ISO 8601, UTC; amounts in fen. Fields that do not apply yet are left out. */
export function presentOrder(order: Order): object {
  // On its way or arrived.
  const refundedFen = refundedFenOf(order);
  return {
    outTradeNo: order.outTradeNo,
    tradeState: order.tradeState,
    ...(isClosing(order) && { closing: true }),
    totalFen: order.totalFen,
    description: order.description,
    createdAt: isoTime(order.createdAtEpochSeconds),
    expiresAt: isoTime(order.expiresAtEpochSeconds),
    ...(order.paidAtEpochSeconds !== undefined && { paidAt: isoTime(order.paidAtEpochSeconds) }),
    ...(order.transactionId !== undefined && { transactionId: order.transactionId }),
    ...(refundedFen > 0 && { refundedFen }),
  };
}

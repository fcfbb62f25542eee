/** The fields of a refund in the answers of v2 and in its notification. */
import type { Order } from '../book/orders.ts';
import { divideRefund } from '../book/refund-amounts.ts';
import type { Refund, RefundStatus } from '../book/refunds.ts';
import { formatBeijingForPeople } from '../book/clock.ts';
import type { Fields } from './wire.ts';

/** `refund_status`. */
export const STATUSES_IN_V2: Readonly<Record<RefundStatus, string>> = {
  PROCESSING: 'PROCESSING',
  SUCCESS: 'SUCCESS',
  CLOSED: 'REFUNDCLOSE',
  ABNORMAL: 'CHANGE',
};

const texts = (numbers: Record<string, number>): Fields =>
  Object.fromEntries(Object.entries(numbers).map(([name, fen]) => [name, fen.toString()]));

/** What the order was. */
export const describeRefundedOrder = ({ outTradeNo, transactionId, totalFen, payment }: Order) => ({
  transaction_id: transactionId ?? '',
  out_trade_no: outTradeNo,
  total_fee: totalFen.toString(),
  fee_type: 'CNY',
  cash_fee: payment.payerTotal.toString(),
  ...(payment.payerCurrency === 'CNY' ? {} : { cash_fee_type: payment.payerCurrency }),
});

/** A refund that was accepted. Live answers have the empty `refund_channel`, which no page names. */
export function describeAccepted(order: Order, refund: Refund): Fields {
  const { settlementRefundFen, settlementTotalFen, couponRefundFen, coupons, payerRefund } =
    divideRefund(order, refund);
  const refunded = coupons.filter(({ refundFen }) => refundFen > 0);
  const each = refunded.flatMap(({ couponId, type, refundFen }, index) => [
    [`coupon_type_${index}`, type],
    [`coupon_refund_id_${index}`, couponId],
    [`coupon_refund_fee_${index}`, refundFen.toString()],
  ]);
  return {
    ...describeRefundedOrder(order),
    out_refund_no: refund.outRefundNo,
    refund_id: refund.refundId,
    refund_channel: '',
    ...texts({
      refund_fee: refund.refundFen,
      ...(order.payment.coupons.length > 0
        ? { settlement_refund_fee: settlementRefundFen, settlement_total_fee: settlementTotalFen }
        : {}),
      cash_refund_fee: payerRefund,
      coupon_refund_fee: couponRefundFen,
      coupon_refund_count: refunded.length,
    }),
    ...(Object.fromEntries(each) as Fields),
  };
}

/** A refund in the list that a query gives; `n` counts from 0. */
export function describeListed(order: Order, refund: Refund, n: number): Fields {
  const { settlementRefundFen, coupons } = divideRefund(order, refund);
  const refunded = coupons.filter(({ refundFen }) => refundFen > 0);
  const each = refunded.flatMap(({ couponId, type, refundFen }, m) => [
    [`coupon_type_${n}_${m}`, type],
    [`coupon_refund_id_${n}_${m}`, couponId],
    [`coupon_refund_fee_${n}_${m}`, refundFen.toString()],
  ]);
  const couponFen = refunded.reduce((sum, { refundFen }) => sum + refundFen, 0);
  return {
    [`out_refund_no_${n}`]: refund.outRefundNo,
    [`refund_id_${n}`]: refund.refundId,
    [`refund_channel_${n}`]: refund.channel,
    [`refund_fee_${n}`]: refund.refundFen.toString(),
    ...(order.payment.coupons.length > 0
      ? {
          [`settlement_refund_fee_${n}`]: settlementRefundFen.toString(),
          [`coupon_refund_fee_${n}`]: couponFen.toString(),
          [`coupon_refund_count_${n}`]: refunded.length.toString(),
        }
      : {}),
    ...(Object.fromEntries(each) as Fields),
    [`refund_status_${n}`]: STATUSES_IN_V2[refund.status],
    [`refund_account_${n}`]: 'REFUND_SOURCE_UNSETTLED_FUNDS',
    // WeChat's own spelling.
    [`refund_recv_accout_${n}`]: refund.receivedBy,
    ...(refund.status === 'SUCCESS'
      ? { [`refund_success_time_${n}`]: formatBeijingForPeople(refund.endedAtMs ?? 0) }
      : {}),
  };
}

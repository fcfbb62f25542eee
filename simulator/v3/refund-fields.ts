/** A refund (退款) as v3 describes it in answers and notifications; names in alphabetical order. */
import { formatRfc3339 } from '../book/clock.ts';
import type { OrderRequest } from '../book/order-terms.ts';
import type { Order } from '../book/orders.ts';
import { divideRefund, type RefundedCoupon } from '../book/refund-amounts.ts';
import type { Refund } from '../book/refunds.ts';
import type { Service } from '../host/service.ts';

/** Of an acceptance and a query. */
export function describeRefund(order: Order, refund: Refund): Record<string, unknown> {
  const divided = divideRefund(order, refund);
  const amount = (refund.request['amount'] ?? {}) as OrderRequest;
  return {
    amount: {
      currency: 'CNY',
      discount_refund: divided.couponRefundFen,
      from: amount['from'] ?? [],
      payer_refund: divided.payerRefund,
      payer_total: order.payment.payerTotal,
      refund: refund.refundFen,
      refund_fee: 0,
      settlement_refund: divided.settlementRefundFen,
      settlement_total: divided.settlementTotalFen,
      total: order.totalFen,
    },
    channel: refund.channel,
    create_time: formatRfc3339(refund.createdAtMs),
    funds_account: refund.request['funds_account'] ?? 'UNSETTLED',
    out_refund_no: refund.outRefundNo,
    out_trade_no: order.outTradeNo,
    promotion_detail: divided.coupons.map(describeCoupon),
    refund_id: refund.refundId,
    status: refund.status,
    ...describeSuccess(refund),
    transaction_id: order.transactionId,
    user_received_account: refund.receivedBy,
  };
}

/** Of a notification, which calls the state by another name and has no currency. */
export function describeNoticedRefund(
  { merchant }: Pick<Service, 'merchant'>,
  order: Order,
  refund: Refund,
): Record<string, unknown> {
  const { subMchid } = order.terms;
  return {
    amount: {
      payer_refund: divideRefund(order, refund).payerRefund,
      payer_total: order.payment.payerTotal,
      refund: refund.refundFen,
      total: order.totalFen,
    },
    ...(subMchid ? {} : { mchid: merchant.mchid }),
    out_refund_no: refund.outRefundNo,
    out_trade_no: order.outTradeNo,
    refund_id: refund.refundId,
    refund_status: refund.status,
    ...(subMchid ? { sp_mchid: merchant.mchid, sub_mchid: subMchid } : {}),
    ...describeSuccess(refund),
    transaction_id: order.transactionId,
    user_received_account: refund.receivedBy,
  };
}

const describeSuccess = ({ status, endedAtMs }: Refund) =>
  status === 'SUCCESS' ? { success_time: formatRfc3339(endedAtMs ?? 0) } : {};

const describeCoupon = ({ couponId, type, fen, refundFen }: RefundedCoupon) => ({
  amount: fen,
  promotion_id: couponId,
  refund_amount: refundFen,
  scope: 'GLOBAL',
  type: type === 'CASH' ? 'COUPON' : 'DISCOUNT',
});

/** How a refund is divided: what the payer gets, what goes back into coupons, what the merchant is charged. */
import type { Order } from './orders.ts';
import { type Coupon, couponFenOf, settlementFenOf } from './payment.ts';
import type { Refund } from './refunds.ts';

export interface RefundedCoupon extends Coupon {
  readonly refundFen: number;
}

export interface RefundAmounts {
  readonly settlementTotalFen: number;
  readonly settlementRefundFen: number;
  /** In fen of CNY. */
  readonly couponRefundFen: number;
  readonly coupons: readonly RefundedCoupon[];
  /** In the smallest unit of the payer's currency. */
  readonly payerRefund: number;
}

/** In proportion, and so that the parts of all refunds of an order together are the whole. */
export function divideRefund(
  { totalFen, payment }: Order,
  { beforeFen, refundFen }: Pick<Refund, 'beforeFen' | 'refundFen'>,
): RefundAmounts {
  const upTo = (whole: number, fen: number) => Math.round((whole * fen) / totalFen);
  const share = (whole: number) => upTo(whole, beforeFen + refundFen) - upTo(whole, beforeFen);
  const coupons = payment.coupons.map((coupon) => ({ ...coupon, refundFen: share(coupon.fen) }));
  const settlementTotalFen = settlementFenOf(totalFen, payment);
  return {
    settlementTotalFen,
    settlementRefundFen: share(settlementTotalFen),
    couponRefundFen: share(couponFenOf(payment)),
    coupons,
    payerRefund: share(payment.payerTotal),
  };
}

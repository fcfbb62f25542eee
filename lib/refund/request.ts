/** From what a caller asks for to a refund: its number, its fingerprint, its first row. */
import { FIRST_MERCHANT, type OrderId } from '../order/order-id.ts';
import { digest, type Order } from '../order/order.ts';
import type { Refund, RefundGoods, RefundSource } from './refund.ts';

/** What a caller asks for, checked. Without `refundFen` it is all that is left. */
export interface RefundWish {
  readonly refundFen?: number | undefined;
  readonly reason?: string | undefined;
  readonly outRefundNo?: string | undefined;
  readonly goods?: readonly RefundGoods[] | undefined;
}

/** The request as it was sent: tells a repeat from another request under the same key or number. */
export function fingerprintOf({ refundFen, reason, outRefundNo, goods }: RefundWish): string {
  return digest({ refundFen, reason, outRefundNo, goods });
}

/** An `Idempotency-Key` as rows keep it. */
export const digestOfKey = (idempotencyKey: string): string => digest(['KEY', idempotencyKey]);

/**
 * The number of a refund whose caller named none: the same key always gives the same number, so a
 * row that was lost with a table does not make a second refund. 32 hex digits.
 *
 * @param scope see `orderNumberFor`.
 */
export function refundNumberFor(scope: string, id: OrderId, keyDigest: string): string {
  return digest(['REFUND', scope, ...named(id), keyDigest]).slice(0, 32);
}

/** The number of the refund that gives back a payment for a closed order: there is one at most. */
export function automaticRefundNumberFor(scope: string, id: OrderId): string {
  return digest(['PAYMENT_AFTER_CLOSE', scope, ...named(id)]).slice(0, 32);
}

const named = ({ merchantKey, outTradeNo }: OrderId) =>
  merchantKey === FIRST_MERCHANT ? [outTradeNo] : [outTradeNo, merchantKey];

/** What a new refund has besides its order. */
export interface NewRefund {
  readonly outRefundNo: string;
  readonly refundFen: number;
  readonly source: RefundSource;
  readonly nowMs: number;
  readonly reason?: string | undefined;
  readonly goods?: readonly RefundGoods[] | undefined;
  readonly fingerprint?: string | undefined;
  readonly requestedBy?: string | undefined;
}

/** A refund that nobody has sent yet, due at once. Its request is built from it. */
export function newRefund(
  order: Order & { readonly transactionId: string },
  wish: NewRefund,
): Refund {
  const { nowMs, ...rest } = wish;
  const nowEpochSeconds = Math.floor(nowMs / 1000);
  return {
    merchantKey: order.merchantKey,
    outTradeNo: order.outTradeNo,
    appid: order.appid,
    mchid: order.mchid,
    subMchid: order.subMchid,
    spAppid: order.spAppid,
    transactionId: order.transactionId,
    totalFen: order.totalFen,
    currency: order.currency,
    apiVersion: order.apiVersion,
    attach: order.attach,
    ...rest,
    status: 'PENDING',
    round: 0,
    createdAtEpochSeconds: nowEpochSeconds,
    attempts: 0,
    mayHaveReached: false,
    changedAtEpochMs: nowMs,
    checks: 0,
    nextCheckAtEpochSeconds: nowEpochSeconds,
  };
}

/**
 * The refund as it is on its way to WeChat: written before it is sent, so that a crash leaves it
 * open and in doubt. Whoever crashes here is followed by reconcile a minute later.
 */
export function asSent(refund: Refund, nowEpochSeconds: number, pauseSeconds: number): Refund {
  return {
    ...refund,
    sentAtEpochSeconds: nowEpochSeconds,
    attempts: refund.attempts + 1,
    mayHaveReached: true,
    waitingFor: undefined,
    nextCheckAtEpochSeconds: nowEpochSeconds + pauseSeconds,
  };
}

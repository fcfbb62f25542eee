/** What may be refunded of an order, and when it may be asked for: WeChat's limits, kept before it refuses. */
import { InvalidRequestError, OrderConflictError } from '../errors.ts';
import { assertFen, isPaid, type Order } from '../order/order.ts';

/** WeChat takes so many refunds of one order; those that it refused do not count. */
export const MAX_REFUNDS = 50;

/** WeChat wants a minute between two refunds of one order, also between repeats of one. */
export const SECONDS_BETWEEN_SENDS = 60;

/** WeChat refunds a payment for a year. */
const REFUNDABLE_SECONDS = 365 * 86_400;

/** What an order tells about its refunds. */
export type RefundAccount = Pick<
  Order,
  | 'totalFen'
  | 'tradeState'
  | 'paidAtEpochSeconds'
  | 'refundableFen'
  | 'refundCount'
  | 'refundSentAtEpochSeconds'
>;

/** What is neither reserved nor refunded. WeChat may have proved more than was reserved: then nothing is. */
export function refundableFenOf({ totalFen, refundableFen = totalFen }: RefundAccount): number {
  return Math.max(0, refundableFen);
}

/** What is on its way back to the buyer or arrived, reservations included. */
export function refundedFenOf(order: RefundAccount): number {
  return order.totalFen - refundableFenOf(order);
}

/**
 * @throws {OrderConflictError} `ORDER_NOT_PAID`, `REFUND_EXPIRED` or `REFUND_LIMIT_REACHED`: nothing
 * of the order can be refunded, whatever the amount.
 */
export function assertMayRefund(order: RefundAccount, nowEpochSeconds: number): void {
  const { paidAtEpochSeconds, refundCount = 0 } = order;
  if (!isPaid(order) || paidAtEpochSeconds === undefined) {
    throw new OrderConflictError('ORDER_NOT_PAID');
  }
  if (nowEpochSeconds > paidAtEpochSeconds + REFUNDABLE_SECONDS) {
    throw new OrderConflictError('REFUND_EXPIRED');
  }
  if (refundCount >= MAX_REFUNDS) {
    throw new OrderConflictError('REFUND_LIMIT_REACHED', { max: MAX_REFUNDS });
  }
}

/**
 * The amount of a refund: what was asked for, or all that is left.
 *
 * @throws {InvalidRequestError} `AMOUNT_INVALID`
 * @throws {OrderConflictError} `REFUND_EXCEEDS_PAYMENT` with `refundableFen`, what is left.
 */
export function refundFenOf(order: RefundAccount, wanted: number | undefined): number {
  const refundableFen = refundableFenOf(order);
  const refundFen = wanted ?? refundableFen;
  if (refundFen > refundableFen || refundableFen === 0) {
    throw new OrderConflictError('REFUND_EXCEEDS_PAYMENT', { refundableFen });
  }
  return refundFen;
}

/** @throws {InvalidRequestError} `AMOUNT_INVALID` for what is no amount of any refund. */
export function assertRefundFen(wanted: unknown): asserts wanted is number | undefined {
  if (wanted !== undefined) {
    assertFen('refundFen', wanted);
  }
}

/**
 * When the order's turn to send is free: a minute after the last send. A send in the future, from a
 * clock that was set back, holds nobody up.
 */
export function turnFreeAt(
  { refundSentAtEpochSeconds }: Pick<RefundAccount, 'refundSentAtEpochSeconds'>,
  nowEpochSeconds: number,
): number {
  return refundSentAtEpochSeconds === undefined || refundSentAtEpochSeconds > nowEpochSeconds
    ? nowEpochSeconds
    : refundSentAtEpochSeconds + SECONDS_BETWEEN_SENDS;
}

/** WeChat: 1 to 64 of digits, letters and `_-|*@`, unique per merchant. */
export function assertOutRefundNo(field: string, value: string): void {
  if (!/^[0-9A-Za-z_\-|*@]{1,64}$/.test(value)) {
    throw new InvalidRequestError('INVALID_REQUEST', {
      field,
      problem: '1 to 64 letters, digits, _ - | * or @',
    });
  }
}

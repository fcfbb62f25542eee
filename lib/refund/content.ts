/** What a refund says besides its amount, within WeChat's limits. */
import { InvalidRequestError } from '../errors.ts';
import { assertGoods } from '../order/options.ts';
import { assertFen, assertText } from '../order/order.ts';
import type { RefundGoods } from './refund.ts';

/** WeChat: 80; taken in bytes, the stricter of two readings. */
const MAX_REASON_BYTES = 80;

/**
 * The reason that the buyer is shown, but for a part of at most one yuan.
 *
 * @throws {InvalidRequestError} `TEXT_TOO_LONG`, or when WeChat would refuse or garble it.
 */
export function assertRefundReason(field: string, reason: string): void {
  assertText(field, reason, MAX_REASON_BYTES);
}

/**
 * The goods that are given back, which together are no more than the refund.
 *
 * @throws {InvalidRequestError} for the first value that WeChat would refuse; `path` leads its name.
 */
export function assertRefundGoods(
  path: string,
  goods: readonly RefundGoods[],
  refundFen: number,
): void {
  if (goods.length === 0) {
    throw new InvalidRequestError('INVALID_REQUEST', { field: path, problem: 'an empty list' });
  }
  for (const [index, one] of goods.entries()) {
    assertGoods(`${path}[${index}]`, one);
    assertFen(`${path}[${index}].refundFen`, one.refundFen);
  }
  const sumFen = goods.reduce((sum, one) => sum + one.refundFen, 0);
  assertFen(path, sumFen, 1, refundFen);
}

/** Places an order at WeChat, and tells the buyer what a refusal means. */
import { BuyerAccountError, OrderConflictError } from '../errors.ts';
import type { Order } from '../order/order.ts';
import type { WechatPay } from '../wechatpay/operations.ts';

const WECHAT_TIMEOUT_MS = 8_000;

/**
 * With less time left nothing is placed: API v3 lengthens it to a minute, and reconcile would have
 * closed here what can still be paid there.
 */
const LEAST_LIFE_MS = 60_000;

/**
 * Creates the order at WeChat, or repeats it unchanged, and answers its `prepay_id`. If the first
 * call was lost and the repeat comes too late for WeChat, the order cannot be placed any more: the
 * client is told to start a new one.
 *
 * @throws {OrderConflictError} when WeChat knows the order as paid or closed, or takes it no more.
 * @throws {BuyerAccountError} when WeChat takes no payment from the buyer.
 * Every other refusal keeps WeChat's own code, as the operation throws it.
 */
export async function placeAtWechat(
  wechatPay: Pick<WechatPay, 'prepay'>,
  order: Order,
  nowMs: () => number,
): Promise<string> {
  const { outTradeNo, expiresAtEpochSeconds } = order;
  if (expiresAtEpochSeconds * 1000 - nowMs() < LEAST_LIFE_MS) {
    throw new OrderConflictError('ORDER_EXPIRED', { outTradeNo });
  }
  const result = await wechatPay.prepay(order, { timeoutMs: WECHAT_TIMEOUT_MS });
  switch (result.kind) {
    case 'placed':
      return result.prepayId;
    case 'already-paid':
      throw new OrderConflictError('ORDER_ALREADY_PAID', { outTradeNo });
    case 'closed':
      throw new OrderConflictError('ORDER_CLOSED', { outTradeNo });
    case 'too-late':
      throw new OrderConflictError('ORDER_EXPIRED', { outTradeNo });
    case 'buyer-refused':
      throw new BuyerAccountError(result.reason);
  }
}

/**
 * What a refund notification leads to. It is not evidence by itself (a v2 one is not even signed):
 * WeChat is asked about the order, and its verified answer is recorded. Read, query and write
 * fit into the 4 seconds of `notify`; when they do not, WeChat sends the notification again.
 */
import { WechatPayNotReadyError } from '../errors.ts';
import type { Decision } from '../order/transition.ts';
import type { AskContext } from './ask.ts';
import { recordEvidence } from './record.ts';
import { readOrder } from '../table/orders.ts';
import type { RefundHint } from '../wechatpay/operations.ts';

/** Keys may have to be read first, and the table twice. */
const WECHAT_TIMEOUT_MS = 1_500;

/**
 * Records that an order was refunded, in part or whole, once WeChat says so. An order that is
 * recorded so already is not asked about again: a further partial refund changes nothing here. A
 * refund that is still on its way (`PROCESSING`) changes nothing at all.
 *
 * @param merchantKey whose refund it is; see `OrderId`.
 * @throws {WechatPayNotReadyError} while WeChat's own answer does not show the refund yet.
 */
export async function confirmRefund(
  context: AskContext,
  merchantKey: string,
  refund: RefundHint,
): Promise<Decision> {
  const { table, wechatPay, log } = context;
  const { outTradeNo, outRefundNo, refundId, refundFen, status } = refund;
  log.info('WeChat reports a refund', { outTradeNo, outRefundNo, refundId, refundFen, status });
  // On its way: WeChat reports again how it ends.
  if (status === 'PROCESSING') {
    return { kind: 'duplicate' };
  }
  const order = await readOrder(table, { merchantKey, outTradeNo });
  // No alarm: the console sends refunds of every system that shares the merchant number here.
  if (!order) {
    return { kind: 'unknown-order' };
  }
  if (status !== 'SUCCESS') {
    log.warn('a refund did not reach the buyer: see the merchant console', { outTradeNo, status });
  }
  if (order.tradeState === 'REFUND') {
    return { kind: 'duplicate' };
  }
  const result = await wechatPay(order).queryOrder(order, {
    timeoutMs: WECHAT_TIMEOUT_MS,
  });
  if (result.kind === 'paid' && (result.refunded || status !== 'SUCCESS')) {
    return recordEvidence(context, order, result);
  }
  throw new WechatPayNotReadyError('a refund is reported, but the order does not show one yet');
}

/**
 * What a refund notification leads to. It is not evidence by itself (a v2 one is not even signed):
 * WeChat is asked about the order, and its verified answer is recorded. Read, query and write
 * fit into the 4 seconds of `notify`; when they do not, WeChat sends the notification again.
 */
import { WechatPayNotReadyError } from '../errors.ts';
import type { Log } from '../runtime/log.ts';
import type { Decision } from '../order/transition.ts';
import { settle } from './record.ts';
import type { Table } from '../table/client.ts';
import { readOrder } from '../table/orders.ts';
import type { WechatPayOf } from '../wechatpay/open.ts';
import type { RefundHint } from '../wechatpay/operations.ts';

export interface RefundContext {
  readonly table: Table;
  readonly wechatPay: WechatPayOf<'queryOrder'>;
  readonly log: Log;
  readonly nowMs: number;
}

/** Keys may have to be read first, and the table twice. */
const WECHAT_TIMEOUT_MS = 1_500;

/**
 * Records that an order was refunded, in part or whole, once WeChat says so. An order that is
 * recorded so already is not asked about again: a further partial refund changes nothing here.
 *
 * @param merchantKey whose refund it is; see `OrderId`.
 * @throws {WechatPayNotReadyError} while WeChat's own answer does not show the refund yet.
 */
export async function confirmRefund(
  context: RefundContext,
  merchantKey: string,
  refund: RefundHint,
): Promise<Decision> {
  const { table, wechatPay, log, nowMs } = context;
  const { outTradeNo, outRefundNo, refundId, refundFen, status } = refund;
  log.info('WeChat reports a refund', { outTradeNo, outRefundNo, refundId, refundFen, status });
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
    return settle({ table, log, nowMs }, order, result);
  }
  throw new WechatPayNotReadyError('a refund is reported, but the order does not show one yet');
}

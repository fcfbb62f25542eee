/**
 * What a notification about a refund leads to. Only a signed one of v3 that names the end of a refund
 * is evidence by itself; all others only choose what WeChat is asked, because WeChat repeats old
 * ones and those of v2 are not signed. Read, query and write fit into the 4 seconds of `notify`;
 * when they do not, WeChat sends the notification again.
 */
import { WechatPayNotReadyError } from '../errors.ts';
import { isPaid, type Order } from '../order/order.ts';
import type { Decision } from '../order/transition.ts';
import type { Refund } from '../refund/refund.ts';
import { noteRefund } from '../table/refund-notices.ts';
import { readRefund } from '../table/refunds.ts';
import type { WechatPayOf } from '../wechatpay/open.ts';
import type { Notification, RefundHint } from '../wechatpay/operations.ts';
import { carriedBy } from './notification.ts';
import { type EvidenceContext, recordEvidence } from './record.ts';
import { recordContradiction, recordRefundEvidence } from './refund-record.ts';

export interface RefundNoticeContext extends EvidenceContext {
  readonly wechatPay: WechatPayOf<'queryOrder' | 'queryRefund'>;
}

export type RefundNotification = Extract<Notification, { readonly kind: 'refund' }>;

/** Keys may have to be read first, and the table twice. */
const WECHAT_TIMEOUT_MS = 1_500;

/**
 * Brings the refund that WeChat reports in line. One that has no row was made in the merchant
 * console: its order becomes `REFUND` once WeChat's own answer shows it, and is left due, so that
 * reconcile makes the row. One that is still on its way (`PROCESSING`) changes nothing.
 *
 * @param merchantKey whose refund it is; see `OrderId`.
 * @throws {WechatPayNotReadyError} while WeChat's own answer does not show the refund yet.
 */
export async function confirmRefund(
  context: RefundNoticeContext,
  merchantKey: string,
  notification: RefundNotification,
): Promise<Decision> {
  const { outTradeNo, outRefundNo, refundId, refundFen, status } = notification.refund;
  const { table, log } = context;
  log.info('WeChat reports a refund', { outTradeNo, outRefundNo, refundId, refundFen, status });
  // On its way: WeChat reports again how it ends.
  if (status === 'PROCESSING') {
    return { kind: 'duplicate' };
  }
  const { order, refund } = await readRefund(table, { merchantKey, outTradeNo, outRefundNo });
  // No alarm: the console sends refunds of every system that shares the merchant number here.
  if (!order) {
    return { kind: 'unknown-order' };
  }
  return refund
    ? confirmOurs(context, refund, notification)
    : confirmUnknown(context, order, notification.refund);
}

/** A refund that has a row. */
async function confirmOurs(
  context: RefundNoticeContext,
  refund: Refund,
  { refund: hint, evidence }: RefundNotification,
): Promise<Decision> {
  const proof = evidence ?? (await ask(context, refund));
  if (!proof) {
    if (hint.status === 'SUCCESS') {
      throw new WechatPayNotReadyError(
        'a refund is reported that WeChat’s query does not know yet',
      );
    }
    context.log.warn('a failed refund is reported that WeChat does not know', {
      outTradeNo: refund.outTradeNo,
      outRefundNo: refund.outRefundNo,
    });
    return { kind: 'duplicate' };
  }
  const { decision } = await recordRefundEvidence(context, refund, proof);
  // Whatever is older than what is known is recorded already; a contradiction is not received.
  return { kind: decision === 'mismatch' ? 'stale' : 'duplicate' };
}

/** WeChat's own word about a refund that has a row; nothing when it does not know it. Writes nothing. */
export async function queryRefund({ wechatPay }: RefundNoticeContext, refund: Refund) {
  const options = { timeoutMs: WECHAT_TIMEOUT_MS };
  const result = await wechatPay(refund).queryRefund(refund, options);
  return result.kind === 'found' ? result.refund : undefined;
}

async function ask(context: RefundNoticeContext, refund: Refund) {
  try {
    return await queryRefund(context, refund);
  } catch (error) {
    await recordContradiction(context, refund, error);
    throw error;
  }
}

/** A refund that nobody asked for here. */
async function confirmUnknown(
  context: RefundNoticeContext,
  order: Order,
  { outTradeNo, outRefundNo, status }: RefundHint,
): Promise<Decision> {
  const { table, log, nowMs, notification } = context;
  if (status !== 'SUCCESS') {
    log.warn('a refund did not reach the buyer: see the merchant console', { outTradeNo, status });
  }
  const decision = await confirmOrder(context, order, status);
  // Last: what makes an order paid takes it out of the index.
  if (decision.kind === 'apply' || decision.kind === 'duplicate') {
    const carried = carriedBy(notification, decision);
    await noteRefund(table, order, outRefundNo, Math.floor(nowMs() / 1000), carried);
  }
  return decision;
}

/** The order's own state, from WeChat's own answer. */
async function confirmOrder(
  context: RefundNoticeContext,
  order: Order,
  status: RefundHint['status'],
): Promise<Decision> {
  if (isToldAlready(order, status)) {
    return { kind: 'duplicate' };
  }
  const evidence = await evidenceOfOrder(context, order, status);
  if (!evidence) {
    throw new WechatPayNotReadyError('a refund is reported, but the order does not show one yet');
  }
  return recordEvidence(context, order, evidence);
}

/** Whether the order shows already what a refund in this state makes of it. */
export const isToldAlready = (order: Order, status: RefundHint['status']): boolean =>
  order.tradeState === 'REFUND' || (isPaid(order) && status !== 'SUCCESS');

/** WeChat's own word about the order of a refund; nothing while it does not show one. Writes nothing. */
export async function evidenceOfOrder(
  { wechatPay }: RefundNoticeContext,
  order: Order,
  status: RefundHint['status'],
) {
  const result = await wechatPay(order).queryOrder(order, { timeoutMs: WECHAT_TIMEOUT_MS });
  return result.kind === 'paid' && (result.refunded || status !== 'SUCCESS') ? result : undefined;
}

/**
 * The check of a paid order that is due: refunds that WeChat reported and that have no row, and a
 * payment for a closed order that is to be given back.
 */
import { recordFoundRefund } from '../evidence/refund-record.ts';
import { giveBack } from '../evidence/refund-request.ts';
import type { Order } from '../order/order.ts';
import { sendPauseSeconds } from '../refund/pace.ts';
import type { RefundEvidence } from '../refund/refund.ts';
import { concludeNotices } from '../table/refund-notices.ts';
import { type CheckContext, epochSecondsOf, limitOf, LONG_PAUSE_SECONDS } from './context.ts';
import type { Ending } from './run.ts';

/** So often WeChat is asked about a refund that it reported and whose query does not know it. */
const MAX_CHECKS = 5;

/**
 * Asks WeChat about the refunds of an order and makes the rows that are missing; then gives back what
 * was decided to be. The order leaves the index when nothing is left to find out.
 */
export async function findRefundsOf(context: CheckContext, order: Order): Promise<Ending> {
  const { found, missing } = await askAboutRefunds(context, order);
  let isContradicted = false;
  for (const evidence of found) {
    const { decision } = await recordFoundRefund(context, order, evidence);
    isContradicted ||= decision === 'mismatch';
  }
  if (isContradicted) {
    context.log.count('RefundMismatch');
    await putOff(context, order, LONG_PAUSE_SECONDS);
    return 'mismatched';
  }
  if (missing.length > 0 && order.checks < MAX_CHECKS) {
    await putOff(context, order, sendPauseSeconds({ waitingFor: undefined, checks: order.checks }));
    return 'stillOpen';
  }
  for (const outRefundNo of missing) {
    const { outTradeNo } = order;
    context.log.warn('a refund was reported that WeChat does not know', {
      outTradeNo,
      outRefundNo,
    });
  }
  const back = order.paymentAfterClose === 'refund' ? await giveBack(context, order) : undefined;
  await concludeNotices(context.table, order, undefined);
  return back === undefined ? 'settledMeanwhile' : endingOf(back);
}

/** How a refund stands after its check. */
export function endingOf({
  status,
}: Pick<RefundEvidence, 'status'> | { status: 'PENDING' }): Ending {
  switch (status) {
    case 'SUCCESS':
      return 'refunded';
    case 'CLOSED':
      return 'refundClosed';
    case 'ABNORMAL':
      return 'refundAbnormal';
    case 'PENDING':
    case 'PROCESSING':
      return 'stillOpen';
  }
}

/** Every refund that WeChat lists (v2), and each that it reported; those that it does not know. */
async function askAboutRefunds(context: CheckContext, order: Order) {
  const { transactionId = '', refundNotices = [] } = order;
  const orders = context.wechatPay(order);
  const options = limitOf(context, 2);
  const about = { ...order, transactionId };
  const list = await orders.listRefunds(about, options);
  const found = new Map<string, RefundEvidence>();
  for (const refund of list.kind === 'listed' ? list.refunds : []) {
    found.set(refund.outRefundNo, refund);
  }
  const missing: string[] = [];
  for (const outRefundNo of refundNotices.filter((number) => !found.has(number))) {
    const result = await orders.queryRefund({ ...about, outRefundNo }, options);
    if (result.kind === 'found') {
      found.set(outRefundNo, result.refund);
    } else {
      missing.push(outRefundNo);
    }
  }
  return { found: [...found.values()], missing };
}

const putOff = (context: CheckContext, order: Order, pauseSeconds: number) =>
  concludeNotices(context.table, order, {
    checks: order.checks + 1,
    atEpochSeconds: epochSecondsOf(context) + pauseSeconds,
  });

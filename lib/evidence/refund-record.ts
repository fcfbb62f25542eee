/** Brings a refund in line with what WeChat proved, and says so where people look. */
import type { Order } from '../order/order.ts';
import { findRefundMismatch, type Refund, type RefundEvidence } from '../refund/refund.ts';
import { newRefund } from '../refund/request.ts';
import { nextQueryAt } from '../refund/pace.ts';
import { decideRefund, effectOfConsoleRefund, type RefundDecision } from '../refund/transition.ts';
import type { Log } from '../runtime/log.ts';
import type { Table } from '../table/client.ts';
import { recordRefundMismatch, recordRefundOfOrderMismatch } from '../table/mismatches.ts';
import type { ReceivedNotification } from '../table/notification-attribute.ts';
import { type Change, changeRefund, recordConsoleRefund } from '../table/refund-change.ts';
import { readRefund } from '../table/refunds.ts';
import { RefundMismatchError } from '../wechatpay/refund-settlement.ts';
import { keepOrRing } from './contradiction.ts';
import { carriedBy } from './notification.ts';

/** What it takes to record evidence about refunds. */
export interface RefundRecordContext {
  readonly table: Table;
  readonly log: Log;
  readonly nowMs: () => number;
  /** The message that the evidence came in, where WeChat sent one. */
  readonly notification?: ReceivedNotification | undefined;
}

/** What evidence did, and the refund as it is after it. */
export interface RecordedRefund {
  readonly decision: RefundDecision['kind'];
  readonly refund: Refund;
}

/** More than the longest path of states there is, with somebody else in the way at each step. */
const MAX_WRITES = 6;

/**
 * Applies evidence to a refund, and to its order in the same transaction.
 *
 * @param read the row as it was read before WeChat was asked: if it has changed since, the answer
 * tells only what cannot be otherwise any more.
 */
export async function recordRefundEvidence(
  context: RefundRecordContext,
  read: Refund,
  evidence: RefundEvidence,
): Promise<RecordedRefund> {
  const { table, nowMs, notification } = context;
  let refund = read;
  for (let write = 0; write < MAX_WRITES; write += 1) {
    const asked = { isCurrent: write === 0, nowEpochSeconds: Math.floor(nowMs() / 1000) };
    const decision = decideRefund(refund, evidence, asked);
    if (decision.kind !== 'apply') {
      reportRefusal(context, refund, decision);
      if (decision.kind === 'mismatch') {
        const found = { ...asked, notification: carriedBy(notification, decision) };
        await keepOrRing(context.log, 'RefundMismatch', () =>
          recordRefundMismatch(table, read, decision, found),
        );
      }
      return { decision: decision.kind, refund };
    }
    const { effect, refund: after } = decision;
    const change = { kind: 'apply', from: refund.status, to: after.status } as const;
    const carried = carriedBy(notification, change);
    const by = { effect, notification: carried, nowMs: nowMs() };
    const written = await changeRefund(table, refund, after, by);
    if (written.change === 'written' || written.change === 'above-payment') {
      reportChange(context, refund, written.refund, written.change);
      return { decision: 'apply', refund: written.refund };
    }
    refund = await readAgain(table, refund);
  }
  throw new Error('a refund changed under every attempt to update it');
}

/**
 * Keeps beside a refund that WeChat's own answer is about another one, or about none; any other
 * failure leaves nothing.
 */
export async function recordContradiction(
  { table, log, nowMs, notification }: RefundRecordContext,
  refund: Refund,
  error: unknown,
): Promise<void> {
  if (error instanceof RefundMismatchError) {
    const found = {
      nowEpochSeconds: Math.floor(nowMs() / 1000),
      // What is no answer to our question is answered as malformed.
      notification: carriedBy(notification, { kind: 'mismatch' }, 400),
    };
    await keepOrRing(log, 'RefundMismatch', () =>
      recordRefundMismatch(table, refund, error, found),
    );
  }
}

/** The row as it is now. A refund's row is never deleted. */
export async function readAgain(table: Table, refund: Refund): Promise<Refund> {
  const { refund: fresh } = await readRefund(table, refund);
  if (!fresh) {
    throw new Error(`the row of refund ${refund.outRefundNo} is gone`);
  }
  return fresh;
}

/** Names of a refund in the log. */
export const logFields = ({ outTradeNo, outRefundNo, refundFen, source }: Refund) => ({
  outTradeNo,
  outRefundNo,
  refundFen,
  source,
});

function reportRefusal(
  { log }: RefundRecordContext,
  refund: Refund,
  decision: Exclude<RefundDecision, { kind: 'apply' }>,
): void {
  const fields = logFields(refund);
  switch (decision.kind) {
    case 'duplicate':
      log.info('nothing new about the refund', fields);
      break;
    case 'stale':
      log.warn('an answer about a refund is older than what is known', fields);
      break;
    case 'mismatch': {
      const { field, expected, observed } = decision;
      log.error('WeChat contradicts the refund', { ...fields, field, expected, observed });
      break;
    }
  }
}

function reportChange(
  { log }: RefundRecordContext,
  { status: from }: Pick<Refund, 'status'>,
  refund: Refund,
  change: Change,
): void {
  const fields = { ...logFields(refund), from, to: refund.status, refundId: refund.refundId };
  if (refund.status === 'ABNORMAL') {
    log.error('the money of a refund cannot reach the buyer: a person decides', fields);
  } else {
    log.info('refund changed', fields);
  }
  if (change === 'above-payment') {
    log.error('WeChat refunded more than was paid', fields);
  }
  // Both ways together the buyer has it twice.
  if (refund.status === 'SUCCESS' && refund.abnormalEnd?.to === 'OTHERWISE') {
    log.error('a refund arrived that was paid otherwise as well', fields);
  }
}

/**
 * Records a refund that WeChat knows of an order, whoever asked for it: one that has a row as any
 * other, one that has none as made in the merchant console, with its true amount.
 */
export async function recordFoundRefund(
  context: RefundRecordContext,
  order: Order,
  evidence: RefundEvidence,
): Promise<RecordedRefund> {
  const { table, nowMs } = context;
  const { refund: known } = await readRefund(table, {
    merchantKey: order.merchantKey,
    outTradeNo: order.outTradeNo,
    outRefundNo: evidence.outRefundNo,
  });
  if (known) {
    return recordRefundEvidence(context, known, evidence);
  }
  const refund = consoleRefund(order, evidence, nowMs());
  const mismatch = findRefundMismatch(
    { ...refund, transactionId: String(order.transactionId) },
    evidence,
  );
  if (mismatch) {
    reportRefusal(context, refund, { kind: 'mismatch', ...mismatch });
    const nowEpochSeconds = Math.floor(nowMs() / 1000);
    await keepOrRing(context.log, 'RefundMismatch', () =>
      recordRefundOfOrderMismatch(table, order, evidence, mismatch, { nowEpochSeconds }),
    );
    return { decision: 'mismatch', refund };
  }
  const change = await recordConsoleRefund(table, refund, effectOfConsoleRefund(evidence));
  if (change === 'changed-meanwhile') {
    return recordRefundEvidence(context, await readAgain(table, refund), evidence);
  }
  context.log.info('a refund of the merchant console was found', {
    ...logFields(refund),
    status: refund.status,
  });
  reportChange(context, { status: 'PENDING' }, refund, change);
  return { decision: 'apply', refund };
}

/** The row of a refund that somebody made in the console: as if just accepted. */
function consoleRefund(order: Order, evidence: RefundEvidence, nowMs: number): Refund {
  const nowEpochSeconds = Math.floor(nowMs / 1000);
  const { outRefundNo, refundFen, status, createdAtEpochSeconds = nowEpochSeconds } = evidence;
  // WeChat's own: compared with the order's by whoever calls this.
  const { transactionId } = evidence;
  return {
    ...newRefund({ ...order, transactionId }, { outRefundNo, refundFen, source: 'CONSOLE', nowMs }),
    status,
    round: status === 'ABNORMAL' ? 1 : 0,
    refundId: evidence.refundId,
    createdAtEpochSeconds,
    acceptedAtEpochSeconds: createdAtEpochSeconds,
    mayHaveReached: true,
    succeededAtEpochSeconds: evidence.succeededAtEpochSeconds,
    userReceivedAccount: evidence.userReceivedAccount,
    nextCheckAtEpochSeconds: nextQueryAt(status, 0, nowEpochSeconds),
  };
}

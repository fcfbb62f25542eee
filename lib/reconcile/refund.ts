/** The check of a refund that is due: sent, or WeChat is asked what became of it. */
import { UnreadableRowError } from '../errors.ts';
import { logFields, recordContradiction, recordRefundEvidence } from '../evidence/refund-record.ts';
import { sendInTurn } from '../evidence/refund-send.ts';
import type { Order } from '../order/order.ts';
import { isOverdue, nextQueryAt } from '../refund/pace.ts';
import type { Refund, RefundEvidence } from '../refund/refund.ts';
import { countFailure } from '../runtime/count-failure.ts';
import { describeError } from '../runtime/log.ts';
import { postponeUnread } from '../table/due.ts';
import { recordRefundMismatch } from '../table/mismatches.ts';
import { changeRefund } from '../table/refund-change.ts';
import { keepWhileOpen } from '../table/retention.ts';
import { readRefund, type RefundSituation } from '../table/refunds.ts';
import { type RefundId, refundKey } from '../table/schema.ts';
import { RefundMismatchError } from '../wechatpay/refund-settlement.ts';
import { type CheckContext, epochSecondsOf, limitOf, LONG_PAUSE_SECONDS } from './context.ts';
import { limited } from './limited.ts';
import { endingOf } from './order-refunds.ts';
import type { Ending } from './run.ts';

type Known = RefundSituation & { readonly order: Order; readonly refund: Refund };

/** Checks one refund. Never rejects: a failure is counted, logged and tried again by a later run. */
export async function checkRefund(context: CheckContext, id: RefundId): Promise<Ending> {
  let refund: Refund | undefined;
  try {
    const situation = await readRefund(context.table, id);
    const { order } = situation;
    refund = situation.refund;
    if (order && refund) {
      await keepWhileOpen(context.table, order, epochSecondsOf(context));
    }
    return order && refund
      ? await check({ ...context, wechatPay: limited(context) }, { ...situation, order, refund })
      : 'settledMeanwhile';
  } catch (error) {
    report(context, id, error);
    await postponeQuietly(context, id, refund, error);
    return error instanceof RefundMismatchError ? 'mismatched' : 'failed';
  }
}

async function check(context: CheckContext, situation: Known): Promise<Ending> {
  const { refund } = situation;
  switch (refund.status) {
    case 'PENDING':
      return checkPending(context, situation);
    case 'PROCESSING':
    case 'ABNORMAL':
      return ask(context, refund);
    case 'SUCCESS':
    case 'CLOSED':
      // Whoever ends a refund takes it out of the index as well; this one was changed by hand.
      await postpone(context, refund, undefined);
      return 'settledMeanwhile';
  }
}

/**
 * A refund that WeChat has not accepted, as far as anybody knows. One that may have reached it is
 * asked about before it is sent again.
 */
async function checkPending(context: CheckContext, situation: Known): Promise<Ending> {
  const { refund } = situation;
  const options = limitOf(context, 2);
  if (refund.mayHaveReached) {
    const result = await context.wechatPay(refund).queryRefund(refund, options);
    if (result.kind === 'found') {
      return endingOf((await record(context, refund, result.refund)).refund);
    }
  }
  return endingOf(await sendInTurn(context, situation, refund.mayHaveReached, options));
}

/** A refund that WeChat works on, or cannot bring to the buyer. */
async function ask(context: CheckContext, refund: Refund): Promise<Ending> {
  const { log } = context;
  const now = epochSecondsOf(context);
  const result = await context.wechatPay(refund).queryRefund(refund, limitOf(context, 1));
  if (result.kind === 'not-found') {
    log.error('WeChat does not know a refund that it accepted', logFields(refund));
    log.count('RefundMismatch');
    const lost = { field: 'refundId', expected: String(refund.refundId), observed: '(none)' };
    await recordRefundMismatch(context.table, refund, lost, { nowEpochSeconds: now });
    await postpone(context, refund, now + LONG_PAUSE_SECONDS);
    return 'mismatched';
  }
  const recorded = await record(context, refund, result.refund);
  if (recorded.decision === 'duplicate') {
    await postpone(context, refund, nextQueryAt(refund.status, refund.checks + 1, now));
    remind(context, refund, now);
  }
  return endingOf(recorded.refund);
}

/** What contradicts the refund was told once; here it rings at every look. */
async function record(context: CheckContext, refund: Refund, evidence: RefundEvidence) {
  const recorded = await recordRefundEvidence(context, refund, evidence);
  if (recorded.decision === 'mismatch') {
    context.log.count('RefundMismatch');
  }
  return recorded;
}

/** What nobody but a person brings on rings again at every look. */
function remind({ log }: CheckContext, refund: Refund, nowEpochSeconds: number): void {
  if (refund.status === 'ABNORMAL') {
    log.error('the money of a refund cannot reach the buyer: a person decides', logFields(refund));
    log.count('RefundAbnormal');
  }
  if (isOverdue(refund, nowEpochSeconds)) {
    log.error('WeChat processes a refund for more than three working days', logFields(refund));
    log.count('RefundOverdue');
  }
}

/** Condition: nobody changed the refund meanwhile; whoever did knows better when it is due. */
const postpone = (
  { table, nowMs }: CheckContext,
  refund: Refund,
  nextCheckAtEpochSeconds: number | undefined,
) =>
  changeRefund(
    table,
    refund,
    { ...refund, checks: refund.checks + 1, nextCheckAtEpochSeconds },
    { nowMs: nowMs() },
  );

function report(
  { log }: CheckContext,
  { outTradeNo, outRefundNo }: RefundId,
  error: unknown,
): void {
  log.error('a refund could not be reconciled', {
    outTradeNo,
    outRefundNo,
    ...describeError(error),
  });
  log.count(error instanceof RefundMismatchError ? 'RefundMismatch' : 'ReconcileOrderFailed');
  countFailure(log, error);
}

/** After a failure: without this, a broken refund would be first in line in every run. */
async function postponeQuietly(
  context: CheckContext,
  id: RefundId,
  refund: Refund | undefined,
  error: unknown,
): Promise<void> {
  const now = epochSecondsOf(context);
  const isLong = error instanceof RefundMismatchError;
  try {
    if (refund) {
      await recordContradiction(context, refund, error);
      await postpone(
        context,
        refund,
        isLong ? now + LONG_PAUSE_SECONDS : nextQueryAt(refund.status, refund.checks, now),
      );
    } else if (error instanceof UnreadableRowError) {
      await postponeUnread(context.table, refundKey(id), now, now + LONG_PAUSE_SECONDS);
    }
  } catch {
    // The table itself does not answer; the refund stays due.
  }
}

/** The check of an order that is due: WeChat is asked, and the order repaired or closed. */
import {
  ServiceError,
  UnreadableRowError,
  WechatPayServiceError,
  WechatPayTransportError,
} from '../errors.ts';
import { askAndRecord } from '../evidence/ask.ts';
import { closeAndRecord } from '../evidence/close-order.ts';
import type { Recorded } from '../evidence/record.ts';
import type { OrderId } from '../order/order-id.ts';
import { isOpen, type Order } from '../order/order.ts';
import { afterFailedAttempt, nextCheckAt, planCheck } from '../order/pace.ts';
import { workClassOf } from '../order/work-class.ts';
import { countFailure } from '../runtime/count-failure.ts';
import { describeError } from '../runtime/log.ts';
import { leaveIndex, markChecked, postponeUnread } from '../table/due.ts';
import type { ReadWork } from '../table/due-work.ts';
import { orderFromItem } from '../table/order-row.ts';
import { readOrder } from '../table/orders.ts';
import { orderKey } from '../table/schema.ts';
import { markUnsettled, type UnsettledReason } from '../table/unsettled.ts';
import { type CheckContext, epochSecondsOf, limitOf, LONG_PAUSE_SECONDS } from './context.ts';
import { limited } from './limited.ts';
import { findRefundsOf } from './order-refunds.ts';
import type { Ending } from './run.ts';

/**
 * Checks one order. Never rejects: a failure is counted, logged and tried again by a later run.
 *
 * @param row what was read of it a moment ago; it is read here when nothing was.
 */
export async function checkOrder(
  context: CheckContext,
  id: OrderId,
  row?: ReadWork['row'],
): Promise<Ending> {
  let order: Order | undefined;
  try {
    order = await orderOf(context, id, row);
    return order ? await check(context, order) : 'settledMeanwhile';
  } catch (error) {
    if (order) {
      report(context, id, error);
      return afterFailure(context, order, error);
    }
    return failUnread(context, id, error);
  }
}

async function orderOf({ table }: CheckContext, id: OrderId, row: ReadWork['row']) {
  if (row === undefined) {
    return readOrder(table, id);
  }
  return row === 'none' ? undefined : orderFromItem(row);
}

async function check(context: CheckContext, order: Order): Promise<Ending> {
  const inTime = { ...context, wechatPay: limited(context) };
  switch (planCheck(order, epochSecondsOf(context))) {
    case 'none':
      // Whoever settles an order takes it out of the index as well; this one was changed by hand.
      if (order.nextCheckAtEpochSeconds !== undefined) {
        await leaveIndex(context.table, order);
      }
      return 'settledMeanwhile';
    case 'close':
      return conclude(context, order, await closeAndRecord(inTime, order, limitOf(context, 2)));
    case 'query':
      return conclude(context, order, await askAndRecord(inTime, order, limitOf(context, 1)));
    case 'refunds':
      return findRefundsOf(inTime, order);
  }
}

async function conclude(
  context: CheckContext,
  order: Order,
  recorded: Recorded | undefined,
): Promise<Ending> {
  switch (recorded?.decision.kind) {
    case undefined:
      return notSettled(context, order, { ending: 'stillOpen', reason: 'NOT_CLOSED' });
    case 'apply':
      return recorded.decision.to === 'CLOSED' ? 'closed' : 'paid';
    case 'mismatch':
      // The row has it, and it was told once; here it rings at every look.
      context.log.count('TransactionMismatch');
      await postpone(context, order, { pauseSeconds: LONG_PAUSE_SECONDS });
      return 'mismatched';
    case 'duplicate':
    case 'stale':
    case 'unknown-order':
      return 'settledMeanwhile';
  }
}

/**
 * After an attempt that did not settle the order: the next one, or none.
 *
 * @param reason what the last attempt came to; nothing when nobody knows what WeChat would have said.
 */
async function notSettled(
  context: CheckContext,
  order: Order,
  { ending, reason }: { ending: Ending; reason: UnsettledReason | undefined },
): Promise<Ending> {
  const { table, log } = context;
  const now = epochSecondsOf(context);
  const after = reason === undefined ? 'wait' : afterFailedAttempt(order, now);
  if (reason === undefined || after !== 'give-up') {
    await postpone(context, order, { isUnsettled: after === 'unsettled' });
    return ending;
  }
  const { outTradeNo } = order;
  log.error('an order cannot be settled and is asked about no more', { outTradeNo, reason });
  const outcome = await markUnsettled(table, order, reason, now);
  return outcome === 'written' ? 'unsettled' : 'settledMeanwhile';
}

/** @param how `pauseSeconds` until the next look, in place of the usual pace. */
async function postpone(
  context: CheckContext,
  order: Order,
  { pauseSeconds, isUnsettled = false }: { pauseSeconds?: number; isUnsettled?: boolean } = {},
): Promise<void> {
  const now = epochSecondsOf(context);
  const checks = order.checks + 1;
  await markChecked(context.table, order, now, {
    checks,
    nextCheckAtEpochSeconds:
      pauseSeconds === undefined ? nextCheckAt(order, checks, now) : now + pauseSeconds,
    isUnsettled,
  });
}

function report({ log }: CheckContext, { outTradeNo }: OrderId, error: unknown): void {
  log.error('an order could not be reconciled', { outTradeNo, ...describeError(error) });
  log.count('ReconcileOrderFailed');
  countFailure(log, error);
}

/**
 * After a failure: without a pause, a broken order would be first in line in every run. Only what
 * asking again does not mend can be the end of it.
 */
async function afterFailure(context: CheckContext, order: Order, error: unknown): Promise<Ending> {
  const isLasting =
    isOpen(order) &&
    error instanceof ServiceError &&
    !error.retryable &&
    // What WeChat said is not in doubt then, and may be a payment.
    !(error instanceof UnreadableRowError);
  const reason = isLasting ? error.code : undefined;
  try {
    if (isOpen(order) && wasNotHeard(error)) {
      await askAgainSoon(context, order);
      return 'failed';
    }
    return await notSettled(context, order, { ending: 'failed', reason });
  } catch {
    // The table itself does not answer; the order stays due.
    return 'failed';
  }
}

/** WeChat was too busy to be asked, or was not reached: the order has not had its question. */
const wasNotHeard = (error: unknown) =>
  (error instanceof WechatPayServiceError && error.retryable) ||
  (error instanceof WechatPayTransportError && error.outcome === 'not-sent');

/** At its first pace, as urgent as it was: it may be paid, and must not wait behind later questions. */
async function askAgainSoon({ table, ...clock }: CheckContext, order: Order): Promise<void> {
  const now = epochSecondsOf(clock);
  await markChecked(table, order, now, {
    checks: order.checks,
    nextCheckAtEpochSeconds: nextCheckAt(order, 0, now),
    workClass: workClassOf(order),
  });
}

/**
 * An order whose row could not be had. A damaged one is put off by its keys, and reported by the run
 * that did so; when the table does not answer, the order stays due.
 */
async function failUnread(context: CheckContext, id: OrderId, error: unknown): Promise<Ending> {
  if (error instanceof UnreadableRowError) {
    const now = epochSecondsOf(context);
    try {
      const outcome = await postponeUnread(
        context.table,
        orderKey(id),
        now,
        now + LONG_PAUSE_SECONDS,
      );
      if (outcome === 'refused') {
        return 'settledMeanwhile';
      }
    } catch {
      // Reported all the same.
    }
  }
  report(context, id, error);
  return 'failed';
}

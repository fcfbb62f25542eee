/** The check of an order that is due: WeChat is asked, and the order repaired or closed. */
import { ConfigError } from '../errors.ts';
import { askAndRecord } from '../evidence/ask.ts';
import { type CloseContext, closeAndRecord } from '../evidence/close-order.ts';
import type { Recorded } from '../evidence/record.ts';
import type { OrderId } from '../order/order-id.ts';
import type { Order } from '../order/order.ts';
import { nextCheckAt, planCheck } from '../order/pace.ts';
import { describeError } from '../runtime/log.ts';
import { markChecked } from '../table/due.ts';
import { readOrder } from '../table/orders.ts';
import type { Ending } from './run.ts';

const WECHAT_TIMEOUT_MS = 4_000;
/** A contradicted order waits for a person; its alarm rings once a day until then. */
const MISMATCH_PAUSE_SECONDS = 86_400;

/** Checks one order. Never rejects: a failure is counted, logged and tried again by a later run. */
export async function checkOrder(context: CloseContext, id: OrderId): Promise<Ending> {
  let order: Order | undefined;
  try {
    order = await readOrder(context.table, id);
    return order ? await check(context, order) : 'settledMeanwhile';
  } catch (error) {
    context.log.error('an order could not be reconciled', {
      outTradeNo: id.outTradeNo,
      ...describeError(error),
    });
    context.log.count('ReconcileOrderFailed');
    if (error instanceof ConfigError) {
      context.log.count('ConfigError');
    }
    if (order) {
      await postponeQuietly(context, order);
    }
    return 'failed';
  }
}

async function check(context: CloseContext, order: Order): Promise<Ending> {
  const plan = planCheck(order, epochSeconds(context));
  if (plan === 'none') {
    return 'settledMeanwhile';
  }
  const options = { timeoutMs: WECHAT_TIMEOUT_MS };
  const recorded =
    plan === 'close'
      ? await closeAndRecord(context, order, options)
      : await askAndRecord(context, order, options);
  return conclude(context, order, recorded);
}

async function conclude(
  context: CloseContext,
  order: Order,
  recorded: Recorded | undefined,
): Promise<Ending> {
  switch (recorded?.decision.kind) {
    case undefined:
      await postpone(context, order);
      return 'stillOpen';
    case 'apply':
      return recorded.decision.to === 'CLOSED' ? 'closed' : 'paid';
    case 'mismatch':
      await postpone(context, order, MISMATCH_PAUSE_SECONDS);
      return 'mismatched';
    case 'duplicate':
    case 'stale':
    case 'unknown-order':
      return 'settledMeanwhile';
  }
}

/** @param pauseSeconds until the next look, in place of the usual pace. */
async function postpone(context: CloseContext, order: Order, pauseSeconds?: number): Promise<void> {
  const now = epochSeconds(context);
  const checks = order.checks + 1;
  await markChecked(context.table, order, now, {
    checks,
    nextCheckAtEpochSeconds:
      pauseSeconds === undefined ? nextCheckAt(order, checks, now) : now + pauseSeconds,
  });
}

/** After a failure: without this, a broken order would be first in line in every run. */
async function postponeQuietly(context: CloseContext, order: Order): Promise<void> {
  try {
    await postpone(context, order);
  } catch {
    // The table itself does not answer; the order stays due.
  }
}

const epochSeconds = ({ nowMs }: Pick<CloseContext, 'nowMs'>) => Math.floor(nowMs() / 1000);

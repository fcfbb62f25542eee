/** One run of reconcile: every order that is due is asked about, repaired or closed. */
import { ConfigError } from '../errors.ts';
import { describeError, type Log } from '../runtime/log.ts';
import type { Order } from '../order/order.ts';
import { nextCheckAt, planCheck } from '../order/pace.ts';
import { evidenceOf, settle } from '../evidence/record.ts';
import type { Table } from '../table/client.ts';
import { type DueWork, listDue, markChecked } from '../table/due.ts';
import { readOrder } from '../table/orders.ts';
import { OPEN_ORDER_SHARDS } from '../table/schema.ts';
import type { WechatPayOf } from '../wechatpay/open.ts';
import type { CloseResult, QueryResult } from '../wechatpay/operations.ts';

export interface SweepContext {
  readonly table: Table;
  readonly wechatPay: WechatPayOf<'queryOrder' | 'closeOrder'>;
  readonly log: Log;
  readonly nowMs: () => number;
  readonly remainingMs: () => number;
}

/** What became of the orders of one run. */
export interface SweepSummary {
  due: number;
  paid: number;
  closed: number;
  stillOpen: number;
  /** Settled by somebody else between the index and the read. */
  settledMeanwhile: number;
  mismatched: number;
  failed: number;
  /** Whether the run stopped for lack of time; the next one goes on with what is still due. */
  timeRanOut: boolean;
}

const CONCURRENCY = 16;
const WECHAT_TIMEOUT_MS = 4_000;
/** A contradicted order waits for a person; its alarm rings once a day until then. */
const MISMATCH_PAUSE_SECONDS = 86_400;
/** No order is begun with less time than two calls to WeChat and the writes may take. */
const MARGIN_MS = 12_000;

/**
 * Works through the due orders with bounded concurrency inside the remaining time. One order's
 * failure is counted, logged and retried by a later run; it never stops the others.
 */
export async function sweep(context: SweepContext): Promise<SweepSummary> {
  const summary: SweepSummary = {
    due: 0,
    paid: 0,
    closed: 0,
    stillOpen: 0,
    settledMeanwhile: 0,
    mismatched: 0,
    failed: 0,
    timeRanOut: false,
  };
  const startedAt = epochSeconds(context);
  // Another shard first in each minute, so that none is always the one left over.
  const firstShard = Math.floor(startedAt / 60) % OPEN_ORDER_SHARDS;
  const due = listDue(context.table, startedAt, firstShard);
  const worker = async () => {
    for (;;) {
      if (context.remainingMs() < MARGIN_MS) {
        summary.timeRanOut = true;
        return;
      }
      const next = await due.next();
      if (next.done) {
        return;
      }
      summary.due += 1;
      summary[await checkSafely(context, next.value)] += 1;
    }
  };
  const endings = await Promise.allSettled(Array.from({ length: CONCURRENCY }, worker));
  // Only the index itself can fail here; the orders at hand are done by now.
  const failure = endings.find((ending) => ending.status === 'rejected');
  if (failure) {
    throw failure.reason;
  }
  return summary;
}

type Ending = Exclude<keyof SweepSummary, 'due' | 'timeRanOut'>;

async function checkSafely(context: SweepContext, { id }: DueWork): Promise<Ending> {
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

async function check(context: SweepContext, order: Order): Promise<Ending> {
  const plan = planCheck(order, epochSeconds(context));
  if (plan === 'none') {
    return 'settledMeanwhile';
  }
  const close = plan === 'close' ? await tryClose(context, order) : undefined;
  // Also after a close, whether it worked or not: a payment may have won the race, and only the
  // query can tell.
  const { queryOrder } = context.wechatPay(order);
  const result = await queryOrder(order, { timeoutMs: WECHAT_TIMEOUT_MS });
  const evidence = evidenceOf(result) ?? neverReached(close, result);
  if (!evidence) {
    if (close && 'error' in close) {
      throw close.error;
    }
    await postpone(context, order);
    return 'stillOpen';
  }
  const decision = await settle({ ...context, nowMs: context.nowMs() }, order, evidence);
  switch (decision.kind) {
    case 'apply':
      return decision.to === 'CLOSED' ? 'closed' : 'paid';
    case 'mismatch':
      await postpone(context, order, MISMATCH_PAUSE_SECONDS);
      return 'mismatched';
    case 'duplicate':
    case 'stale':
    case 'unknown-order':
      return 'settledMeanwhile';
  }
}

type Close = { readonly result: CloseResult } | { readonly error: unknown };

async function tryClose({ wechatPay }: SweepContext, order: Order): Promise<Close> {
  const { closeOrder } = wechatPay(order);
  try {
    return { result: await closeOrder(order, { timeoutMs: WECHAT_TIMEOUT_MS }) };
  } catch (error) {
    return { error };
  }
}

/**
 * An expired order that WeChat has never heard of cannot be paid any more: it is closed here. Both
 * answers have to say so (API v3 "closes" numbers that never existed): a query that does not find
 * what the close found paid is a lagging host, and the order is asked about again.
 */
function neverReached(close: Close | undefined, result: QueryResult) {
  const isGone =
    close !== undefined &&
    'result' in close &&
    (close.result === 'not-found' || close.result === 'closed');
  return isGone && result.kind === 'not-found' ? ({ kind: 'closed' } as const) : undefined;
}

/** @param pauseSeconds until the next look, in place of the usual pace. */
async function postpone(
  { table, nowMs }: SweepContext,
  order: Order,
  pauseSeconds?: number,
): Promise<void> {
  const now = Math.floor(nowMs() / 1000);
  const checks = order.checks + 1;
  await markChecked(table, order, now, {
    checks,
    nextCheckAtEpochSeconds:
      pauseSeconds === undefined ? nextCheckAt(order, checks, now) : now + pauseSeconds,
  });
}

/** After a failure: without this, a broken order would be first in line in every run. */
async function postponeQuietly(context: SweepContext, order: Order): Promise<void> {
  try {
    await postpone(context, order);
  } catch {
    // The table itself does not answer; the order stays due.
  }
}

const epochSeconds = ({ nowMs }: Pick<SweepContext, 'nowMs'>) => Math.floor(nowMs() / 1000);

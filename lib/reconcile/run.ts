/** One run of reconcile: everything that is due is checked, whatever its kind. */
import { type DueWork, listDue } from '../table/due.ts';
import type { Table } from '../table/client.ts';
import { OPEN_ORDER_SHARDS } from '../table/schema.ts';
import { LAST_CALL_MS, MARGIN_MS } from './time.ts';

export interface RunContext {
  readonly table: Table;
  readonly nowMs: () => number;
  /** Until Lambda ends the run. */
  readonly remainingMs: () => number;
  /** Called after every few pieces of work: what was counted so far must not be lost with the run. */
  readonly onProgress: () => void;
}

/** What became of the work of one run. */
export interface ReconcileSummary {
  due: number;
  paid: number;
  closed: number;
  stillOpen: number;
  /** Settled by somebody else between the index and the read. */
  settledMeanwhile: number;
  /** Refunds by how they stand now: the buyer has the money, nothing moved, a person decides. */
  refunded: number;
  refundClosed: number;
  refundAbnormal: number;
  mismatched: number;
  failed: number;
  /** Begun and not finished in the time there was; still due, unless it ends by itself. */
  cutOff: number;
  /** Whether the run stopped for lack of time; the next one goes on with what is still due. */
  timeRanOut: boolean;
}

/** How the check of one piece of work ended. */
export type Ending = Exclude<keyof ReconcileSummary, 'due' | 'cutOff' | 'timeRanOut'>;

/**
 * One check for each kind of work. A check never rejects: its failure is an ending, so that it does
 * not stop the others.
 */
export type Checks = {
  readonly [Kind in DueWork['kind']]: (
    id: Extract<DueWork, { readonly kind: Kind }>['id'],
  ) => Promise<Ending>;
};

const CONCURRENCY = 16;
/** A killed run loses the counts of at most so many pieces of work. */
const PROGRESS_STEP = 8;

/**
 * Works through what is due with bounded concurrency inside the remaining time. It ends before
 * Lambda does, whatever hangs.
 */
export async function runReconcile(context: RunContext, checks: Checks): Promise<ReconcileSummary> {
  const summary = emptySummary();
  const running = Promise.allSettled(startWorkers(context, checks, summary));
  const endings = await beforeLastCall(context, running);
  if (endings === 'cut off') {
    const finished = ENDINGS.reduce((sum, ending) => sum + summary[ending], 0);
    // A copy: what still hangs goes on counting in the other one.
    return { ...summary, cutOff: summary.due - finished, timeRanOut: true };
  }
  // Only the index itself can fail here; the work at hand is done by now.
  const failure = endings.find((ending) => ending.status === 'rejected');
  if (failure) {
    throw failure.reason;
  }
  return summary;
}

const checkOne = (checks: Checks, work: DueWork): Promise<Ending> =>
  work.kind === 'order' ? checks.order(work.id) : checks.refund(work.id);

function startWorkers(
  { table, nowMs, remainingMs, onProgress }: RunContext,
  checks: Checks,
  summary: ReconcileSummary,
): Promise<void>[] {
  const startedAt = Math.floor(nowMs() / 1000);
  // Another shard first in each minute, so that none is always the one left over.
  const firstShard = Math.floor(startedAt / 60) % OPEN_ORDER_SHARDS;
  const due = listDue(table, startedAt, firstShard);
  let finished = 0;
  const worker = async () => {
    for (;;) {
      if (remainingMs() < MARGIN_MS) {
        summary.timeRanOut = true;
        return;
      }
      const next = await due.next();
      if (next.done) {
        return;
      }
      summary.due += 1;
      summary[await checkOne(checks, next.value)] += 1;
      finished += 1;
      if (finished % PROGRESS_STEP === 0) {
        onProgress();
      }
    }
  };
  return Array.from({ length: CONCURRENCY }, worker);
}

/** What comes of the work, unless Lambda is about to end the run first. */
async function beforeLastCall<T>(
  { table, remainingMs }: RunContext,
  work: Promise<T>,
): Promise<T | 'cut off'> {
  const lastCall = Promise.withResolvers<'cut off'>();
  const delayMs = Math.max(0, remainingMs() - LAST_CALL_MS);
  const stopTimer = table.startTimer(delayMs, () => lastCall.resolve('cut off'));
  try {
    return await Promise.race([work, lastCall.promise]);
  } finally {
    stopTimer();
  }
}

const ENDINGS = [
  'paid',
  'closed',
  'stillOpen',
  'settledMeanwhile',
  'refunded',
  'refundClosed',
  'refundAbnormal',
  'mismatched',
  'failed',
] as const satisfies readonly Ending[];

const emptySummary = (): ReconcileSummary => ({
  due: 0,
  paid: 0,
  closed: 0,
  stillOpen: 0,
  settledMeanwhile: 0,
  refunded: 0,
  refundClosed: 0,
  refundAbnormal: 0,
  mismatched: 0,
  failed: 0,
  cutOff: 0,
  timeRanOut: false,
});

/** One run of reconcile: everything that is due is checked, whatever its kind. */
import { type DueWork, listDue } from '../table/due.ts';
import type { Table } from '../table/client.ts';
import { OPEN_ORDER_SHARDS } from '../table/schema.ts';

export interface RunContext {
  readonly table: Table;
  readonly nowMs: () => number;
  /** Until Lambda ends the run. */
  readonly remainingMs: () => number;
}

/** What became of the work of one run. */
export interface ReconcileSummary {
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

/** How the check of one piece of work ended. */
export type Ending = Exclude<keyof ReconcileSummary, 'due' | 'timeRanOut'>;

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
/** Nothing is begun with less time than two calls to WeChat and the writes may take. */
const MARGIN_MS = 12_000;

/** Works through what is due with bounded concurrency inside the remaining time. */
export async function runReconcile(context: RunContext, checks: Checks): Promise<ReconcileSummary> {
  const summary = emptySummary();
  const startedAt = Math.floor(context.nowMs() / 1000);
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
      const { kind, id } = next.value;
      summary.due += 1;
      summary[await checks[kind](id)] += 1;
    }
  };
  const endings = await Promise.allSettled(Array.from({ length: CONCURRENCY }, worker));
  // Only the index itself can fail here; the work at hand is done by now.
  const failure = endings.find((ending) => ending.status === 'rejected');
  if (failure) {
    throw failure.reason;
  }
  return summary;
}

const emptySummary = (): ReconcileSummary => ({
  due: 0,
  paid: 0,
  closed: 0,
  stillOpen: 0,
  settledMeanwhile: 0,
  mismatched: 0,
  failed: 0,
  timeRanOut: false,
});

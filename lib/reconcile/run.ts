/** One run of reconcile: everything that is due is checked, whatever its kind, the most urgent first. */
import { ALL_SHARDS, type DueWork, measureBacklog, type ReadWork } from '../table/due-work.ts';
import type { Table } from '../table/client.ts';
import { openFeed } from './feed.ts';
import type { Patience } from './patience.ts';
import { openSlots } from './slots.ts';
import { LAST_CALL_MS, MARGIN_MS } from './time.ts';

export interface RunContext {
  readonly table: Table;
  readonly nowMs: () => number;
  /** Until Lambda ends the run. */
  readonly remainingMs: () => number;
  /** Which shards of the index are this run's; all of them, unless several runs share the work. */
  readonly shards?: readonly number[] | undefined;
  /** What this run learns of WeChat; its checks count their calls there. */
  readonly patience: Patience;
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
  /** Given up: a person has to settle them. */
  unsettled: number;
  failed: number;
  /** Begun and not finished in the time there was; still due, unless it ends by itself. */
  cutOff: number;
  /** Whether the run stopped for lack of time; the next one goes on with what is still due. */
  timeRanOut: boolean;
  /** Whether WeChat answered nothing at all, of 64 calls or more. */
  wechatSilent: boolean;
  /** What is still due at the end, as far as it was counted: 100 a shard and class at most. */
  backlog: number;
  /** For how long the oldest of it has been due. */
  oldestDueSeconds: number;
}

/** How the check of one piece of work ended. */
export type Ending = (typeof ENDINGS)[number];

/**
 * One check for each kind of work. A check never rejects: its failure is an ending, so that it does
 * not stop the others. That of an order gets its row, where it was read with others.
 */
export interface Checks {
  readonly order: (
    id: Extract<DueWork, { kind: 'order' }>['id'],
    row?: ReadWork['row'],
  ) => Promise<Ending>;
  readonly refund: (id: Extract<DueWork, { kind: 'refund' }>['id']) => Promise<Ending>;
}

/** A killed run loses the counts of at most so many pieces of work. */
const PROGRESS_STEP = 8;

/**
 * Works through what is due with bounded concurrency inside the remaining time, and through what
 * becomes due meanwhile. It ends before Lambda does, whatever hangs, and says what it leaves.
 */
export async function runReconcile(context: RunContext, checks: Checks): Promise<ReconcileSummary> {
  const summary = emptySummary();
  const work = workThrough(context, checks, summary);
  if ((await beforeLastCall(context, work)) === 'cut off') {
    const finished = ENDINGS.reduce((sum, ending) => sum + summary[ending], 0);
    // A copy: what still hangs goes on counting in the other one.
    return { ...summary, cutOff: summary.due - finished, timeRanOut: true };
  }
  summary.wechatSilent = context.patience.isSilent();
  return summary.timeRanOut || summary.wechatSilent
    ? { ...summary, ...(await leftOver(context)) }
    : summary;
}

const checkOne = (checks: Checks, work: ReadWork): Promise<Ending> =>
  work.kind === 'order' ? checks.order(work.id, work.row) : checks.refund(work.id);

/** @throws what the index itself fails with, once the work at hand is done. */
async function workThrough(
  context: RunContext,
  checks: Checks,
  summary: ReconcileSummary,
): Promise<void> {
  const { table, nowMs, remainingMs, patience, onProgress, shards = ALL_SHARDS } = context;
  const feed = openFeed({ table, shards, nowMs, isImpatient: () => patience.isShort() });
  const slots = openSlots(table, patience);
  let finished = 0;
  const checkAndCount = async (work: ReadWork) => {
    summary[await checkOne(checks, work)] += 1;
    finished += 1;
    if (finished % PROGRESS_STEP === 0) {
      onProgress();
    }
  };
  try {
    for (;;) {
      await slots.free();
      if (remainingMs() < MARGIN_MS) {
        summary.timeRanOut = true;
        return;
      }
      if (patience.isOver()) {
        return;
      }
      const work = await feed.next();
      if (work) {
        summary.due += 1;
        slots.take(checkAndCount(work));
      } else if (
        (await slots.oneDone()) === 'none' &&
        (await pause(context, feed.pauseMs())) === 'over'
      ) {
        return;
      }
    }
  } finally {
    await slots.allDone();
  }
}

/** Waits for more to become due, unless there is no reason to, or no time. */
async function pause(
  { table, remainingMs }: RunContext,
  pauseMs: number | undefined,
): Promise<'waited' | 'over'> {
  if (pauseMs === undefined || remainingMs() - pauseMs < MARGIN_MS) {
    return 'over';
  }
  await new Promise<void>((resolve) => {
    table.startTimer(pauseMs, resolve);
  });
  return 'waited';
}

/** What is due at the end of a run; nothing of it when the table does not say. */
async function leftOver({ table, nowMs, shards }: RunContext) {
  const now = Math.floor(nowMs() / 1000);
  try {
    const { count, oldestDueAt } = await measureBacklog(table, now, shards);
    const oldestDueSeconds =
      oldestDueAt === undefined ? 0 : Math.max(0, now - Date.parse(oldestDueAt) / 1000);
    return { backlog: count, oldestDueSeconds };
  } catch {
    return {};
  }
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
  'unsettled',
  'failed',
] as const satisfies readonly (keyof ReconcileSummary)[];

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
  unsettled: 0,
  failed: 0,
  cutOff: 0,
  timeRanOut: false,
  wechatSilent: false,
  backlog: 0,
  oldestDueSeconds: 0,
});

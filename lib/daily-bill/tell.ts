/** Writes what a comparison finds while it finds it: differences, repairs, and what crosses midnight. */
import { compareSides, type Crossing, crossingName, type Finding } from '../bill/compare.ts';
import type { HereEntry, ThereEntry } from '../bill/entries.ts';
import { listCrossings, putCrossing, removeCrossing } from '../table/bill-crossings.ts';
import { keepDifference } from '../table/bill-differences.ts';
import { type BillContext, epochSecondsOf, type Run } from './context.ts';
import { dayAfter } from './day.ts';
import type { Side } from './gather.ts';
import { differenceOf, judgeFinding } from './judge.ts';

/** Beyond these, differences are found and not looked into: something else is wrong. */
const MAX_JUDGED = 2_000;
/** With less time than this, too: what is found must still be written. */
const MIN_LEFT_MS = 180_000;

/** Both sides of a day, on disk. */
export interface Sides {
  readonly here: Side<HereEntry>;
  readonly there: Side<ThereEntry>;
}

/** What came of a comparison. */
export interface Counted {
  differences: number;
  repaired: number;
  foreign: number;
  carriedOver: number;
  appeared: number;
}

/** Compares everything, and writes what comes of it while it comes. */
export async function tellAll(
  context: BillContext,
  run: Run,
  sides: Sides,
  sha1: string | undefined,
): Promise<Counted> {
  const { table } = context;
  const { date } = run;
  const counted: Counted = { differences: 0, repaired: 0, foreign: 0, carriedOver: 0, appeared: 0 };
  const neighbours = {
    seen: await listCrossings(table, date, 'SEEN'),
    carried: await listCrossings(table, dayAfter(date, -1), 'CARRIED'),
  };
  const carriedBefore = new Set(await listCrossings(table, date, 'CARRIED'));
  for (const subject of ['payment', 'refund'] as const) {
    const pair = { here: sides.here[subject], there: sides.there[subject] };
    for await (const found of compareSides(subject, pair, neighbours)) {
      if (isCrossing(found)) {
        carriedBefore.delete(crossingName(found.subject, found.key));
        await tellCrossing(context, run, found, counted);
      } else {
        await tellFinding(context, run, found, sha1, counted);
      }
    }
  }
  // In the bill by now, which was corrected.
  for (const name of carriedBefore) {
    await removeCrossing(table, date, 'CARRIED', name);
  }
  return counted;
}

const isCrossing = (found: Finding | Crossing): found is Crossing =>
  found.kind === 'carried' || found.kind === 'early' || found.kind === 'arrived';

async function tellCrossing(
  { table }: BillContext,
  { date }: Run,
  { kind, subject, key }: Crossing,
  counted: Counted,
): Promise<void> {
  const name = crossingName(subject, key);
  counted.carriedOver += 1;
  switch (kind) {
    case 'carried':
      await putCrossing(table, date, 'CARRIED', name, date);
      break;
    case 'early':
      await putCrossing(table, dayAfter(date), 'SEEN', name, date);
      break;
    case 'arrived':
      // First what keeps it from being carried again.
      await putCrossing(table, dayAfter(date, -1), 'SEEN', name, date);
      await removeCrossing(table, dayAfter(date, -1), 'CARRIED', name);
      break;
  }
}

async function tellFinding(
  context: BillContext,
  { date, runId }: Run,
  finding: Finding,
  sha1: string | undefined,
  counted: Counted,
): Promise<void> {
  const { table } = context;
  const isJudged =
    counted.differences + counted.repaired < MAX_JUDGED && context.remainingMs() > MIN_LEFT_MS;
  const judgement = isJudged
    ? await judgeFinding(context, finding, sha1)
    : ({ kind: 'difference', difference: differenceOf(finding, sha1) } as const);
  switch (judgement.kind) {
    case 'foreign':
      counted.foreign += 1;
      return;
    case 'elsewhere':
      counted.carriedOver += 1;
      await putCrossing(
        table,
        judgement.date,
        'SEEN',
        crossingName(finding.subject, finding.key),
        date,
      );
      return;
    case 'repaired':
    case 'difference': {
      const repair = judgement.kind === 'repaired' ? judgement.repair : undefined;
      counted[repair === undefined ? 'differences' : 'repaired'] += 1;
      const at = { date, runId, nowEpochSeconds: epochSecondsOf(context) };
      const kept = await keepDifference(table, at, judgement.difference, repair);
      counted.appeared += kept === 'new' && repair === undefined ? 1 : 0;
    }
  }
}

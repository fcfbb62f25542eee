/** Writes what a comparison finds while it finds it: differences, repairs, and what crosses midnight. */
import {
  compareSides,
  type Crossing,
  crossingName,
  type Finding,
  ofSubject,
} from '../bill/compare.ts';
import type { HereEntry, ThereEntry } from '../bill/entries.ts';
import { listCarried, putCarried, putFound, removeCarried } from '../table/bill-crossings.ts';
import { keepDifference } from '../table/bill-differences.ts';
import { readBillDay } from '../table/bills.ts';
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
  const telling: Telling = {
    context,
    run,
    sha1,
    counted,
    carriedBefore: new Set(await listCarried(table, date)),
    isNextChecked: (await readBillDay(table, dayAfter(date)))?.checked !== undefined,
  };
  const arriving = await listCarried(table, dayAfter(date, -1));
  for (const subject of ['payment', 'refund'] as const) {
    const pair = { here: sides.here[subject], there: sides.there[subject] };
    for await (const found of compareSides(subject, pair, arriving)) {
      await (isCrossing(found) ? tellCrossing(telling, found) : tellFinding(telling, found));
    }
  }
  // In the bill by now, which was corrected.
  for (const name of telling.carriedBefore) {
    await removeCarried(table, date, name);
  }
  return counted;
}

interface Telling {
  readonly context: BillContext;
  readonly run: Run;
  readonly sha1: string | undefined;
  readonly counted: Counted;
  /** What an earlier run of this day carried over, and this one has not come to yet. */
  readonly carriedBefore: Set<string>;
  readonly isNextChecked: boolean;
}

const isCrossing = (found: Finding | Crossing): found is Crossing =>
  found.kind === 'carried' || found.kind === 'found';

async function tellCrossing(telling: Telling, { kind, subject, key, here }: Crossing) {
  const { context, run, counted, carriedBefore, isNextChecked } = telling;
  const name = crossingName(subject, key);
  if (kind === 'carried' && !carriedBefore.delete(name) && isNextChecked) {
    // The next day's run is over, and did not wait for it.
    await tellFinding(telling, { kind: ofSubject(subject, 'MISSING_THERE'), subject, key, here });
    return;
  }
  counted.carriedOver += 1;
  await (kind === 'carried'
    ? putCarried(context.table, run.date, name)
    : putFound(context.table, name, momentOf(telling)));
}

const momentOf = ({ context, run }: Telling) => ({
  ...run,
  nowEpochSeconds: epochSecondsOf(context),
});

async function tellFinding(telling: Telling, finding: Finding): Promise<void> {
  const { context, run, sha1, counted } = telling;
  const { table } = context;
  const isJudged =
    counted.differences + counted.repaired < MAX_JUDGED && context.remainingMs() > MIN_LEFT_MS;
  const judgement = isJudged
    ? await judgeFinding(context, run.date, finding, sha1)
    : ({ kind: 'difference', difference: differenceOf(finding, sha1) } as const);
  if (judgement.kind === 'foreign') {
    counted.foreign += 1;
    return;
  }
  const at = momentOf(telling);
  if (isJudged && finding.kind.endsWith('MISSING_HERE')) {
    // On whatever day it is here, or comes to be: a refund of the console counts from its finding.
    await putFound(table, crossingName(finding.subject, finding.key), at);
  }
  if (judgement.kind === 'elsewhere') {
    counted.carriedOver += 1;
    return;
  }
  const repair = judgement.kind === 'repaired' ? judgement.repair : undefined;
  counted[repair === undefined ? 'differences' : 'repaired'] += 1;
  const kept = await keepDifference(table, at, judgement.difference, repair);
  counted.appeared += kept === 'new' && repair === undefined ? 1 : 0;
}

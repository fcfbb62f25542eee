/** What a run answers, and what a day shows. */
import type { TableConnection } from '../table/client.ts';
import type { StoredDifference } from '../table/bill-difference-row.ts';
import { listDifferences } from '../table/bill-differences.ts';
import { readBillDay } from '../table/bills.ts';

/** A difference as it is shown; amounts in fen. */
export type ShownDifference = Omit<StoredDifference, 'subject' | 'key' | 'runId' | 'repair'> & {
  readonly repair?: string | undefined;
};

/** The answer about a day. Amounts in fen. */
export interface BillAnswer {
  readonly date: string;
  readonly state: 'BALANCED' | 'DIFFERENCES' | 'NOT_READY' | 'EMPTY';
  /** Why it is not ready. */
  readonly reason?: string | undefined;
  readonly checkedAt?: string | undefined;
  readonly sha1?: string | undefined;
  readonly payments: { readonly count: number; readonly totalFen: number };
  readonly refunds: { readonly count: number; readonly totalFen: number };
  readonly feesFen: number;
  /** What payments were charged by, as `0.60%`; on a day without any, the last that were. */
  readonly rates?: readonly string[];
  /** Those of them that are new since the day before. */
  readonly newRates?: readonly string[];
  /** Of a provider: whose bill it is. */
  readonly subMchid?: string | undefined;
  readonly carriedOver: number;
  readonly foreign: number;
  readonly repaired: readonly ShownDifference[];
  readonly differences: readonly ShownDifference[];
  /** Of all differences; `differences` has the first 100. */
  readonly differenceCount: number;
  /** Against the bill that this one replaced. */
  readonly changed: { readonly appeared: number; readonly gone: number };
  /** Every difference and repair, where that was asked for. */
  readonly csv?: string;
}

/** How many differences an answer holds; the rest are rows. */
const MAX_SHOWN = 100;

const NONE = { count: 0, totalFen: 0 };

/** Nothing was compared; the day's last result, if there is one, stays. */
export const notReady = (date: string, reason: string): BillAnswer => ({
  date,
  state: 'NOT_READY',
  reason,
  payments: NONE,
  refunds: NONE,
  feesFen: 0,
  carriedOver: 0,
  foreign: 0,
  repaired: [],
  differences: [],
  differenceCount: 0,
  changed: { appeared: 0, gone: 0 },
});

/** What the run that ended last came to. */
export async function readOutcome(table: TableConnection, date: string): Promise<BillAnswer> {
  const day = await readBillDay(table, date);
  return day?.reason === undefined ? readAnswer(table, date) : notReady(date, day.reason);
}

/** The last result of a day, from its rows. */
export async function readAnswer(table: TableConnection, date: string): Promise<BillAnswer> {
  const day = await readBillDay(table, date);
  const checked = day?.checked;
  if (!checked) {
    return notReady(date, day?.reason ?? 'the bill was not checked yet');
  }
  const shown = await showDifferences(table, date, checked.runId);
  return {
    date,
    state: checked.state,
    checkedAt: checked.checkedAt,
    sha1: checked.sha1,
    payments: { count: checked.paymentCount, totalFen: checked.paymentFen },
    refunds: { count: checked.refundCount, totalFen: checked.refundFen },
    feesFen: checked.feeMilliFen / 1_000,
    rates: checked.rates.map(percentOf),
    newRates: checked.newRates.map(percentOf),
    subMchid: checked.subMchid,
    carriedOver: checked.carriedOver,
    foreign: checked.foreign,
    ...shown,
    differenceCount: checked.differenceCount,
    changed: { appeared: checked.appeared, gone: checked.gone },
  };
}

/** `0.60%`, as bills write it. */
const percentOf = (millionths: number) => `${(millionths / 10_000).toFixed(2)}%`;

async function showDifferences(table: TableConnection, date: string, runId: string) {
  const repaired: ShownDifference[] = [];
  const differences: ShownDifference[] = [];
  for await (const stored of listDifferences(table, date)) {
    const list = stored.state === 'RESOLVED' ? repaired : differences;
    if (stored.runId === runId && list.length < MAX_SHOWN) {
      list.push(show(stored));
    }
    if (repaired.length === MAX_SHOWN && differences.length === MAX_SHOWN) {
      break;
    }
  }
  return { repaired, differences };
}

/** Without what only rows need. */
const show = ({
  subject: _subject,
  key: _key,
  runId: _runId,
  ...shown
}: StoredDifference): ShownDifference => shown;

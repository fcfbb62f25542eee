/**
 * The daily bill's row of a day; `bill-lease.ts` says whose turn it is to check it. Rows of a day: `BILL#<day>`,
 * `BILL`; beside it what does not agree (`bill-differences.ts`) and what is a day off
 * (`bill-crossings.ts`). They are written under the lease alone, so no two runs mix.
 */
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import {
  countOf,
  type Item,
  keyOf,
  number,
  numberOf,
  oneOf,
  optionalStringOf,
  readRow,
  stringOf,
  text,
  time,
} from './attributes.ts';
import type { Table, TableConnection } from './client.ts';
import { appendFacts, fact } from './facts.ts';
import type { RowKey } from './schema.ts';
import { tryUpdate } from './update.ts';

/** Partition of everything about the bill of a day. */
export const billPartition = (date: string) => `BILL#${date}`;

/** The day's own row. */
export const billKey = (date: string): RowKey => ({ PK: billPartition(date), SK: 'BILL' });

const STATES = ['BALANCED', 'DIFFERENCES', 'EMPTY'] as const;

/** What came of comparing a day. Amounts in fen, fees in thousandths of it. */
export interface CheckedBill {
  readonly state: (typeof STATES)[number];
  /** Of the bill's text; nothing when WeChat has none because nothing was sold. */
  readonly sha1?: string | undefined;
  readonly paymentCount: number;
  readonly paymentFen: number;
  readonly refundCount: number;
  readonly refundFen: number;
  readonly feeMilliFen: number;
  /** Rates of the payments in millionths; those of the last day that had any, where this one has none. */
  readonly rates: readonly number[];
  /** Those of them that the day before did not have. */
  readonly newRates: readonly number[];
  /** Whose bill it is, where a provider asked for one sub-merchant's. */
  readonly subMchid?: string | undefined;
  readonly carriedOver: number;
  readonly foreign: number;
  readonly differenceCount: number;
  readonly repairedCount: number;
  /** Against the bill that this one replaced. */
  readonly appeared: number;
  readonly gone: number;
}

/** A day's row. */
export interface BillDay {
  /** Of the last run that came to a result; nothing before there is one. */
  readonly checked?:
    | (CheckedBill & { readonly runId: string; readonly checkedAt: string })
    | undefined;
  /** Until when a run holds the lease; in the past when none does. */
  readonly leaseUntilMs: number;
  /** The run that holds or held it. */
  readonly runId?: string | undefined;
  /** Why the last run came to no result. */
  readonly reason?: string | undefined;
}

export async function readBillDay(
  table: TableConnection,
  date: string,
): Promise<BillDay | undefined> {
  const { Item: item } = await table.client.send(
    new GetItemCommand({
      TableName: table.tableName,
      Key: keyOf(billKey(date)),
      ConsistentRead: true,
    }),
  );
  return item && readRow(item, () => dayFrom(item));
}

function dayFrom(item: Item): BillDay {
  return {
    checked: item['state'] && checkedFrom(item),
    leaseUntilMs: numberOf(item, 'leaseUntilMs'),
    runId: optionalStringOf(item, 'runId'),
    reason: optionalStringOf(item, 'reason'),
  };
}

const COUNTS = [
  'paymentCount',
  'paymentFen',
  'refundCount',
  'refundFen',
  'carriedOver',
  'foreign',
  'differenceCount',
  'repairedCount',
  'appeared',
  'gone',
] as const satisfies readonly (keyof CheckedBill)[];

type Counts = Record<(typeof COUNTS)[number], number>;

/** Numbers between blanks; a row of before has none. */
const ratesIn = (item: Item, name: string) =>
  (optionalStringOf(item, name) ?? '').split(' ').filter(Boolean).map(Number);

function checkedFrom(item: Item) {
  const counts = Object.fromEntries(COUNTS.map((name) => [name, countOf(item, name)])) as Counts;
  return {
    ...counts,
    state: oneOf(item, 'state', STATES),
    sha1: optionalStringOf(item, 'sha1'),
    rates: ratesIn(item, 'rates'),
    newRates: ratesIn(item, 'newRates'),
    subMchid: optionalStringOf(item, 'subMchid'),
    feeMilliFen: numberOf(item, 'feeMilliFen'),
    runId: stringOf(item, 'checkedBy'),
    checkedAt: stringOf(item, 'checkedAt'),
  };
}

/**
 * Ends a run with its result, which replaces the one before; a result that is the same is told no
 * second time. Condition: the run still has the lease, so nobody else has written since.
 */
export async function endWithResult(
  table: Table,
  date: string,
  run: { readonly runId: string; readonly nowEpochSeconds: number },
  checked: CheckedBill,
  before: CheckedBill | undefined,
): Promise<'written' | 'lost'> {
  const told = tellable(checked);
  const isNew = !before || !isSame(tellable(before), told);
  const { sha1, ...numbers } = told;
  const values: Item = {
    ...Object.fromEntries(
      Object.entries(numbers).map(([name, value]) => [
        name,
        typeof value === 'number' ? number(value) : text(value),
      ]),
    ),
    ...(sha1 !== undefined && { sha1: text(sha1) }),
  };
  const facts = appendFacts(isNew ? [fact('CHECKED', run.nowEpochSeconds, values)] : []);
  const all: Item = {
    ...values,
    rates: text(checked.rates.join(' ')),
    newRates: text(checked.newRates.join(' ')),
    ...(checked.subMchid !== undefined && { subMchid: text(checked.subMchid) }),
    appeared: number(checked.appeared),
    gone: number(checked.gone),
    checkedBy: text(run.runId),
    checkedAt: time(run.nowEpochSeconds),
  };
  const names = Object.keys(all);
  const outcome = await tryUpdate(table, billKey(date), {
    UpdateExpression: `SET ${[
      ...names.map((name) => `#${name} = :${name}`),
      'leaseUntilMs = :over',
      '#date = :date',
      ...facts.sets,
    ].join(', ')} REMOVE reason${sha1 === undefined ? ', sha1' : ''}`,
    ConditionExpression: 'runId = :run AND leaseUntilMs > :over',
    ExpressionAttributeNames: {
      '#date': 'date',
      ...Object.fromEntries(names.map((name) => [`#${name}`, name])),
    },
    ExpressionAttributeValues: {
      ...Object.fromEntries(names.map((name) => [`:${name}`, all[name] ?? { NULL: true }])),
      ':over': number(0),
      ':date': text(date),
      ':run': text(run.runId),
      ...facts.values,
    },
  });
  return outcome === 'written' ? 'written' : 'lost';
}

/** The same bill has the same result, though a second run finds nothing left to repair. */
const isSame = (one: ReturnType<typeof tellable>, other: typeof one) =>
  JSON.stringify({ ...one, repairedCount: 0 }) === JSON.stringify({ ...other, repairedCount: 0 });

/** What is told of a result; how it differs from another bill's is not of this one. */
const tellable = (checked: CheckedBill) => ({
  state: checked.state,
  sha1: checked.sha1,
  paymentCount: checked.paymentCount,
  paymentFen: checked.paymentFen,
  refundCount: checked.refundCount,
  refundFen: checked.refundFen,
  feeMilliFen: checked.feeMilliFen,
  carriedOver: checked.carriedOver,
  foreign: checked.foreign,
  differenceCount: checked.differenceCount,
  repairedCount: checked.repairedCount,
});

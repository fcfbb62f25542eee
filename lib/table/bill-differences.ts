/** What does not agree with the bill of a day: a row each, beside the day's. */
import { QueryCommand, type QueryCommandOutput } from '@aws-sdk/client-dynamodb';
import { type Item, readRow, stringOf, text, texts, time } from './attributes.ts';
import {
  type Difference,
  DIFFERENCE_PREFIX,
  differenceFrom,
  differenceKey,
  type DifferenceName,
  type Repair,
  type StoredDifference,
  valuesOf,
} from './bill-difference-row.ts';
import { billPartition } from './bills.ts';
import type { Table, TableConnection } from './client.ts';
import { appendFacts, fact } from './facts.ts';
import { tryUpdate, type Update } from './update.ts';

interface Run {
  readonly date: string;
  readonly runId: string;
  readonly nowEpochSeconds: number;
}

/**
 * Keeps a difference that a run has found, open; or that it was repaired, and then nobody is told. A
 * row that is there keeps what a person has said of it, and is told of no second time.
 *
 * @param repair how it was repaired, if it was.
 */
export async function keepDifference(
  table: Table,
  run: Run,
  difference: Difference,
  repair?: Repair,
): Promise<'new' | 'known'> {
  const key = differenceKey(run.date, difference);
  let before: Item | undefined;
  for (let write = 0; write < MAX_WRITES; write += 1) {
    const outcome = await tryUpdate(table, key, keeping(run, difference, repair, before));
    if (outcome === 'written') {
      return before ? 'known' : 'new';
    }
    before = outcome.item;
  }
  throw new Error('a difference changed under every attempt to keep it');
}

/** A person may explain it at the same moment, once. */
const MAX_WRITES = 4;

/** Condition: the row is as it was read, or not there. */
function keeping(
  { date, runId, nowEpochSeconds }: Run,
  difference: Difference,
  repair: Repair | undefined,
  before: Item | undefined,
): Update {
  const isExplained = before?.['state']?.S === 'EXPLAINED';
  const state = repair !== undefined ? 'RESOLVED' : isExplained ? 'EXPLAINED' : 'OPEN';
  const isTold = repair === undefined && before?.['facts'] === undefined;
  const facts = appendFacts(
    isTold ? [fact('DIFFERENCE', nowEpochSeconds, valuesOf(difference))] : [],
  );
  const values: Item = {
    ...valuesOf(difference),
    ...texts({ date, runId, state }),
    ...(repair !== undefined && { repair: text(repair) }),
    ...(!before && { foundAt: time(nowEpochSeconds) }),
  };
  const names = Object.keys(values);
  return {
    UpdateExpression: `SET ${[...names.map((name) => `#${name} = :${name}`), ...facts.sets].join(', ')}`,
    ConditionExpression: before ? '#state = :before' : 'attribute_not_exists(PK)',
    ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
    ExpressionAttributeValues: {
      ...Object.fromEntries(Object.entries(values).map(([name, value]) => [`:${name}`, value])),
      ...facts.values,
      ...(before && { ':before': text(stringOf(before, 'state')) }),
    },
  };
}

/**
 * Ends what an earlier run found and this one did not, because the bill was corrected or the table
 * was: nobody has to look any more.
 *
 * @returns how many.
 */
export async function resolveGone(table: Table, { date, runId }: Run): Promise<number> {
  let gone = 0;
  for await (const { PK, SK, ...item } of rowsOf(table, date)) {
    if (item['state']?.S === 'OPEN' && item['runId']?.S !== runId && PK?.S && SK?.S) {
      const outcome = await tryUpdate(
        table,
        { PK: PK.S, SK: SK.S },
        {
          UpdateExpression: 'SET #state = :resolved',
          ConditionExpression: '#state = :open',
          ExpressionAttributeNames: { '#state': 'state' },
          ExpressionAttributeValues: { ':resolved': text('RESOLVED'), ':open': text('OPEN') },
        },
      );
      gone += outcome === 'written' ? 1 : 0;
    }
  }
  return gone;
}

/**
 * Explains a difference with a note. Condition: it is there and open, or explained already.
 */
export async function explainDifference(
  table: Table,
  date: string,
  difference: DifferenceName,
  note: string,
): Promise<'explained' | 'not-open'> {
  const outcome = await tryUpdate(table, differenceKey(date, difference), {
    UpdateExpression: 'SET #state = :explained, note = :note',
    ConditionExpression: '#state IN (:open, :explained)',
    ExpressionAttributeNames: { '#state': 'state' },
    ExpressionAttributeValues: {
      ':explained': text('EXPLAINED'),
      ':open': text('OPEN'),
      ':note': text(note),
    },
  });
  return outcome === 'written' ? 'explained' : 'not-open';
}

/** Every difference of a day, whatever its state, in the order of kinds and numbers. */
export async function* listDifferences(
  table: TableConnection,
  date: string,
): AsyncGenerator<StoredDifference> {
  for await (const item of rowsOf(table, date)) {
    yield readRow(item, () => differenceFrom(item));
  }
}

async function* rowsOf(table: TableConnection, date: string): AsyncGenerator<Item> {
  let startKey: Item | undefined;
  do {
    const page: QueryCommandOutput = await table.client.send(
      new QueryCommand({
        TableName: table.tableName,
        KeyConditionExpression: 'PK = :day AND begins_with(SK, :prefix)',
        ExpressionAttributeValues: {
          ':day': text(billPartition(date)),
          ':prefix': text(DIFFERENCE_PREFIX),
        },
        ConsistentRead: true,
        ...(startKey && { ExclusiveStartKey: startKey }),
      }),
    );
    yield* page.Items ?? [];
    startKey = page.LastEvaluatedKey;
  } while (startKey);
}

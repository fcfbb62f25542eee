/** What is due in the index of open work: listed by class, read by the page, measured. */
import { QueryCommand, type QueryCommandOutput } from '@aws-sdk/client-dynamodb';
import type { OrderId } from '../order/order-id.ts';
import { WORK_CLASSES, type WorkClass } from '../order/work-class.ts';
import { type Item, keyOf, stringOf, text, time } from './attributes.ts';
import { readRows } from './batch-get.ts';
import type { TableConnection } from './client.ts';
import { OPEN_ORDERS_INDEX, orderIdOf, orderKey, type RefundId, refundIdOf } from './schema.ts';
import { OPEN_ORDER_SHARDS, openShardKey } from './shard.ts';

/** Something that reconcile has to look at: its kind, and which one it is. */
export type DueWork =
  | { readonly kind: 'order'; readonly id: OrderId }
  | { readonly kind: 'refund'; readonly id: RefundId };

/** Due work with its time, in the form of the index; equal times and equal work are the same row. */
export type DueEntry = DueWork & { readonly dueAt: string };

/** Every shard of the index. */
export const ALL_SHARDS: readonly number[] = Array.from(
  { length: OPEN_ORDER_SHARDS },
  (_, shard) => shard,
);

/** How many rows one page of the index brings, and one read of the table: the most that it may. */
const DUE_PAGE = 100;

/**
 * The work of a class that is due now, from all the shards together, one page of each at a time; in
 * each such round by its time. What becomes due later, or is put off and due again, is not in it. A
 * row of a kind that this version does not know stays in the index for the version that wrote it.
 *
 * @param since leaves out what was due before, as a time in the form of the index.
 */
export async function* listDueClass(
  table: TableConnection,
  workClass: WorkClass,
  nowEpochSeconds: number,
  { shards = ALL_SHARDS, since }: { shards?: readonly number[]; since?: string } = {},
): AsyncGenerator<readonly DueEntry[]> {
  let open: { readonly shard: number; readonly startKey?: Item | undefined }[] = shards.map(
    (shard) => ({ shard }),
  );
  while (open.length > 0) {
    const pages = await Promise.all(
      open.map(async ({ shard, startKey }) => ({
        shard,
        ...(await readPage(table, openShardKey(workClass, shard), {
          now: nowEpochSeconds,
          since,
          startKey,
        })),
      })),
    );
    yield pages.flatMap((page) => page.entries).toSorted(byDueAt);
    open = pages.filter(({ startKey }) => startKey !== undefined);
  }
}

const byDueAt = (a: DueEntry, b: DueEntry) => Number(a.dueAt > b.dueAt) - Number(a.dueAt < b.dueAt);

/** All that is due now, the most urgent class first. */
export async function* listDue(
  table: TableConnection,
  nowEpochSeconds: number,
): AsyncGenerator<DueEntry> {
  for (const workClass of WORK_CLASSES) {
    for await (const entries of listDueClass(table, workClass, nowEpochSeconds)) {
      yield* entries;
    }
  }
}

async function readPage(
  table: TableConnection,
  place: string,
  {
    now,
    since,
    startKey,
  }: { now: number; since?: string | undefined; startKey?: Item | undefined },
): Promise<{ readonly entries: DueEntry[]; readonly startKey: Item | undefined }> {
  const page: QueryCommandOutput = await table.client.send(
    new QueryCommand({
      TableName: table.tableName,
      IndexName: OPEN_ORDERS_INDEX,
      KeyConditionExpression:
        since === undefined
          ? 'GSI1PK = :shard AND GSI1SK <= :now'
          : 'GSI1PK = :shard AND GSI1SK BETWEEN :since AND :now',
      ExpressionAttributeValues: {
        ':shard': text(place),
        ':now': time(now),
        ...(since !== undefined && { ':since': text(since) }),
      },
      Limit: DUE_PAGE,
      ...(startKey && { ExclusiveStartKey: startKey }),
    }),
  );
  const entries = (page.Items ?? []).map(entryOf).filter((entry) => entry !== undefined);
  return { entries, startKey: page.LastEvaluatedKey };
}

function entryOf(item: Item): DueEntry | undefined {
  const key = { PK: stringOf(item, 'PK'), SK: stringOf(item, 'SK') };
  const dueAt = stringOf(item, 'GSI1SK');
  const id = orderIdOf(key);
  const refundId = refundIdOf(key);
  return (
    (id && { kind: 'order', id, dueAt }) ?? (refundId && { kind: 'refund', id: refundId, dueAt })
  );
}

/** Due work with what one read of many told of an order: its row, that there is none, or nothing. */
export type ReadWork = DueEntry & {
  /** Of an order; a refund is read with what its check needs besides. */
  readonly row?: Item | 'none' | undefined;
};

/** How many orders `readDue` reads at once: as many as DynamoDB hands out. */
export const READ_PAGE = DUE_PAGE;

/**
 * Reads the rows of the orders among up to `READ_PAGE` pieces of due work, at once and consistently.
 * What DynamoDB leaves unread under load comes without its row, and so does all when it fails: each
 * order's own read then tells why.
 */
export async function readDue(
  table: TableConnection,
  entries: readonly DueEntry[],
): Promise<ReadWork[]> {
  const keys = entries.flatMap(({ kind, id }) => (kind === 'order' ? [orderKey(id)] : []));
  const { rows, unread } = await readRows(table, keys).catch(() => ({
    rows: [],
    unread: keys.map(keyOf),
  }));
  const byKey = new Map(rows.map((row) => [row['PK']?.S, row]));
  const left = new Set(unread.map(({ PK }) => PK?.S));
  return entries.map((entry) => {
    const { PK } = orderKey(entry.id);
    return entry.kind === 'refund' || left.has(PK)
      ? entry
      : { ...entry, row: byKey.get(PK) ?? 'none' };
  });
}

/** How much is due, counted no further than one page of each shard. */
export interface Backlog {
  /** At most 100 of each shard and class: beyond that it is "so many at least". */
  readonly count: number;
  /** When the longest due work was due; absent when nothing is. */
  readonly oldestDueAt: string | undefined;
}

/** Measures what is due of some classes, with one page of each of their shards. */
export async function measureBacklog(
  table: TableConnection,
  nowEpochSeconds: number,
  shards: readonly number[] = ALL_SHARDS,
): Promise<Backlog> {
  const pages = await Promise.all(
    WORK_CLASSES.flatMap((workClass) =>
      shards.map((shard) =>
        readPage(table, openShardKey(workClass, shard), { now: nowEpochSeconds }),
      ),
    ),
  );
  const entries = pages.flatMap((page) => page.entries);
  return { count: entries.length, oldestDueAt: entries.toSorted(byDueAt)[0]?.dueAt };
}

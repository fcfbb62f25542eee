/** The payments and refunds of a day in Beijing, from the index alone: no row is read. */
import { QueryCommand, type QueryCommandOutput } from '@aws-sdk/client-dynamodb';
import type { UnreadableRowError } from '../errors.ts';
import type { OrderId } from '../order/order-id.ts';
import type { RefundStatus } from '../refund/refund.ts';
import {
  countOf,
  type Item,
  oneOf,
  optionalStringOf,
  readRow,
  stringOf,
  text,
  timeOf,
} from './attributes.ts';
import type { TableConnection } from './client.ts';
import { DAY_INDEX, orderIdOf, refundIdOf } from './schema.ts';
import { DAY_SHARDS, paymentShardKey, refundShardKey } from './shard.ts';

interface DayEntry extends OrderId {
  readonly transactionId: string;
  readonly appid: string;
  readonly spAppid?: string | undefined;
  readonly mchid: string;
  readonly subMchid?: string | undefined;
  /** What it is in the index by: when it was paid, or accepted. */
  readonly atEpochSeconds: number;
}

export interface PaymentOfDay extends DayEntry {
  readonly totalFen: number;
}

export interface RefundOfDay extends DayEntry {
  readonly outRefundNo: string;
  readonly refundFen: number;
  readonly status: RefundStatus;
}

/** Part of a day, ends included; without, the whole of it. ISO 8601. */
export interface TimeRange {
  readonly from: string;
  readonly to: string;
}

/** What a page of the index has; what cannot be read is reported beside the others. */
export interface DayPage<T> {
  readonly entries: readonly T[];
  readonly unreadable: readonly UnreadableRowError[];
}

/** How many queries are under way at a time. */
const CONCURRENCY = 4;
/** A page is parsed as a whole: a megabyte, DynamoDB's own limit, takes several times that of memory. */
const PAGE_LENGTH = 500;

/** Every payment of a day, in no order, page by page: one query for each shard and page. */
export const listPaymentsOfDay = (table: TableConnection, day: string, range?: TimeRange) =>
  listDay(table, (shard) => paymentShardKey(day, shard), range, paymentFrom);

/** Every refund that WeChat accepted on a day, as the payments. */
export const listRefundsOfDay = (table: TableConnection, day: string, range?: TimeRange) =>
  listDay(table, (shard) => refundShardKey(day, shard), range, refundFrom);

async function* listDay<T>(
  table: TableConnection,
  partitionOf: (shard: number) => string,
  range: TimeRange | undefined,
  read: (item: Item) => T | undefined,
): AsyncGenerator<DayPage<T>> {
  const waiting = Array.from({ length: DAY_SHARDS }, (_, shard) =>
    pagesOf(table, partitionOf(shard), range),
  );
  const next = async (pages: AsyncGenerator<Item[]>) => ({ pages, result: await pages.next() });
  const running = new Map<AsyncGenerator<Item[]>, ReturnType<typeof next>>();
  for (;;) {
    for (const pages of waiting.splice(0, CONCURRENCY - running.size)) {
      running.set(pages, next(pages));
    }
    if (running.size === 0) {
      return;
    }
    const { pages, result } = await Promise.race(running.values());
    if (result.done) {
      running.delete(pages);
    } else {
      running.set(pages, next(pages));
      yield readPage(result.value, read);
    }
  }
}

async function* pagesOf(
  { client, tableName }: TableConnection,
  partition: string,
  range: TimeRange | undefined,
): AsyncGenerator<Item[]> {
  let startKey: Item | undefined;
  do {
    const page: QueryCommandOutput = await client.send(
      new QueryCommand({
        TableName: tableName,
        IndexName: DAY_INDEX,
        Limit: PAGE_LENGTH,
        KeyConditionExpression: range
          ? 'GSI3PK = :partition AND GSI3SK BETWEEN :from AND :to'
          : 'GSI3PK = :partition',
        ExpressionAttributeValues: {
          ':partition': text(partition),
          ...(range && { ':from': text(range.from), ':to': text(range.to) }),
        },
        ...(startKey && { ExclusiveStartKey: startKey }),
      }),
    );
    yield page.Items ?? [];
    startKey = page.LastEvaluatedKey;
  } while (startKey);
}

function readPage<T>(items: readonly Item[], read: (item: Item) => T | undefined): DayPage<T> {
  const entries: T[] = [];
  const unreadable: UnreadableRowError[] = [];
  for (const item of items) {
    try {
      const entry = readRow(item, () => read(item));
      if (entry) {
        entries.push(entry);
      }
    } catch (error) {
      // `readRow` throws nothing else.
      unreadable.push(error as UnreadableRowError);
    }
  }
  return { entries, unreadable };
}

const keyIn = (item: Item) => ({ PK: stringOf(item, 'PK'), SK: stringOf(item, 'SK') });

function entryFrom(item: Item): Omit<DayEntry, keyof OrderId> {
  return {
    transactionId: stringOf(item, 'transactionId'),
    appid: stringOf(item, 'appid'),
    spAppid: optionalStringOf(item, 'spAppid'),
    mchid: stringOf(item, 'mchid'),
    subMchid: optionalStringOf(item, 'subMchid'),
    atEpochSeconds: timeOf(item, 'GSI3SK'),
  };
}

function paymentFrom(item: Item): PaymentOfDay | undefined {
  const id = orderIdOf(keyIn(item));
  return id && { ...id, ...entryFrom(item), totalFen: countOf(item, 'totalFen') };
}

const STATUSES = [
  'PENDING',
  'PROCESSING',
  'SUCCESS',
  'CLOSED',
  'ABNORMAL',
] as const satisfies readonly RefundStatus[];

function refundFrom(item: Item): RefundOfDay | undefined {
  const id = refundIdOf(keyIn(item));
  return (
    id && {
      ...id,
      ...entryFrom(item),
      refundFen: countOf(item, 'refundFen'),
      status: oneOf(item, 'status', STATUSES),
    }
  );
}

/** Several rows with one consistent read. */
import { BatchGetItemCommand } from '@aws-sdk/client-dynamodb';
import { TemporarilyUnavailableError } from '../errors.ts';
import { type Item, keyOf } from './attributes.ts';
import type { TableConnection } from './client.ts';
import type { RowKey } from './schema.ts';

/** The row of a partition that holds one of those that were asked for. */
export const rowWith = (rows: readonly Item[], PK: string) =>
  rows.find((row) => row['PK']?.S === PK);

/** The row of a key among those that were asked for. */
export const rowAt = (rows: readonly Item[], { PK, SK }: RowKey) =>
  rows.find((row) => row['PK']?.S === PK && row['SK']?.S === SK);

/** So often is asked for what DynamoDB handed back unread. */
const MAX_READS = 3;

/** What one read of many keys brought; under load DynamoDB hands a part back unread. */
export interface ReadRows {
  readonly rows: Item[];
  /** Keys that were left unread every time. */
  readonly unread: readonly Item[];
}

/** Reads up to 100 rows, and what was handed back again, three times at most. */
export async function readRows(table: TableConnection, keys: readonly RowKey[]): Promise<ReadRows> {
  const rows: Item[] = [];
  let pending: Item[] = keys.map(keyOf);
  for (let attempt = 0; pending.length > 0 && attempt < MAX_READS; attempt += 1) {
    const answer = await table.client.send(
      new BatchGetItemCommand({
        RequestItems: { [table.tableName]: { Keys: pending, ConsistentRead: true } },
      }),
    );
    rows.push(...(answer.Responses?.[table.tableName] ?? []));
    pending = answer.UnprocessedKeys?.[table.tableName]?.Keys ?? [];
  }
  return { rows, unread: pending };
}

/** @throws {TemporarilyUnavailableError} when some of the rows were left unread every time. */
export async function batchGet(table: TableConnection, keys: readonly RowKey[]): Promise<Item[]> {
  const { rows, unread } = await readRows(table, keys);
  if (unread.length > 0) {
    throw new TemporarilyUnavailableError('DynamoDB left keys of a batch unread three times');
  }
  return rows;
}

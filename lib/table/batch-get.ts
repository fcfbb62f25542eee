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

/** DynamoDB may hand back a part under load; the rest is asked for again, three times at most. */
export async function batchGet(table: TableConnection, keys: readonly RowKey[]): Promise<Item[]> {
  const rows: Item[] = [];
  let pending: Item[] = keys.map(keyOf);
  for (let attempt = 0; pending.length > 0; attempt += 1) {
    if (attempt === 3) {
      throw new TemporarilyUnavailableError('DynamoDB left keys of a batch unread three times');
    }
    const answer = await table.client.send(
      new BatchGetItemCommand({
        RequestItems: { [table.tableName]: { Keys: pending, ConsistentRead: true } },
      }),
    );
    rows.push(...(answer.Responses?.[table.tableName] ?? []));
    pending = answer.UnprocessedKeys?.[table.tableName]?.Keys ?? [];
  }
  return rows;
}

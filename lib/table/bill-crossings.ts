/**
 * Payments and refunds that the bill and the table put on different days: rows beside the day that
 * they are of here. `CARRIED#…`: not in the bill of that day, and waited for in the next. `SEEN#…`: in
 * the bill of another day.
 */
import {
  DeleteItemCommand,
  PutItemCommand,
  QueryCommand,
  type QueryCommandOutput,
} from '@aws-sdk/client-dynamodb';
import { type Item, keyOf, stringOf, text, texts } from './attributes.ts';
import { billPartition } from './bills.ts';
import type { TableConnection } from './client.ts';

export type CrossingKind = 'CARRIED' | 'SEEN';

/** `name` is the kind and number of what crosses, as `payment#42…`. */
const keyIn = (date: string, kind: CrossingKind, name: string) => ({
  PK: billPartition(date),
  SK: `${kind}#${name}`,
});

/** @param foundIn the day whose bill's run says so. */
export async function putCrossing(
  { client, tableName }: TableConnection,
  date: string,
  kind: CrossingKind,
  name: string,
  foundIn: string,
): Promise<void> {
  const Item = { ...keyOf(keyIn(date, kind, name)), ...texts({ name, foundIn }) };
  await client.send(new PutItemCommand({ TableName: tableName, Item }));
}

export async function removeCrossing(
  { client, tableName }: TableConnection,
  date: string,
  kind: CrossingKind,
  name: string,
): Promise<void> {
  const Key = keyOf(keyIn(date, kind, name));
  await client.send(new DeleteItemCommand({ TableName: tableName, Key }));
}

/** The names of a day's crossings of a kind. There are few: they are of minutes around midnight. */
export async function listCrossings(
  { client, tableName }: TableConnection,
  date: string,
  kind: CrossingKind,
): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  let startKey: Item | undefined;
  do {
    const page: QueryCommandOutput = await client.send(
      new QueryCommand({
        TableName: tableName,
        KeyConditionExpression: 'PK = :day AND begins_with(SK, :prefix)',
        ExpressionAttributeValues: {
          ':day': text(billPartition(date)),
          ':prefix': text(`${kind}#`),
        },
        ConsistentRead: true,
        ...(startKey && { ExclusiveStartKey: startKey }),
      }),
    );
    for (const item of page.Items ?? []) {
      names.add(stringOf(item, 'name'));
    }
    startKey = page.LastEvaluatedKey;
  } while (startKey);
  return names;
}

/**
 * Payments and refunds that the bill and the table put on different days. `BILL#<day>`,
 * `CARRIED#<name>`: here on that day, not in its bill, and waited for in the next.
 * `BILL#FOUND#<name>`, `FOUND`: in the bill of a day that it is not of here; who misses it on its own
 * day looks there.
 */
import {
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type QueryCommandOutput,
} from '@aws-sdk/client-dynamodb';
import { type Item, keyOf, readRow, stringOf, text, texts, time } from './attributes.ts';
import { billPartition } from './bills.ts';
import type { TableConnection } from './client.ts';

const CARRIED_PREFIX = 'CARRIED#';

/** `name` is the kind and number of what crosses, as `payment#42…`. */
const carriedKey = (date: string, name: string) =>
  keyOf({ PK: billPartition(date), SK: `${CARRIED_PREFIX}${name}` });

const foundKey = (name: string) => keyOf({ PK: `BILL#FOUND#${name}`, SK: 'FOUND' });

export async function putCarried(
  { client, tableName }: TableConnection,
  date: string,
  name: string,
): Promise<void> {
  const Item = { ...carriedKey(date, name), ...texts({ name }) };
  await client.send(new PutItemCommand({ TableName: tableName, Item }));
}

export async function removeCarried(
  { client, tableName }: TableConnection,
  date: string,
  name: string,
): Promise<void> {
  await client.send(new DeleteItemCommand({ TableName: tableName, Key: carriedKey(date, name) }));
}

/** The names of what a day carried over. There are few: they are of minutes around midnight. */
export async function listCarried(
  { client, tableName }: TableConnection,
  date: string,
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
          ':prefix': text(CARRIED_PREFIX),
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

/** In which bill something is, and which run of that day said so, when (ISO 8601). */
export interface FoundInBill {
  readonly date: string;
  readonly runId: string;
  readonly foundAt: string;
}

export async function putFound(
  { client, tableName }: TableConnection,
  name: string,
  run: { readonly date: string; readonly runId: string; readonly nowEpochSeconds: number },
): Promise<void> {
  const Item = {
    ...foundKey(name),
    ...texts({ date: run.date, runId: run.runId }),
    foundAt: time(run.nowEpochSeconds),
  };
  await client.send(new PutItemCommand({ TableName: tableName, Item }));
}

export async function readFound(
  { client, tableName }: TableConnection,
  name: string,
): Promise<FoundInBill | undefined> {
  const { Item: item } = await client.send(
    new GetItemCommand({ TableName: tableName, Key: foundKey(name), ConsistentRead: true }),
  );
  return (
    item &&
    readRow(item, () => ({
      date: stringOf(item, 'date'),
      runId: stringOf(item, 'runId'),
      foundAt: stringOf(item, 'foundAt'),
    }))
  );
}

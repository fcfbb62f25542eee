/** Tables on the embedded DynamoDB: one engine per test file, as many empty tables as wanted. */
import {
  type AttributeValue,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll } from 'vitest';
import {
  createLocalClient,
  createTable,
  type LocalDynamoDb,
  startDynamoDb,
} from '../../local/aws/dynamodb.ts';
import type { Table } from '../../lib/table/client.ts';
import { writable } from './watched-table.ts';
import { OPEN_ORDERS_INDEX } from '../../lib/table/schema.ts';

export type Row = Record<string, AttributeValue>;

/** Starts the engine for the tests of a file and ends it after them; makes an empty table. */
export function useEmbeddedTables(): () => Promise<Table> {
  let engine: LocalDynamoDb;
  let client: DynamoDBClient;
  let count = 0;
  beforeAll(async () => {
    engine = await startDynamoDb();
    client = createLocalClient(engine.endpoint);
  });
  afterAll(async () => {
    client.destroy();
    await engine.stop();
  });
  return async () => {
    count += 1;
    const tableName = `orders-${count}`;
    await createTable(engine.endpoint, tableName);
    return writable({ client, tableName });
  };
}

/** A row as it is stored. */
export async function rowOf(table: Table, PK: string, SK = 'ORDER'): Promise<Row | undefined> {
  const answer = await table.client.send(
    new GetItemCommand({
      TableName: table.tableName,
      Key: { PK: { S: PK }, SK: { S: SK } },
      ConsistentRead: true,
    }),
  );
  return answer.Item;
}

/** Writes a row without any condition. */
export async function putRow(table: Table, row: Row): Promise<void> {
  await table.client.send(new PutItemCommand({ TableName: table.tableName, Item: row }));
}

/** Every row of the table; with `index`, the keys of the rows that the sparse index holds. */
export async function allRows(table: Table, index?: 'index'): Promise<Row[]> {
  const answer = await table.client.send(
    new ScanCommand({
      TableName: table.tableName,
      ...(index && { IndexName: OPEN_ORDERS_INDEX }),
    }),
  );
  return answer.Items ?? [];
}

/** A product row as the merchant writes it. */
export function productRow(
  sku: string,
  price: { priceFen: number } | { minFen: number; maxFen: number },
  more: Row = {},
): Row {
  const numbers = Object.entries(price).map(([name, fen]) => [name, { N: String(fen) }]);
  return {
    PK: { S: `PRODUCT#${sku}` },
    SK: { S: 'PRODUCT' },
    sku: { S: sku },
    name: { S: sku },
    ...Object.fromEntries(numbers),
    ...more,
  };
}

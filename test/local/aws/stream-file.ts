/** The embedded engine on a file of its own for each test, with a table that has a stream. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, expect } from 'vitest';
import {
  createLocalClient,
  createTable,
  type LocalDynamoDb,
  startDynamoDb,
} from '../../../local/aws/dynamodb.ts';

export const TABLE = 'orders';
const SHARD = `shardId-00000001-${TABLE}`;

let directory = '';
const opened: { stop(): unknown }[] = [];

/** Makes the directory of each test, and ends what the test started. */
export function useStreamFile(): void {
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'stream-'));
  });
  afterEach(async () => {
    for (const one of opened.splice(0).toReversed()) {
      await one.stop();
    }
    rmSync(directory, { recursive: true });
  });
}

export const dbPath = () => path.join(directory, 'table.sqlite');

/** The engine on the file, or in memory, with the table in it. */
export async function start(where: 'file' | 'memory' = 'file') {
  const engine = await startDynamoDb(where === 'file' ? { dbPath: dbPath() } : {});
  opened.push(engine);
  await createTable(engine.endpoint, TABLE);
  const client = createLocalClient(engine.endpoint);
  opened.push({ stop: () => client.destroy() });
  return {
    engine,
    /** Writes the rows of these numbers, one after the other. */
    put: (from: number, to = from) => putRows(client, from, to),
    kill: () => kill(engine),
  };
}

async function kill(engine: LocalDynamoDb): Promise<void> {
  process.kill(Number(readFileSync(`${dbPath()}.pid`, 'utf8')), 'SIGKILL');
  await expect(engine.died).rejects.toThrow('ended by itself');
}

async function putRows(client: DynamoDBClient, from: number, to: number): Promise<void> {
  for (let row = from; row <= to; row += 1) {
    const Item = { PK: { S: `ORDER#${row}` }, SK: { S: 'ORDER' } };
    await client.send(new PutItemCommand({ TableName: TABLE, Item }));
  }
}

/** Runs `work` on the engine's file. */
export function inFile<T>(work: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(dbPath(), { timeout: 5000 });
  try {
    return work(database);
  } finally {
    database.close();
  }
}

/** What a reader of the stream gets, `<sequence number> <PK>` of each record after a position. */
export async function readAfter(engine: LocalDynamoDb, position: number): Promise<string[]> {
  const iterator = { table_name: TABLE, shard_id: SHARD, position };
  const answer = await fetch(engine.endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'DynamoDBStreams_20120810.GetRecords',
      'x-amz-date': '20260101T000000Z',
      authorization:
        'AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
    },
    body: JSON.stringify({
      ShardIterator: Buffer.from(JSON.stringify(iterator)).toString('base64'),
    }),
  });
  const { Records } = (await answer.json()) as {
    Records: { dynamodb: { SequenceNumber: string; Keys: { PK: { S: string } } } }[];
  };
  return Records.map(({ dynamodb }) => `${dynamodb.SequenceNumber} ${dynamodb.Keys.PK.S}`);
}

/** The same of rows that were written in order from the first record on. */
export const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => `${from + index} ORDER#${from + index}`);

import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  DescribeTableCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  createLocalClient,
  createTable,
  type LocalDynamoDb,
  startDynamoDb,
} from '../../../local/aws/dynamodb.ts';

let directory: string;
const opened: (LocalDynamoDb | DynamoDBClient)[] = [];

const start = async (options: Parameters<typeof startDynamoDb>[0]) => {
  const engine = await startDynamoDb(options);
  opened.push(engine);
  return engine;
};
const connect = (endpoint: string) => {
  const client = createLocalClient(endpoint);
  opened.push(client);
  return client;
};

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'dynamodb-'));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const one of opened.splice(0).toReversed()) {
    await ('stop' in one ? one.stop() : one.destroy());
  }
  rmSync(directory, { recursive: true });
});

const row = { PK: { S: 'PRODUCT#latte' }, SK: { S: 'PRODUCT' }, priceFen: { N: '2800' } };
const key = { PK: row.PK, SK: row.SK };

describe('the local DynamoDB', () => {
  it('creates the table of the schema with its index, and leaves an existing one alone', async () => {
    const { endpoint } = await start({});
    await createTable(endpoint, 'orders');
    const client = connect(endpoint);
    await client.send(new PutItemCommand({ TableName: 'orders', Item: row }));
    await createTable(endpoint, 'orders');
    const { Table } = await client.send(new DescribeTableCommand({ TableName: 'orders' }));
    expect(Table?.GlobalSecondaryIndexes?.[0]).toMatchObject({
      IndexName: 'GSI1',
      Projection: { ProjectionType: 'KEYS_ONLY' },
    });
    expect(Table?.ItemCount ?? 1).toBe(1);
  });

  it('has its rows again after a stop and a start on the same file', async () => {
    const dbPath = path.join(directory, 'table.db');
    const first = await start({ dbPath });
    await createTable(first.endpoint, 'orders');
    await connect(first.endpoint).send(new PutItemCommand({ TableName: 'orders', Item: row }));
    await first.stop();
    await expect(fetch(first.endpoint)).rejects.toThrow('fetch failed');

    const second = await start({ dbPath });
    const found = await connect(second.endpoint).send(
      new GetItemCommand({ TableName: 'orders', Key: key }),
    );
    expect(found.Item).toEqual(row);
  });

  it('says so when the engine ends by itself', async () => {
    const dbPath = path.join(directory, 'table.db');
    const engine = await start({ dbPath });
    process.kill(Number(readFileSync(`${dbPath}.pid`, 'utf8')), 'SIGKILL');
    await expect(engine.died).rejects.toThrow('the DynamoDB engine ended by itself');
  });

  it('names the reason when the engine cannot start', async () => {
    await expect(start({ dbPath: path.join(directory, 'nowhere', 'table.db') })).rejects.toThrow(
      'unable to open database file',
    );
  });

  describe('on a machine that no engine is published for', () => {
    const architecture = Object.getOwnPropertyDescriptor(process, 'arch') ?? {};

    beforeEach(() => {
      Object.defineProperty(process, 'arch', { ...architecture, value: 'riscv64' });
    });
    afterEach(() => {
      Object.defineProperty(process, 'arch', architecture);
    });

    it('says so at once, and uses the one at DYNAMODB_ENDPOINT', async () => {
      await expect(startDynamoDb()).rejects.toThrow(
        `there is no DynamoDB engine for ${process.platform}-riscv64`,
      );
      const other = createServer((_request, response) => response.end('{"TableNames":[]}'));
      other.listen(0, '127.0.0.1');
      await once(other, 'listening');
      const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
      vi.stubEnv('DYNAMODB_ENDPOINT', url);
      expect((await start({})).endpoint).toBe(url);
      other.close();
      other.closeAllConnections();
    });
  });

  it('uses the engine at DYNAMODB_ENDPOINT and starts none', async () => {
    const other = createServer((_request, response) => response.end('{"TableNames":[]}'));
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    vi.stubEnv('DYNAMODB_ENDPOINT', url);
    const engine = await start({});
    expect(engine.endpoint).toBe(url);
    await engine.stop();
    expect((await fetch(url)).status).toBe(200);
    other.closeAllConnections();
    other.close();
    await expect(start({})).rejects.toThrow(`nothing answers at DYNAMODB_ENDPOINT (${url})`);
  });
});

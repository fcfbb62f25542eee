import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import { MAX_OPERATION_MS, openConnection, openTableClient } from '../../lib/table/client.ts';
import { allRows, useEmbeddedTables } from '../support/embedded-tables.ts';
import { watchTable } from '../support/watched-table.ts';

const newTable = useEmbeddedTables();

describe('opening the connection', () => {
  test('with leave to read is one read of a row that is not there', async () => {
    const table = watchTable(await newTable());
    await openConnection(table, 'read');

    expect(table.operations).toEqual(['GetItem']);
  });

  test('with leave to write is one write that never happens', async () => {
    const table = watchTable(await newTable());

    await expect(openConnection(table, 'write')).rejects.toMatchObject({
      name: 'ConditionalCheckFailedException',
    });
    expect(table.operations).toEqual(['UpdateItem']);
    expect(await allRows(table)).toEqual([]);
  });
});

test.each([
  ['that fit a notification', undefined, 2, 1_000],
  ['of who reads a whole day', 'patient', 5, 10_000],
] as const)('a table is opened where the environment says, with time-outs %s', async (...row) => {
  const [, patience, maxAttempts, requestTimeout] = row;
  vi.stubEnv('AWS_REGION', 'ap-east-1');
  vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', 'http://127.0.0.1:1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'id');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  const client = openTableClient(patience);
  // The handler settles its options with its first request.
  await expect(openConnection({ client, tableName: 'orders' }, 'read')).rejects.toThrow(
    '127.0.0.1:1',
  );
  const handler = client.config.requestHandler as unknown as { httpHandlerConfigs(): object };

  expect(await client.config.region()).toBe('ap-east-1');
  expect(await client.config.maxAttempts()).toBe(maxAttempts);
  expect(handler.httpHandlerConfigs()).toMatchObject({
    connectionTimeout: 800,
    requestTimeout,
    throwOnRequestTimeout: true,
  });
  client.destroy();
  vi.unstubAllEnvs();
});

test('an operation on a table that takes requests and never answers ends within its longest time', async () => {
  const connections: Socket[] = [];
  const silent = createServer((socket) => connections.push(socket));
  await new Promise<void>((resolve) => {
    silent.listen(0, '127.0.0.1', resolve);
  });
  const { port } = silent.address() as AddressInfo;
  vi.stubEnv('AWS_REGION', 'ap-east-1');
  vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', `http://127.0.0.1:${port}`);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'id');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  const client = openTableClient();
  const startedAt = performance.now();
  await expect(openConnection({ client, tableName: 'orders' }, 'read')).rejects.toMatchObject({
    name: 'TimeoutError',
  });
  const elapsedMs = performance.now() - startedAt;

  expect(connections.length).toBe(2);
  expect(elapsedMs).toBeGreaterThan(2 * 1_000 - 100);
  // The machine of the test may be busy; one attempt more would not fit.
  expect(elapsedMs).toBeLessThan(MAX_OPERATION_MS + 1_000);
  client.destroy();
  for (const socket of connections) {
    socket.destroy();
  }
  silent.close();
  vi.unstubAllEnvs();
});

import { describe, expect, test, vi } from 'vitest';
import { openConnection, openTableClient } from '../../lib/table/client.ts';
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

test('a table is opened where the environment says, with time-outs that fit a notification', async () => {
  vi.stubEnv('AWS_REGION', 'ap-east-1');
  vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', 'http://127.0.0.1:1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'id');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  const client = openTableClient();
  // The handler settles its options with its first request.
  await expect(openConnection({ client, tableName: 'orders' }, 'read')).rejects.toThrow(
    '127.0.0.1:1',
  );
  const handler = client.config.requestHandler as unknown as { httpHandlerConfigs(): object };

  expect(await client.config.region()).toBe('ap-east-1');
  expect(await client.config.maxAttempts()).toBe(3);
  expect(handler.httpHandlerConfigs()).toMatchObject({
    connectionTimeout: 1000,
    requestTimeout: 1500,
    throwOnRequestTimeout: true,
  });
  client.destroy();
  vi.unstubAllEnvs();
});

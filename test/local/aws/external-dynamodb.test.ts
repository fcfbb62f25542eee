import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, expect, test, vi } from 'vitest';
import { createLocalClient, createTable, startDynamoDb } from '../../../local/aws/dynamodb.ts';

const servers: Server[] = [];
afterEach(() => {
  vi.unstubAllEnvs();
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const refusalOf = async (endpoint: string): Promise<string> => {
  vi.stubEnv('DYNAMODB_ENDPOINT', endpoint);
  return startDynamoDb().then(
    () => 'accepted',
    (error: unknown) => (error as Error).message,
  );
};

test.each(['localhost:8000', '127.0.0.1', 'nonsense'])(
  'an endpoint that is no address is refused with an example: %s',
  async (text) => {
    expect(await refusalOf(text)).toContain(`DYNAMODB_ENDPOINT=${text} is not an http address`);
    expect(await refusalOf(text)).toContain('DYNAMODB_ENDPOINT=http://127.0.0.1:8000');
  },
);

test.each([
  ['a page', 200, '<html>hello</html>'],
  ['other JSON', 200, '{"status":"ok"}'],
  ['not found', 404, 'not found'],
  ['a failure', 500, ''],
])('a server that answers %s is no DynamoDB', async (_, status, body) => {
  const url = await serve((_request, response) => {
    response.writeHead(status).end(body);
  });

  expect(await refusalOf(url)).toContain(
    `what answers at DYNAMODB_ENDPOINT (${url}) is no DynamoDB`,
  );
});

test('one that wants real credentials is no local DynamoDB', async () => {
  const url = await serve((_request, response) => {
    response.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' });
    response.end('{"__type":"com.amazon.coral.service#UnrecognizedClientException"}');
  });

  expect(await refusalOf(url)).toContain("refuses the stack's placeholder credentials");
});

test('https where http is spoken says what TLS said', async () => {
  const url = await serve((_request, response) => response.end());
  const text = await refusalOf(url.replace('http:', 'https:'));

  expect(text).toMatch(/^nothing answers at DYNAMODB_ENDPOINT \(https:.*\): (EPROTO|ERR_SSL)/);
});

test('a table of another version is refused with what is missing in it', async () => {
  const engine = await startDynamoDb();
  const client = createLocalClient(engine.endpoint);
  try {
    await client.send(
      new CreateTableCommand({
        TableName: 'old',
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [
          { AttributeName: 'PK', AttributeType: 'S' },
          { AttributeName: 'SK', AttributeType: 'S' },
        ],
        KeySchema: [
          { AttributeName: 'PK', KeyType: 'HASH' },
          { AttributeName: 'SK', KeyType: 'RANGE' },
        ],
      }),
    );
    await expect(createTable(engine.endpoint, 'old')).rejects.toThrow(
      /^the table old was made by another version of the project \(it has no index \w+ on GSI1PK\/GSI1SK, no .*: begin anew with npm start -- --fresh/,
    );
    await createTable(engine.endpoint, 'new');
    await createTable(engine.endpoint, 'new');
  } finally {
    client.destroy();
    await engine.stop();
  }
});

test('a file that is no database is named, with the way out', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'broken-table-'));
  const dbPath = path.join(directory, 'dynamodb.sqlite');
  writeFileSync(dbPath, 'x'.repeat(8192));
  await expect(startDynamoDb({ dbPath })).rejects.toThrow(
    `${dbPath} cannot be read: put a copy back, or begin anew with npm start -- --fresh`,
  );
  rmSync(directory, { recursive: true });
});

test("the developer's own region does not lead away from the functions'", async () => {
  vi.stubEnv('AWS_REGION', 'eu-west-1');
  const client = createLocalClient('http://127.0.0.1:1');

  expect(await client.config.region()).toBe('us-east-1');
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  CreateTableCommand,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createLocalClient,
  createTable,
  type LocalDynamoDb,
  startDynamoDb,
} from '../../../../local/aws/dynamodb.ts';
import { openTableStream } from '../../../../local/aws/event-source/table-stream.ts';
import { watchWrites } from '../../../../local/aws/event-source/write-watch.ts';
import { serve } from '../../../support/scripted-server.ts';
import { eventually } from '../../../support/shop.ts';

const key = (PK: string) => ({ PK: { S: PK }, SK: { S: 'ORDER' } });

describe("the table's stream of the embedded engine", () => {
  let directory: string;
  let engine: LocalDynamoDb;
  let client: ReturnType<typeof createLocalClient>;

  const open = async () => {
    engine = await startDynamoDb({ dbPath: path.join(directory, 'table.sqlite') });
    client = createLocalClient(engine.endpoint);
  };
  const close = async () => {
    client.destroy();
    await engine.stop();
  };
  const put = (PK: string) =>
    client.send(new PutItemCommand({ TableName: 'orders', Item: key(PK) }));

  beforeEach(async () => {
    directory = mkdtempSync(path.join(tmpdir(), 'table-stream-'));
    await open();
    await createTable(engine.endpoint, 'orders');
  });
  afterEach(async () => {
    await close();
    rmSync(directory, { recursive: true });
  });

  it('is read from its oldest record on, and on from any position', async () => {
    for (const PK of ['A1', 'A2', 'A3']) {
      await put(PK);
    }
    await client.send(new DeleteItemCommand({ TableName: 'orders', Key: key('A2') }));
    const stream = await openTableStream(engine.endpoint, 'orders');
    const [shard, ...others] = await stream.listShards();
    const shardId = shard?.shardId ?? '';
    expect(others).toEqual([]);
    const read = async (after: string | undefined, limit: number) => {
      const { records, ended } = await stream.read(shardId, after, limit);
      expect(ended).toBe(false);
      return records.map(({ eventName, dynamodb }) => ({
        change: `${eventName} ${dynamodb?.Keys?.['PK']?.S}`,
        number: dynamodb?.SequenceNumber,
      }));
    };
    const first = await read(undefined, 2);
    expect(first.map(({ change }) => change)).toEqual(['INSERT A1', 'INSERT A2']);
    const rest = await read(first[1]?.number, 10);
    expect(rest.map(({ change }) => change)).toEqual(['INSERT A3', 'REMOVE A2']);
    expect(await read(rest[1]?.number, 10)).toEqual([]);
    // Back again, as after a failure, and with another position than the one it stands at.
    expect((await read(first[0]?.number, 1)).map(({ change }) => change)).toEqual(['INSERT A2']);
    await put('A4');
    expect((await read(rest[1]?.number, 10)).map(({ change }) => change)).toEqual(['INSERT A4']);
  });

  it('keeps its name and its positions over a restart', async () => {
    await put('A1');
    const before = await openTableStream(engine.endpoint, 'orders');
    const [shard] = await before.listShards();
    const { records } = await before.read(shard?.shardId ?? '', undefined, 10);
    await close();
    await open();
    await put('A2');
    const after = await openTableStream(engine.endpoint, 'orders');
    expect(after.streamArn).toBe(before.streamArn);
    const position = records[0]?.dynamodb?.SequenceNumber;
    const next = await after.read(shard?.shardId ?? '', position, 10);
    expect(next.records.map(({ dynamodb }) => dynamodb?.Keys?.['PK']?.S)).toEqual(['A2']);
  });

  it('is asked for of a table that has none: says what to do', async () => {
    const AttributeName = 'PK';
    await client.send(
      new CreateTableCommand({
        TableName: 'streamless',
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName, AttributeType: 'S' }],
        KeySchema: [{ AttributeName, KeyType: 'HASH' }],
      }),
    );
    await expect(openTableStream(engine.endpoint, 'streamless')).rejects.toThrow(
      /streamless has no stream.*--fresh/,
    );
  });

  it('is woken by every write of this process and by no read', async () => {
    let wakes = 0;
    const unwatch = watchWrites(engine.endpoint, () => {
      wakes += 1;
    });
    await client.send(new GetItemCommand({ TableName: 'orders', Key: key('A1') }));
    await put('A1');
    await put('A2');
    await eventually(
      async () => wakes,
      (count) => count === 2,
    );
    unwatch();
    await put('A3');
    await client.send(new GetItemCommand({ TableName: 'orders', Key: key('A1') }));
    expect(wakes).toBe(2);
  });
});

type Input = Readonly<Record<string, string | undefined>>;

describe('a DynamoDB of other ways', () => {
  /** Answers the calls of the stream as `answers` says, by their names. */
  const serveStreams = (answers: Record<string, (input: Input) => object>) =>
    serve((response, { headers, body }) => {
      const operation = String(headers['x-amz-target']).split('.')[1] ?? '';
      const known: typeof answers = {
        DescribeTable: () => ({ Table: { LatestStreamArn: 'arn:s' } }),
        ...answers,
      };
      const answer = known[operation];
      const content = answer?.(JSON.parse(body) as Input) ?? {};
      response.statusCode = '__type' in content ? 400 : 200;
      response.setHeader('content-type', 'application/x-amz-json-1.0');
      response.end(JSON.stringify(content));
    });
  const refused = (exception: string) => ({
    __type: `com.amazonaws.dynamodb.v20120810#${exception}`,
    message: 'so',
  });
  const iterators = (input: Input) => ({
    ShardIterator: `${input['ShardIteratorType']} ${input['SequenceNumber'] ?? ''}`,
  });

  it('lists its shards in several pages, and ends them', async () => {
    const server = await serveStreams({
      DescribeStream: ({ ExclusiveStartShardId }) => ({
        StreamDescription: ExclusiveStartShardId
          ? { Shards: [{ ShardId: 'b', ParentShardId: 'a' }] }
          : { Shards: [{ ShardId: 'a' }], LastEvaluatedShardId: 'a' },
      }),
      GetShardIterator: iterators,
      GetRecords: () => ({ Records: [] }),
    });
    const stream = await openTableStream(server.url, 'orders');
    expect(await stream.listShards()).toEqual([
      { shardId: 'a' },
      { shardId: 'b', parentShardId: 'a' },
    ]);
    expect(await stream.read('a', undefined, 10)).toEqual({ records: [], ended: true });
    const { headers } = server.received.at(-1) ?? {};
    expect(headers?.['authorization']).toMatch(
      /^AWS4-HMAC-SHA256 Credential=local\/\d{8}\/us-east-1\/dynamodb\/aws4_request, /,
    );
    await server.stop();
  });

  it('whose iterator is too old is asked for another one at the same place', async () => {
    let calls = 0;
    const server = await serveStreams({
      GetShardIterator: iterators,
      GetRecords: ({ ShardIterator }) => {
        calls += 1;
        return calls === 2
          ? refused('ExpiredIteratorException')
          : { Records: [{ eventID: ShardIterator }], NextShardIterator: 'next' };
      },
    });
    const stream = await openTableStream(server.url, 'orders');
    await stream.read('a', '5', 10);
    const { records } = await stream.read('a', '5', 10);
    expect(records).toEqual([{ eventID: 'AFTER_SEQUENCE_NUMBER 5' }]);
    await server.stop();
  });

  it('that has forgotten the place is read from its oldest record', async () => {
    const server = await serveStreams({
      GetShardIterator: (input) =>
        input['ShardIteratorType'] === 'TRIM_HORIZON'
          ? iterators(input)
          : refused('TrimmedDataAccessException'),
      GetRecords: ({ ShardIterator }) => ({ Records: [{ eventID: ShardIterator }] }),
    });
    const stream = await openTableStream(server.url, 'orders');
    const { records } = await stream.read('a', '5', 10);
    expect(records).toEqual([{ eventID: 'TRIM_HORIZON ' }]);
    await server.stop();
  });

  it('that refuses is quoted', async () => {
    const server = await serveStreams({
      GetShardIterator: () => refused('ResourceNotFoundException'),
    });
    const stream = await openTableStream(server.url, 'orders');
    await expect(stream.read('a', '5', 10)).rejects.toThrow('ResourceNotFoundException: so');
    await server.stop();
  });
});

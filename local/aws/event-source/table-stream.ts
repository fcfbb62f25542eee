/** The stream of a table by DynamoDB's own API, of the embedded engine or any other. */
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import type { DynamoDBRecord } from 'aws-lambda';
import { createLocalClient, type LocalDynamoDb } from '../dynamodb.ts';
import { sequenceOf, type Shard, type StreamRead, type StreamSource } from './stream-source.ts';
import { callStreams, StreamsError } from './streams-api.ts';

interface DescribedShard {
  readonly ShardId: string;
  readonly ParentShardId?: string;
}
interface StreamDescription {
  readonly Shards?: readonly DescribedShard[];
  readonly LastEvaluatedShardId?: string;
}

/**
 * Opens the stream of a table, of which the `engine` itself may know more than its API tells.
 *
 * @throws {Error} when the table has no stream.
 */
export async function openTableStream(
  endpoint: string,
  tableName: string,
  engine?: Pick<LocalDynamoDb, 'trimStream' | 'hasStreamReached'>,
): Promise<StreamSource> {
  const streamArn = await findStream(endpoint, tableName);
  /** Where the last read of a shard ended, so that the next one needs no second call. */
  const iterators = new Map<
    string,
    { readonly after: string | undefined; readonly next: string }
  >();

  const openIterator = async (shardId: string, after: string | undefined): Promise<string> => {
    const known = iterators.get(shardId);
    return known !== undefined && known.after === after
      ? known.next
      : getIterator(endpoint, streamArn, shardId, after);
  };
  const readOnce = async (shardId: string, after: string | undefined, limit: number) => {
    const iterator = await openIterator(shardId, after);
    const { Records = [], NextShardIterator } = await callStreams<{
      Records?: DynamoDBRecord[];
      NextShardIterator?: string;
    }>(endpoint, 'GetRecords', { ShardIterator: iterator, Limit: limit });
    const last = Records.at(-1);
    if (NextShardIterator !== undefined) {
      const readTo = last === undefined ? after : sequenceOf(last);
      iterators.set(shardId, { after: readTo, next: NextShardIterator });
    }
    return { records: Records, ended: NextShardIterator === undefined };
  };
  return {
    streamArn,
    listShards: () => listShards(endpoint, streamArn),
    // The embedded engine has one shard.
    trim: (_shardId, upTo) => engine?.trimStream(tableName, upTo),
    hasReached: (_shardId, position) => engine?.hasStreamReached(tableName, position) ?? true,
    async read(shardId, after, limit): Promise<StreamRead> {
      try {
        return await readOnce(shardId, after, limit);
      } catch (error) {
        // Iterators last for some minutes, records for a day.
        if (!(error instanceof StreamsError) || !error.isOutdated) {
          throw error;
        }
        iterators.delete(shardId);
        const isTrimmed = error.exception === 'TrimmedDataAccessException';
        return readOnce(shardId, isTrimmed ? undefined : after, limit);
      }
    },
  };
}

async function findStream(endpoint: string, tableName: string): Promise<string> {
  const client = createLocalClient(endpoint);
  try {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: tableName }));
    if (Table?.LatestStreamArn !== undefined) {
      return Table.LatestStreamArn;
    }
  } finally {
    client.destroy();
  }
  throw new Error(
    `the table ${tableName} has no stream, from which events are made: begin anew with npm start -- --fresh, which forgets the orders in it; in a DynamoDB of your own, switch its stream on (NEW_AND_OLD_IMAGES) or delete the table`,
  );
}

async function getIterator(
  endpoint: string,
  streamArn: string,
  shardId: string,
  after: string | undefined,
): Promise<string> {
  const position =
    after === undefined
      ? { ShardIteratorType: 'TRIM_HORIZON' }
      : { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: after };
  const input = { StreamArn: streamArn, ShardId: shardId, ...position };
  const { ShardIterator } = await callStreams<{ ShardIterator: string }>(
    endpoint,
    'GetShardIterator',
    input,
  );
  return ShardIterator;
}

async function listShards(endpoint: string, streamArn: string): Promise<readonly Shard[]> {
  const shards: Shard[] = [];
  let start: string | undefined;
  do {
    const { StreamDescription: page }: { StreamDescription: StreamDescription } = await callStreams(
      endpoint,
      'DescribeStream',
      { StreamArn: streamArn, ...(start !== undefined && { ExclusiveStartShardId: start }) },
    );
    for (const { ShardId, ParentShardId } of page.Shards ?? []) {
      shards.push({
        shardId: ShardId,
        ...(ParentShardId !== undefined && { parentShardId: ParentShardId }),
      });
    }
    start = page.LastEvaluatedShardId;
  } while (start !== undefined);
  return shards;
}

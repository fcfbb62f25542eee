/**
 * Hands each physical order to the warehouse exactly once. What is known of an order is one row; the
 * write that takes an event in is the write that hands over, so neither happens without the other. A
 * row with a `jobState` is a job: the warehouse works through the index `jobs`.
 */
import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { type Order, type PaymentEvent, takeIn } from './order.ts';

/** Where orders are kept. */
export interface Warehouse {
  readonly client: Pick<DynamoDBClient, 'send'>;
  readonly tableName: string;
}

/** Another event of the same order was written in between: read again. One or two are usual. */
const MAX_ATTEMPTS = 10;

/**
 * Takes an event in. Safe to repeat, in any order, several at once.
 *
 * @throws what makes the queue bring it again: a table that is away, an order that too many write to.
 */
export async function handOver(event: PaymentEvent, warehouse: Warehouse): Promise<void> {
  const { outTradeNo } = event.detail;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const { order, version } = await read(outTradeNo, warehouse);
    const after = takeIn(order, event);
    const isKnown = JSON.stringify(after) === JSON.stringify(order);
    if (isKnown || (await write(order, after, version, warehouse)) === 'written') {
      return;
    }
  }
  throw new Error(`order ${outTradeNo} was written to by others ${MAX_ATTEMPTS} times`);
}

async function read(outTradeNo: string, { client, tableName }: Warehouse) {
  const { Item } = await client.send(
    new GetItemCommand({
      TableName: tableName,
      Key: { outTradeNo: { S: outTradeNo } },
      ConsistentRead: true,
    }),
  );
  const order = JSON.parse(Item?.['known']?.S ?? JSON.stringify({ outTradeNo })) as Order;
  return { order, version: Number(Item?.['version']?.N ?? 0) };
}

/**
 * Condition: the row is the one that was read, so of two that write at once one reads again.
 * `jobState` is set when the job begins and when it is recalled; in between it is the warehouse's own.
 */
async function write(
  before: Order,
  after: Order,
  version: number,
  { client, tableName }: Warehouse,
): Promise<'written' | 'outrun'> {
  const jobState = stateToSet(before, after);
  const values = {
    ':known': { S: JSON.stringify(after) },
    ':next': { N: String(version + 1) },
    ...(version > 0 && { ':version': { N: String(version) } }),
    ...(jobState && { ':jobState': { S: jobState }, ':job': { S: JSON.stringify(after.job) } }),
  };
  try {
    await client.send(
      new UpdateItemCommand({
        TableName: tableName,
        Key: { outTradeNo: { S: after.outTradeNo } },
        UpdateExpression: `SET known = :known, version = :next${jobState ? ', jobState = :jobState, job = :job' : ''}`,
        ConditionExpression: version > 0 ? 'version = :version' : 'attribute_not_exists(version)',
        ExpressionAttributeValues: values,
      }),
    );
    return 'written';
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) {
      return 'outrun';
    }
    throw error;
  }
}

function stateToSet(before: Order, after: Order): 'HANDED_OVER' | 'RECALLED' | undefined {
  if (after.isRecalled && !before.isRecalled) {
    return 'RECALLED';
  }
  return after.job && !before.job ? 'HANDED_OVER' : undefined;
}

/** Takes in what a queue brings; what fails comes again, and later goes to the dead letters. */
export async function takeMessages(
  { Records }: SQSEvent,
  warehouse: Warehouse,
): Promise<SQSBatchResponse> {
  const batchItemFailures: { itemIdentifier: string }[] = [];
  for (const { messageId, body } of Records) {
    try {
      await handOver(JSON.parse(body) as PaymentEvent, warehouse);
    } catch (error) {
      console.error(JSON.stringify({ messageId, error: String(error) }));
      batchItemFailures.push({ itemIdentifier: messageId });
    }
  }
  return { batchItemFailures };
}

const client = new DynamoDBClient();

/** What Lambda calls. */
export const handler = (event: SQSEvent): Promise<SQSBatchResponse> =>
  takeMessages(event, { client, tableName: process.env['WAREHOUSE_TABLE'] ?? '' });

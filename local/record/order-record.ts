/** One order as the table holds it now, what belongs to it, and every write that the local stack saw for it. */
import { type AttributeValue, GetItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { FIRST_MERCHANT } from '../../lib/order/order-id.ts';
import { notificationKey, orderKey, REFUND_PREFIX } from '../../lib/table/schema.ts';
import { createLocalClient } from '../aws/dynamodb.ts';
import type { EventStore, StoredEvent } from '../aws/event-bridge/event-store.ts';
import type { RecordedMessage, Recorder } from './recorder.ts';

/** What the sort keys of an order's archived notifications begin with. */
const { SK: NOTIFICATION_PREFIX } = notificationKey('', '');
const WRITES = new Set(['PutItem', 'UpdateItem', 'DeleteItem', 'TransactWriteItems']);

export interface OrderRecord {
  /** Undefined: there is no such row. */
  readonly row: Readonly<Record<string, unknown>> | undefined;
  /** The rows of its refunds; 50 at most, so that one page has them all. */
  readonly refunds: readonly Readonly<Record<string, unknown>>[];
  /** The archived notifications of WeChat about it, the oldest first. */
  readonly notifications: readonly Readonly<Record<string, unknown>>[];
  /** What was published about it, in order. */
  readonly events: readonly StoredEvent[];
  readonly writes: readonly RecordedMessage[];
}

export interface OrderReader {
  read(outTradeNo: string): Promise<OrderRecord>;
  close(): void;
}

/** `endpoint` is the engine itself, so that looking at a row is no message. */
export function openOrderReader(
  endpoint: string,
  tableName: string,
  recorder: Pick<Recorder, 'list'>,
  events: Pick<EventStore, 'listOfOrder'>,
): OrderReader {
  const client = createLocalClient(endpoint);
  const listBeside = async (PK: string, prefix: string) => {
    const { Items = [] } = await client.send(
      new QueryCommand({
        TableName: tableName,
        KeyConditionExpression: 'PK = :pk AND begins_with(SK, :prefix)',
        ExpressionAttributeValues: { ':pk': { S: PK }, ':prefix': { S: prefix } },
        ConsistentRead: true,
      }),
    );
    return Items.map(toPlainRow);
  };
  return {
    async read(outTradeNo) {
      const { PK, SK } = orderKey({ merchantKey: FIRST_MERCHANT, outTradeNo });
      const answer = await client.send(
        new GetItemCommand({
          TableName: tableName,
          Key: { PK: { S: PK }, SK: { S: SK } },
          ConsistentRead: true,
        }),
      );
      const writes = recorder
        .list()
        .filter(({ to, method }) => to === 'table' && WRITES.has(method))
        .filter(({ request }) => request.body.includes(`"${PK}"`));
      return {
        row: answer.Item && toPlainRow(answer.Item),
        refunds: await listBeside(PK, REFUND_PREFIX),
        notifications: await listBeside(PK, NOTIFICATION_PREFIX),
        events: events.listOfOrder(outTradeNo),
        writes,
      };
    },
    close: () => client.destroy(),
  };
}

/** Without DynamoDB's type letters, as the console shows a row. */
function toPlainRow(item: Readonly<Record<string, AttributeValue>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, toPlain(value)]));
}

function toPlain(value: AttributeValue): unknown {
  if (value.M !== undefined) {
    return toPlainRow(value.M);
  }
  if (value.L !== undefined) {
    return value.L.map(toPlain);
  }
  if (value.N !== undefined) {
    return Number(value.N);
  }
  return value.S ?? value.BOOL ?? null;
}

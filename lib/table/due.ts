/** Open work: whose turn it is to ask WeChat, and what is due. */
import { QueryCommand, type QueryCommandOutput } from '@aws-sdk/client-dynamodb';
import type { OrderId } from '../order/order-id.ts';
import { isoTime } from '../time.ts';
import { type Item, number, stringOf, text, time } from './attributes.ts';
import type { TableConnection } from './client.ts';
import {
  OPEN_ORDER_SHARDS,
  OPEN_ORDERS_INDEX,
  openKeys,
  openShardKey,
  orderIdOf,
  orderKey,
} from './schema.ts';
import { tryUpdate } from './update.ts';

/**
 * Takes the turn to ask WeChat about an order. Conditions: it exists and is open; nobody took the
 * turn in the last `pauseSeconds`, where a turn in the future (a clock that was set back) is none.
 */
export async function claimCheck(
  table: TableConnection,
  id: OrderId,
  nowEpochSeconds: number,
  pauseSeconds: number,
): Promise<'claimed' | 'taken'> {
  const outcome = await tryUpdate(table, orderKey(id), {
    UpdateExpression: 'SET checkedAt = :now',
    ConditionExpression:
      'tradeState = :open AND (attribute_not_exists(checkedAt) OR checkedAt <= :before OR checkedAt > :now)',
    ExpressionAttributeValues: {
      ':now': time(nowEpochSeconds),
      ':before': time(nowEpochSeconds - pauseSeconds),
      ':open': text('NOTPAY'),
    },
  });
  return outcome === 'written' ? 'claimed' : 'taken';
}

/**
 * Notes that reconcile asked and the order is still unpaid, and when it looks again. Condition: it
 * exists and still is; an order that was paid meanwhile must not come back into the index of open
 * orders.
 */
export async function markChecked(
  table: TableConnection,
  id: OrderId,
  nowEpochSeconds: number,
  { checks, nextCheckAtEpochSeconds }: { checks: number; nextCheckAtEpochSeconds: number },
): Promise<void> {
  const { GSI1PK, GSI1SK } = openKeys(id, isoTime(nextCheckAtEpochSeconds));
  await tryUpdate(table, orderKey(id), {
    UpdateExpression: 'SET checkedAt = :now, checks = :checks, GSI1PK = :shard, GSI1SK = :next',
    ConditionExpression: 'tradeState = :open',
    ExpressionAttributeValues: {
      ':now': time(nowEpochSeconds),
      ':open': text('NOTPAY'),
      ':checks': number(checks),
      ':shard': text(GSI1PK),
      ':next': text(GSI1SK),
    },
  });
}

/** Something that reconcile has to look at: its kind, and which one it is. */
export interface DueWork {
  readonly kind: 'order';
  readonly id: OrderId;
}

/** How many rows one page of the index brings. */
const DUE_PAGE = 100;

/**
 * The open work that is due, shard by shard, the longest due first in each. Everything comes once
 * per call, also when it is checked or fails while the list is read. A row of a kind that this
 * version does not know stays in the index for the version that wrote it.
 *
 * @param firstShard where to begin, so that no shard is always last when the time runs out.
 */
export async function* listDue(
  table: TableConnection,
  nowEpochSeconds: number,
  firstShard: number,
): AsyncGenerator<DueWork> {
  for (let offset = 0; offset < OPEN_ORDER_SHARDS; offset += 1) {
    let startKey: Item | undefined;
    do {
      const page: QueryCommandOutput = await table.client.send(
        new QueryCommand({
          TableName: table.tableName,
          IndexName: OPEN_ORDERS_INDEX,
          KeyConditionExpression: 'GSI1PK = :shard AND GSI1SK <= :now',
          ExpressionAttributeValues: {
            ':shard': text(openShardKey((firstShard + offset) % OPEN_ORDER_SHARDS)),
            ':now': time(nowEpochSeconds),
          },
          Limit: DUE_PAGE,
          ...(startKey && { ExclusiveStartKey: startKey }),
        }),
      );
      yield* (page.Items ?? []).map(workOf).filter((work) => work !== undefined);
      startKey = page.LastEvaluatedKey;
    } while (startKey);
  }
}

function workOf(item: Item): DueWork | undefined {
  const id = orderIdOf({ PK: stringOf(item, 'PK'), SK: stringOf(item, 'SK') });
  return id && { kind: 'order', id };
}

/** Open work: whose turn it is to ask WeChat, and what is due. */
import { QueryCommand, type QueryCommandOutput } from '@aws-sdk/client-dynamodb';
import type { OrderId } from '../order/order-id.ts';
import type { Order } from '../order/order.ts';
import { isoTime } from '../time.ts';
import { type Item, number, stringOf, text, time } from './attributes.ts';
import type { Table, TableConnection } from './client.ts';
import {
  OPEN_ORDER_SHARDS,
  OPEN_ORDERS_INDEX,
  openKeys,
  openShardKey,
  orderIdOf,
  orderKey,
  type RefundId,
  refundIdOf,
  type RowKey,
} from './schema.ts';
import { tryUpdate } from './update.ts';

/**
 * Takes the turn to ask WeChat about an order. Conditions: it exists and is open; nobody took the
 * turn in the last `pauseSeconds`, where a turn in the future (a clock that was set back) is none.
 */
export async function claimCheck(
  table: Table,
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

/** An order as it was read, with its place in the index then. */
export type ReadOrder = OrderId & Pick<Order, 'nextCheckAtEpochSeconds'>;

/**
 * Notes that reconcile asked and the order is still unpaid, and when it looks again. Conditions: it
 * exists and still is, because an order that was paid meanwhile must not come back into the index of
 * open orders; and its place in the index is the one that was read, because whoever moved it
 * meanwhile (its buyer closes it, another run was quicker) knows better when it is due.
 */
export async function markChecked(
  table: Table,
  read: ReadOrder,
  nowEpochSeconds: number,
  { checks, nextCheckAtEpochSeconds }: { checks: number; nextCheckAtEpochSeconds: number },
): Promise<void> {
  const { GSI1PK, GSI1SK } = openKeys(read, isoTime(nextCheckAtEpochSeconds));
  const readAt = read.nextCheckAtEpochSeconds;
  const samePlace = readAt === undefined ? 'attribute_not_exists(GSI1SK)' : 'GSI1SK = :read';
  await tryUpdate(table, orderKey(read), {
    UpdateExpression: 'SET checkedAt = :now, checks = :checks, GSI1PK = :shard, GSI1SK = :next',
    ConditionExpression: `tradeState = :open AND ${samePlace}`,
    ExpressionAttributeValues: {
      ...(readAt !== undefined && { ':read': time(readAt) }),
      ':now': time(nowEpochSeconds),
      ':open': text('NOTPAY'),
      ':checks': number(checks),
      ':shard': text(GSI1PK),
      ':next': text(GSI1SK),
    },
  });
}

/**
 * Puts off an order or refund whose row cannot be read: nothing of it is used but its keys. Condition: it is
 * still due; an order that left the index meanwhile must not come back, and of two runs that meet
 * one has put it off.
 */
export async function postponeUnread(
  table: Table,
  key: RowKey,
  nowEpochSeconds: number,
  nextCheckAtEpochSeconds: number,
): Promise<'written' | 'refused'> {
  const outcome = await tryUpdate(table, key, {
    UpdateExpression: 'SET GSI1SK = :next',
    ConditionExpression: 'GSI1SK <= :now',
    ExpressionAttributeValues: {
      ':now': time(nowEpochSeconds),
      ':next': time(nextCheckAtEpochSeconds),
    },
  });
  return outcome === 'written' ? 'written' : 'refused';
}

/**
 * Takes an order out of the index that is open no more, as one that was changed by hand can be.
 * Condition: it is not open.
 */
export async function leaveIndex(table: Table, id: OrderId): Promise<void> {
  await tryUpdate(table, orderKey(id), {
    UpdateExpression: 'REMOVE GSI1PK, GSI1SK',
    ConditionExpression: 'attribute_exists(PK) AND tradeState <> :open',
    ExpressionAttributeValues: { ':open': text('NOTPAY') },
  });
}

/** Something that reconcile has to look at: its kind, and which one it is. */
export type DueWork =
  | { readonly kind: 'order'; readonly id: OrderId }
  | { readonly kind: 'refund'; readonly id: RefundId };

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
  const key = { PK: stringOf(item, 'PK'), SK: stringOf(item, 'SK') };
  const id = orderIdOf(key);
  const refundId = refundIdOf(key);
  return (id && { kind: 'order', id }) ?? (refundId && { kind: 'refund', id: refundId });
}

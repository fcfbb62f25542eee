/** Orders of signed quotes, whose numbers the merchant chose: the buyer's key is bound to them. */
import {
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import type { OrderId } from '../order/order-id.ts';
import type { Order } from '../order/order.ts';
import { type Item, keyOf, readRow, stringOf, text } from './attributes.ts';
import { batchGet, rowWith } from './batch-get.ts';
import type { Table, TableConnection } from './client.ts';
import { MAX_CONFLICT_ATTEMPTS, pauseAfterConflict } from './conflict.ts';
import { orderFromItem, orderToItem } from './order-row.ts';
import { retainedGuard } from './retention.ts';
import { idempotencyKey, orderKey } from './schema.ts';

/** `bound`: the key belongs to another order, whose number this is. */
export type BoundCreation =
  | { readonly kind: 'order'; readonly order: Order }
  | { readonly kind: 'bound'; readonly outTradeNo: string };

/**
 * Writes an order whose number the merchant's backend chose, and binds the buyer's idempotency
 * key to it, both or neither.
 *
 * Conditions: the key's own order does not exist (the key made no order from a cart); the key is
 * not bound, or bound to this very order; no order has this number.
 *
 * @param keyOrderNumber the number of the key's own order, another than the order's.
 */
export async function createQuotedOrder(
  table: Table,
  order: Order,
  keyOrderNumber: string,
): Promise<BoundCreation> {
  const write = {
    Put: {
      TableName: table.tableName,
      Item: orderToItem(order),
      ConditionExpression: 'attribute_not_exists(PK)',
      ...RETURN_ROW,
    },
  };
  const { createdAtEpochSeconds } = order;
  const items = [...bindingItems(table, order, keyOrderNumber, createdAtEpochSeconds), write];
  const stopped = await transact(table, items, order, keyOrderNumber, (rows) => {
    const boundTo = boundElsewhere(rows, order.outTradeNo);
    if (boundTo !== undefined) {
      return { kind: 'bound', outTradeNo: boundTo } as const;
    }
    const { sameNumber } = rows;
    return sameNumber && ({ kind: 'order', order: orderFromItem(sameNumber) } as const);
  });
  return stopped ?? { kind: 'order', order };
}

/**
 * Binds a key to a quoted order that was there already, under the conditions of its creation.
 * Answers the number of the other order that the key belongs to, if there is one.
 */
export async function bindKey(
  table: Table,
  id: OrderId,
  keyOrderNumber: string,
  nowEpochSeconds: number,
): Promise<string | undefined> {
  const items = bindingItems(table, id, keyOrderNumber, nowEpochSeconds);
  const stopped = await transact(table, items, id, keyOrderNumber, (rows) => {
    const boundTo = boundElsewhere(rows, id.outTradeNo);
    // Bound to this order: an equal request was faster.
    return boundTo !== undefined || rows.binding ? { boundTo } : undefined;
  });
  return stopped?.boundTo;
}

const RETURN_ROW = { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const;

/** The key made no order of its own, and is not bound, or bound to this very order. */
function bindingItems(
  table: Table,
  id: OrderId,
  keyOrderNumber: string,
  nowEpochSeconds: number,
): TransactWriteItem[] {
  const keyId = { merchantKey: id.merchantKey, outTradeNo: keyOrderNumber };
  return [
    {
      ConditionCheck: {
        TableName: table.tableName,
        Key: keyOf(orderKey(keyId)),
        ConditionExpression: 'attribute_not_exists(PK)',
        ...RETURN_ROW,
      },
    },
    {
      Put: {
        TableName: table.tableName,
        Item: {
          ...keyOf(idempotencyKey(keyId)),
          outTradeNo: text(id.outTradeNo),
          ...retainedGuard(table, nowEpochSeconds),
        },
        ConditionExpression: 'attribute_not_exists(PK) OR outTradeNo = :outTradeNo',
        ExpressionAttributeValues: { ':outTradeNo': text(id.outTradeNo) },
        ...RETURN_ROW,
      },
    },
  ];
}

/** The rows that a transaction here is about, as far as they exist. */
interface TransactionRows {
  readonly keyOrder: Item | undefined;
  readonly binding: Item | undefined;
  readonly sameNumber: Item | undefined;
}

/**
 * Sends a transaction; nothing when it was carried out. When it was cancelled, what `judge` makes
 * of the rows that stopped it. One that met another transaction says nothing by itself: the rows
 * are read, and while they decide nothing either, it is sent again.
 */
async function transact<T>(
  table: Table,
  items: TransactWriteItem[],
  id: OrderId,
  keyOrderNumber: string,
  judge: (rows: TransactionRows) => T | undefined,
): Promise<T | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await table.client.send(new TransactWriteItemsCommand({ TransactItems: items }));
      return undefined;
    } catch (error) {
      if (!(error instanceof TransactionCanceledException)) {
        throw error;
      }
      const reasons = error.CancellationReasons ?? [];
      // The rows come in the order of the transaction, each where its condition failed.
      const [keyOrder, binding, sameNumber] = reasons.map(({ Item }) => Item);
      const stopped = judge({ keyOrder, binding, sameNumber });
      if (stopped) {
        return stopped;
      }
      if (!reasons.some(({ Code }) => Code === 'TransactionConflict')) {
        throw error;
      }
      const met = judge(await readTransactionRows(table, id, keyOrderNumber));
      if (met) {
        return met;
      }
      if (attempt === MAX_CONFLICT_ATTEMPTS) {
        throw error;
      }
      await pauseAfterConflict(table, attempt);
    }
  }
}

/** The number of another order that the key made or is bound to. */
const boundElsewhere = ({ keyOrder, binding }: TransactionRows, outTradeNo: string) =>
  [keyOrder, binding]
    .map((row) => row && orderNumberOf(row))
    .find((number) => number !== undefined && number !== outTradeNo);

/** The order that a row names. @throws {UnreadableRowError} */
export const orderNumberOf = (row: Item) => readRow(row, () => stringOf(row, 'outTradeNo'));

async function readTransactionRows(
  table: TableConnection,
  id: OrderId,
  keyOrderNumber: string,
): Promise<TransactionRows> {
  const keyId = { merchantKey: id.merchantKey, outTradeNo: keyOrderNumber };
  const keys = [orderKey(keyId), idempotencyKey(keyId), orderKey(id)];
  const rows = await batchGet(table, keys);
  const [keyOrder, binding, sameNumber] = keys.map(({ PK }) => rowWith(rows, PK));
  return { keyOrder, binding, sameNumber };
}

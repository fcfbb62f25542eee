/** Creating an order exactly once, whatever arrives twice, late or at the same time. */
import {
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  PutItemCommand,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import type { Order } from '../order/order.ts';
import type { Product } from '../order/pricing.ts';
import type { Table } from './client.ts';
import { type Item, orderFromItem, orderToItem, stringOf, text } from './order-row.ts';
import { productFromItem } from './products.ts';
import { idempotencyKey, orderKey, productKey } from './schema.ts';

/** What one read tells before an order is priced. */
export interface CartSituation {
  /** The products of the cart that are for sale; empty for a repeat, which is not priced again. */
  readonly catalogue: ReadonlyMap<string, Product>;
  /** The order that this idempotency key made earlier. */
  readonly order: Order | undefined;
  /** The number of another order that this key is bound to (by a quote). */
  readonly boundTo: string | undefined;
}

/**
 * Reads, at once and consistently, the products of a cart and what its idempotency key did before.
 * A repeat finds its order whatever became of the catalogue since.
 */
export async function readCart(
  table: Table,
  skus: readonly string[],
  outTradeNo: string,
): Promise<CartSituation> {
  const order = orderKey(outTradeNo);
  const binding = idempotencyKey(outTradeNo);
  const rows = await batchGet(table, [order, binding, ...new Set(skus)].map(toKey));
  const orderRow = rowWith(rows, order.PK);
  const bindingRow = rowWith(rows, binding.PK);
  const productRows = orderRow || bindingRow ? [] : rows;
  const products = productRows
    .filter((row) => row['SK']?.S === 'PRODUCT')
    .map((row) => productFromItem(row))
    .filter((product) => product !== undefined);
  return {
    catalogue: new Map(products.map((product) => [product.sku, product])),
    order: orderRow && orderFromItem(orderRow),
    boundTo: bindingRow && stringOf(bindingRow, 'outTradeNo'),
  };
}

const rowWith = (rows: readonly Item[], PK: string) => rows.find((row) => row['PK']?.S === PK);

function toKey(key: string | { PK: string; SK: string }): Item {
  const { PK, SK } = typeof key === 'string' ? productKey(key) : key;
  return { PK: text(PK), SK: text(SK) };
}

/** DynamoDB may hand back a part under load; the rest is asked for again, three times at most. */
async function batchGet(table: Table, keys: Item[]): Promise<Item[]> {
  const rows: Item[] = [];
  let pending = keys;
  for (let attempt = 0; pending.length > 0; attempt += 1) {
    if (attempt === 3) {
      throw new Error('DynamoDB left keys of a batch unread three times');
    }
    const answer = await table.client.send(
      new BatchGetItemCommand({
        RequestItems: { [table.tableName]: { Keys: pending, ConsistentRead: true } },
      }),
    );
    rows.push(...(answer.Responses?.[table.tableName] ?? []));
    pending = answer.UnprocessedKeys?.[table.tableName]?.Keys ?? [];
  }
  return rows;
}

/**
 * Writes an order whose number comes from the idempotency key. Answers the order that holds: this
 * one, or the one that was there.
 *
 * Condition: no row has this key. Of 50 equal requests at once, one writes and 49 get its row
 * back with the refusal, without a read.
 */
export async function createOrder(table: Table, order: Order): Promise<Order> {
  try {
    await table.client.send(
      new PutItemCommand({
        TableName: table.tableName,
        Item: orderToItem(order),
        ConditionExpression: 'attribute_not_exists(PK)',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      }),
    );
    return order;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException && error.Item) {
      return orderFromItem(error.Item);
    }
    throw error;
  }
}

/** `bound`: the key belongs to another order, whose number this is. */
export type BoundCreation =
  | { readonly kind: 'order'; readonly order: Order }
  | { readonly kind: 'bound'; readonly outTradeNo: string };

const MAX_TRANSACTION_ATTEMPTS = 5;

/**
 * Writes an order whose number the merchant's backend chose, and binds the buyer's idempotency
 * key to it, both or neither.
 *
 * Conditions: the key's own order does not exist (the key made no order from a cart); the key is
 * not bound, or bound to this very order; no order has this number.
 */
export async function createQuotedOrder(
  table: Table,
  order: Order,
  keyOrderNumber: string,
): Promise<BoundCreation> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await table.client.send(quotedOrderTransaction(table, order, keyOrderNumber));
      return { kind: 'order', order };
    } catch (error) {
      if (!(error instanceof TransactionCanceledException)) {
        throw error;
      }
      const result = await judgeCancellation(table, error, order, keyOrderNumber);
      if (result) {
        return result;
      }
      // Two transactions met on the same rows; one of them is through by now.
      if (attempt === MAX_TRANSACTION_ATTEMPTS) {
        throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 50 * attempt));
    }
  }
}

function quotedOrderTransaction(table: Table, order: Order, keyOrderNumber: string) {
  return new TransactWriteItemsCommand({
    TransactItems: [
      ...bindingItems(table, order.outTradeNo, keyOrderNumber),
      {
        Put: {
          TableName: table.tableName,
          Item: orderToItem(order),
          ConditionExpression: 'attribute_not_exists(PK)',
          ...RETURN_ROW,
        },
      },
    ],
  });
}

const RETURN_ROW = { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const;

/** The key made no order of its own, and is not bound, or bound to this very order. */
function bindingItems(
  table: Table,
  outTradeNo: string,
  keyOrderNumber: string,
): TransactWriteItem[] {
  const binding = idempotencyKey(keyOrderNumber);
  return [
    {
      ConditionCheck: {
        TableName: table.tableName,
        Key: toKey(orderKey(keyOrderNumber)),
        ConditionExpression: 'attribute_not_exists(PK)',
        ...RETURN_ROW,
      },
    },
    {
      Put: {
        TableName: table.tableName,
        Item: { PK: text(binding.PK), SK: text(binding.SK), outTradeNo: text(outTradeNo) },
        ConditionExpression: 'attribute_not_exists(PK) OR outTradeNo = :outTradeNo',
        ExpressionAttributeValues: { ':outTradeNo': text(outTradeNo) },
        ...RETURN_ROW,
      },
    },
  ];
}

/**
 * Binds a key to a quoted order that was there already, under the conditions of its creation.
 * Answers the number of the other order that the key belongs to, if there is one.
 */
export async function bindKey(
  table: Table,
  outTradeNo: string,
  keyOrderNumber: string,
): Promise<string | undefined> {
  try {
    await table.client.send(
      new TransactWriteItemsCommand({
        TransactItems: bindingItems(table, outTradeNo, keyOrderNumber),
      }),
    );
    return undefined;
  } catch (error) {
    if (!(error instanceof TransactionCanceledException)) {
      throw error;
    }
    const row = error.CancellationReasons?.find(({ Item }) => Item)?.Item;
    if (row) {
      return stringOf(row, 'outTradeNo');
    }
    // An equal request binds the same key at this moment.
    if (error.CancellationReasons?.some(({ Code }) => Code === 'TransactionConflict')) {
      return undefined;
    }
    throw error;
  }
}

/**
 * What the rows that stopped the transaction mean; nothing when it only met another one and none
 * of the rows is there yet.
 */
async function judgeCancellation(
  table: Table,
  error: TransactionCanceledException,
  order: Order,
  keyOrderNumber: string,
): Promise<BoundCreation | undefined> {
  const reasons = error.CancellationReasons ?? [];
  // The rows come in the order of the transaction, each where its condition failed.
  const [keyOrder, binding, sameNumber] = reasons.map(({ Item }) => Item);
  const judged = judgeRows({ keyOrder, binding, sameNumber }, order.outTradeNo);
  if (judged) {
    return judged;
  }
  if (!reasons.some(({ Code }) => Code === 'TransactionConflict')) {
    throw error;
  }
  return judgeRows(
    await readTransactionRows(table, order.outTradeNo, keyOrderNumber),
    order.outTradeNo,
  );
}

/** The three rows of `quotedOrderTransaction`, as far as they exist. */
interface TransactionRows {
  readonly keyOrder: Item | undefined;
  readonly binding: Item | undefined;
  readonly sameNumber: Item | undefined;
}

function judgeRows(
  { keyOrder, binding, sameNumber }: TransactionRows,
  outTradeNo: string,
): BoundCreation | undefined {
  const boundTo = [keyOrder, binding]
    .map((row) => row && stringOf(row, 'outTradeNo'))
    .find((number) => number !== undefined && number !== outTradeNo);
  if (boundTo !== undefined) {
    return { kind: 'bound', outTradeNo: boundTo };
  }
  return sameNumber && { kind: 'order', order: orderFromItem(sameNumber) };
}

async function readTransactionRows(
  table: Table,
  outTradeNo: string,
  keyOrderNumber: string,
): Promise<TransactionRows> {
  const keys = [orderKey(keyOrderNumber), idempotencyKey(keyOrderNumber), orderKey(outTradeNo)];
  const rows = await batchGet(table, keys.map(toKey));
  const [keyOrder, binding, sameNumber] = keys.map(({ PK }) => rowWith(rows, PK));
  return { keyOrder, binding, sameNumber };
}

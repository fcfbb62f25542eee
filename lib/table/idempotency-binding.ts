/** Orders of signed quotes, whose numbers the merchant chose: the buyer's key is bound to them. */
import {
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import type { OrderId } from '../order/order-id.ts';
import type { Order } from '../order/order.ts';
import { type Item, keyOf, stringOf, text } from './attributes.ts';
import { batchGet, rowWith } from './batch-get.ts';
import type { Table, TableConnection } from './client.ts';
import { orderFromItem, orderToItem } from './order-row.ts';
import { idempotencyKey, orderKey } from './schema.ts';

/** `bound`: the key belongs to another order, whose number this is. */
export type BoundCreation =
  | { readonly kind: 'order'; readonly order: Order }
  | { readonly kind: 'bound'; readonly outTradeNo: string };

const MAX_TRANSACTION_ATTEMPTS = 5;
/** Longest pause after the first attempt; it grows with every further one. */
const MAX_PAUSE_MS = 50;

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
      await pause(table, MAX_PAUSE_MS * attempt);
    }
  }
}

/** Some part of the time, by chance: those who met must not meet again. */
async function pause({ randomBytes, startTimer }: Table, maxMs: number): Promise<void> {
  const part = randomBytes(2).readUInt16BE() / 0x1_00_00;
  await new Promise<void>((resolve) => {
    startTimer(part * maxMs, resolve);
  });
}

function quotedOrderTransaction(table: TableConnection, order: Order, keyOrderNumber: string) {
  return new TransactWriteItemsCommand({
    TransactItems: [
      ...bindingItems(table, order, keyOrderNumber),
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
  table: TableConnection,
  id: OrderId,
  keyOrderNumber: string,
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
        Item: { ...keyOf(idempotencyKey(keyId)), outTradeNo: text(id.outTradeNo) },
        ConditionExpression: 'attribute_not_exists(PK) OR outTradeNo = :outTradeNo',
        ExpressionAttributeValues: { ':outTradeNo': text(id.outTradeNo) },
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
  table: TableConnection,
  id: OrderId,
  keyOrderNumber: string,
): Promise<string | undefined> {
  try {
    await table.client.send(
      new TransactWriteItemsCommand({
        TransactItems: bindingItems(table, id, keyOrderNumber),
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
  table: TableConnection,
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
  return judgeRows(await readTransactionRows(table, order, keyOrderNumber), order.outTradeNo);
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

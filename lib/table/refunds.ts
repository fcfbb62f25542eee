/** Refunds: read, listed, reserved. */
import { QueryCommand, type QueryCommandOutput } from '@aws-sdk/client-dynamodb';
import type { OrderId } from '../order/order-id.ts';
import type { Order } from '../order/order.ts';
import type { Refund } from '../refund/refund.ts';
import { type Item, keyOf, stringOf, text } from './attributes.ts';
import { balanceFromItem, probe, type ShortBalance } from './balance.ts';
import { batchGet, rowAt } from './batch-get.ts';
import type { Table, TableConnection } from './client.ts';
import { orderFromItem } from './order-row.ts';
import { orderUpdate, putNew, reservation, turn, type Turns } from './refund-account.ts';
import { newRefundItem } from './refund-facts.ts';
import { refundFromItem } from './refund-row.ts';
import { retainedGuard } from './retention.ts';
import {
  balanceKey,
  orderKey,
  REFUND_PREFIX,
  type RefundId,
  refundKey,
  refundNumberKey,
  refundRequestKey,
} from './schema.ts';
import { transact } from './transaction.ts';

/** What one read tells before a refund is made or sent. */
export interface RefundSituation {
  readonly order: Order | undefined;
  readonly refund: Refund | undefined;
  /** What the idempotency key was used for, digested. */
  readonly keyFingerprint: string | undefined;
  readonly shortBalance: ShortBalance | undefined;
}

/** Reads, at once and consistently, an order, one of its refunds, and what decides about sending it. */
export async function readRefund(
  table: TableConnection,
  id: RefundId,
  keyDigest?: string,
): Promise<RefundSituation> {
  const keys = {
    order: orderKey(id),
    refund: refundKey(id),
    balance: balanceKey(id),
    ...(keyDigest !== undefined && { request: refundRequestKey(id, keyDigest) }),
  };
  const rows = await batchGet(table, Object.values(keys));
  const order = rowAt(rows, keys.order);
  const refund = rowAt(rows, keys.refund);
  const request = keys.request && rowAt(rows, keys.request);
  return {
    order: order && orderFromItem(order),
    refund: refund && refundFromItem(refund),
    keyFingerprint: request && stringOf(request, 'fingerprint'),
    shortBalance: balanceFromItem(rowAt(rows, keys.balance)),
  };
}

/** Every refund of an order, as it is now (strongly consistent). There are few: WeChat takes 50. */
export async function listRefunds(table: TableConnection, id: OrderId): Promise<Refund[]> {
  const refunds: Refund[] = [];
  let startKey: Item | undefined;
  do {
    const page: QueryCommandOutput = await table.client.send(
      new QueryCommand({
        TableName: table.tableName,
        KeyConditionExpression: 'PK = :order AND begins_with(SK, :refunds)',
        ExpressionAttributeValues: {
          ':order': text(orderKey(id).PK),
          ':refunds': text(REFUND_PREFIX),
        },
        ConsistentRead: true,
        ...(startKey && { ExclusiveStartKey: startKey }),
      }),
    );
    refunds.push(...(page.Items as Item[]).map(refundFromItem));
    startKey = page.LastEvaluatedKey;
  } while (startKey);
  return refunds;
}

/** What stood against a reservation; the rows have to be read again. `number-taken`: by another order. */
export type Reservation = 'reserved' | 'number-taken' | 'changed-meanwhile';

/**
 * Reserves the money of a refund, writes its row, claims its number and binds the key to it; all of
 * it or nothing.
 *
 * Conditions: money was received, so much of it is left, and WeChat takes one more refund; the order's
 * turn is free, where it is taken; there is no such refund; nobody has the number, and no other refund
 * the key.
 */
export async function reserveRefund(
  table: Table,
  refund: Refund,
  turns: Turns,
  keyDigest: string | undefined,
): Promise<Reservation> {
  const { nowEpochSeconds } = turns;
  const clauses = [reservation(refund), ...(turns.order ? [turn(nowEpochSeconds)] : [])];
  const claim = refundNumberKey(refund.mchid, refund.outRefundNo);
  const outcome = await transact(table, [
    putNew(table, {
      ...keyOf(claim),
      orderPK: text(orderKey(refund).PK),
      ...retainedGuard(table, nowEpochSeconds),
    }),
    orderUpdate(table, refund, nowEpochSeconds, clauses),
    putNew(table, newRefundItem(refund)),
    ...(keyDigest === undefined ? [] : [putRequestKey(table, refund, keyDigest, nowEpochSeconds)]),
    ...(turns.probe ? [probe(table, refund, nowEpochSeconds)] : []),
  ]);
  if (outcome === 'written') {
    return 'reserved';
  }
  const [claimed] = outcome;
  const isOurs = claimed?.item && stringOf(claimed.item, 'orderPK') === orderKey(refund).PK;
  return claimed && !isOurs ? 'number-taken' : 'changed-meanwhile';
}

const putRequestKey = (table: Table, refund: Refund, keyDigest: string, nowEpochSeconds: number) =>
  putNew(table, {
    ...keyOf(refundRequestKey(refund, keyDigest)),
    outRefundNo: text(refund.outRefundNo),
    fingerprint: text(String(refund.fingerprint)),
    ...retainedGuard(table, nowEpochSeconds),
  });

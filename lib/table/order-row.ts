/** An order as a DynamoDB item, and back. Times are ISO 8601 in UTC, so people can read the row. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Order, OrderItem, OrderState } from '../order/order.ts';
import { isoTime } from '../time.ts';
import { OPEN_ORDER_SHARDS, openShardKey, orderKey } from './schema.ts';

export type Item = Record<string, AttributeValue>;

export const text = (value: string): AttributeValue => ({ S: value });
export const number = (value: number): AttributeValue => ({ N: String(value) });
export const time = (epochSeconds: number): AttributeValue => ({ S: isoTime(epochSeconds) });

/** The index keys of an open order; its shard follows from its number. */
export function openKeys(outTradeNo: string, nextCheckAtEpochSeconds: number) {
  return {
    GSI1PK: text(openShardKey(shardOf(outTradeNo))),
    GSI1SK: time(nextCheckAtEpochSeconds),
  } satisfies Item;
}

/** FNV-1a over the number: even, stable, and independent of how numbers are made. */
function shardOf(outTradeNo: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(outTradeNo)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash % OPEN_ORDER_SHARDS;
}

export function orderToItem(order: Order): Item {
  const key = orderKey(order.outTradeNo);
  return {
    PK: text(key.PK),
    SK: text(key.SK),
    ...(order.nextCheckAtEpochSeconds !== undefined &&
      openKeys(order.outTradeNo, order.nextCheckAtEpochSeconds)),
    outTradeNo: text(order.outTradeNo),
    openid: text(order.openid),
    appid: text(order.appid),
    mchid: text(order.mchid),
    ...(order.subMchid !== undefined && { subMchid: text(order.subMchid) }),
    ...(order.spAppid !== undefined && { spAppid: text(order.spAppid) }),
    totalFen: number(order.totalFen),
    currency: text(order.currency),
    description: text(order.description),
    ...(order.attach !== undefined && { attach: text(order.attach) }),
    ...(order.items && { items: { L: order.items.map(orderItemToValue) } }),
    tradeState: text(order.tradeState),
    createdAt: time(order.createdAtEpochSeconds),
    expiresAt: time(order.expiresAtEpochSeconds),
    fingerprint: text(order.fingerprint),
    apiVersion: text(order.apiVersion),
    prepayRequest: {
      M: Object.fromEntries(
        Object.entries(order.prepayRequest).map(([name, value]) => [name, text(value)]),
      ),
    },
    checks: number(order.checks),
  };
}

export function orderFromItem(item: Item): Order {
  const optionalTime = (name: string) => {
    const value = item[name]?.S;
    return value === undefined ? undefined : epochSeconds(value);
  };
  return {
    outTradeNo: stringOf(item, 'outTradeNo'),
    openid: stringOf(item, 'openid'),
    appid: stringOf(item, 'appid'),
    mchid: stringOf(item, 'mchid'),
    subMchid: item['subMchid']?.S,
    spAppid: item['spAppid']?.S,
    totalFen: numberOf(item, 'totalFen'),
    currency: stringOf(item, 'currency') as 'CNY',
    description: stringOf(item, 'description'),
    attach: item['attach']?.S,
    items: item['items']?.L?.map(orderItemFromValue),
    tradeState: stringOf(item, 'tradeState') as OrderState,
    createdAtEpochSeconds: epochSeconds(stringOf(item, 'createdAt')),
    expiresAtEpochSeconds: epochSeconds(stringOf(item, 'expiresAt')),
    fingerprint: stringOf(item, 'fingerprint'),
    apiVersion: stringOf(item, 'apiVersion') as Order['apiVersion'],
    prepayRequest: textsOf(item, 'prepayRequest'),
    checks: numberOf(item, 'checks'),
    checkedAtEpochSeconds: optionalTime('checkedAt'),
    nextCheckAtEpochSeconds: optionalTime('GSI1SK'),
    paidAtEpochSeconds: optionalTime('paidAt'),
    transactionId: item['transactionId']?.S,
    refundedFen: item['refundedFen'] && numberOf(item, 'refundedFen'),
    paidAfterClose: item['paidAfterClose']?.BOOL,
  };
}

/** @throws {TypeError} when a row lacks an attribute that every row of its kind has. */
export function stringOf(item: Item, name: string): string {
  const value = item[name]?.S;
  if (value === undefined) {
    throw new TypeError(`the row has no text attribute ${name}`);
  }
  return value;
}

/** @throws {TypeError} when a row lacks an attribute that every row of its kind has. */
export function numberOf(item: Item, name: string): number {
  const value = item[name]?.N;
  if (value === undefined) {
    throw new TypeError(`the row has no number attribute ${name}`);
  }
  return Number(value);
}

/** @throws {TypeError} when the attribute is not a map of texts: half a request is none. */
function textsOf(item: Item, name: string): Record<string, string> {
  const map = item[name]?.M;
  if (!map) {
    throw new TypeError(`the row has no map attribute ${name}`);
  }
  return Object.fromEntries(Object.keys(map).map((key) => [key, stringOf(map, key)]));
}

const epochSeconds = (iso: string) => Date.parse(iso) / 1000;

function orderItemToValue(item: OrderItem): AttributeValue {
  return {
    M: { sku: text(item.sku), quantity: number(item.quantity), unitFen: number(item.unitFen) },
  };
}

function orderItemFromValue(value: AttributeValue): OrderItem {
  const item = value.M ?? {};
  return {
    sku: stringOf(item, 'sku'),
    quantity: numberOf(item, 'quantity'),
    unitFen: numberOf(item, 'unitFen'),
  };
}

/** An order as a DynamoDB item, and back. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { KeptKind } from '../order/goods-kind.ts';
import type { Order, OrderItem, OrderState } from '../order/order.ts';
import {
  type Item,
  keyOf,
  number,
  numberOf,
  optionalTimeOf,
  stringOf,
  text,
  texts,
  textsOf,
  time,
  timeOf,
} from './attributes.ts';
import type { StoredRequest } from '../order/stored-request.ts';
import { isoTime } from '../time.ts';
import { buyerKeys, openKeys, orderIdOf, orderKey } from './schema.ts';

/** An order as it is when it is created. */
export function orderToItem(order: Order): Item {
  return {
    ...keyOf(orderKey(order)),
    ...(order.nextCheckAtEpochSeconds !== undefined &&
      texts(openKeys(order, isoTime(order.nextCheckAtEpochSeconds)))),
    ...texts(buyerKeys(order, isoTime(order.createdAtEpochSeconds))),
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
    ...(order.kind !== undefined && { kind: text(order.kind) }),
    ...(order.items && { items: { L: order.items.map(orderItemToValue) } }),
    ...(order.profitSharing && { profitSharing: { BOOL: true } }),
    tradeState: text(order.tradeState),
    createdAt: time(order.createdAtEpochSeconds),
    expiresAt: time(order.expiresAtEpochSeconds),
    fingerprint: text(order.fingerprint),
    apiVersion: text(order.apiVersion),
    prepayRequest: {
      M: Object.fromEntries(
        Object.entries(textsOfRequest(order.prepayRequest)).map(([name, value]) => [
          name,
          text(value),
        ]),
      ),
    },
    checks: number(order.checks),
  };
}

export function orderFromItem(item: Item): Order {
  const key = { PK: stringOf(item, 'PK'), SK: stringOf(item, 'SK') };
  const id = orderIdOf(key);
  if (!id) {
    throw new TypeError(`the row ${key.PK} ${key.SK} is not an order`);
  }
  return {
    ...id,
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
    kind: item['kind']?.S as KeptKind,
    profitSharing: item['profitSharing']?.BOOL,
    tradeState: stringOf(item, 'tradeState') as OrderState,
    createdAtEpochSeconds: timeOf(item, 'createdAt'),
    expiresAtEpochSeconds: timeOf(item, 'expiresAt'),
    fingerprint: stringOf(item, 'fingerprint'),
    apiVersion: stringOf(item, 'apiVersion') as Order['apiVersion'],
    prepayRequest: requestOf(item),
    checks: numberOf(item, 'checks'),
    checkedAtEpochSeconds: optionalTimeOf(item, 'checkedAt'),
    nextCheckAtEpochSeconds: optionalTimeOf(item, 'GSI1SK'),
    paidAtEpochSeconds: optionalTimeOf(item, 'paidAt'),
    transactionId: item['transactionId']?.S,
    paidAfterClose: item['paidAfterClose']?.BOOL,
  };
}

/** What the row keeps of a request: the fields of v2, or path and body of v3. */
function textsOfRequest(request: StoredRequest): Readonly<Record<string, string>> {
  return request.apiVersion === 'v2' ? request.fields : { path: request.path, body: request.body };
}

/** @throws {TypeError} when the row's request is not one of its version. */
function requestOf(item: Item): StoredRequest {
  const apiVersion = stringOf(item, 'apiVersion');
  const texts = textsOf(item, 'prepayRequest');
  if (apiVersion === 'v2') {
    return { apiVersion, fields: texts };
  }
  const { path, body } = texts;
  if (apiVersion !== 'v3' || path === undefined || body === undefined) {
    throw new TypeError(`the row's prepayRequest is not one of API ${apiVersion}`);
  }
  return { apiVersion, path, body };
}

function orderItemToValue(item: OrderItem): AttributeValue {
  return {
    M: {
      sku: text(item.sku),
      quantity: number(item.quantity),
      unitFen: number(item.unitFen),
      ...(item.kind !== undefined && { kind: text(item.kind) }),
    },
  };
}

function orderItemFromValue(value: AttributeValue): OrderItem {
  const item = value.M ?? {};
  return {
    sku: stringOf(item, 'sku'),
    quantity: numberOf(item, 'quantity'),
    unitFen: numberOf(item, 'unitFen'),
    kind: item['kind']?.S as KeptKind,
  };
}

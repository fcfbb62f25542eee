/** An order as a DynamoDB item, and back. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { GOODS_KINDS, type KeptKind } from '../order/goods-kind.ts';
import type { OrderId } from '../order/order-id.ts';
import type { Order, OrderItem, OrderState, PaymentAfterClose } from '../order/order.ts';
import type { OrderFacts } from '../order/transition.ts';
import { workClassOf } from '../order/work-class.ts';
import { isoTime } from '../time.ts';
import {
  AttributeError,
  countOf,
  type Item,
  keyOf,
  number,
  numberOf,
  oneOf,
  optionalBooleanOf,
  optionalListOf,
  optionalStringOf,
  optionalTimeOf,
  readRow,
  stringOf,
  text,
  texts,
  time,
  timeOf,
} from './attributes.ts';
import { API_VERSIONS, storedRequestFrom, storedRequestToValue } from './stored-request.ts';
import { buyerKeys, openKeys, orderIdOf, orderKey } from './schema.ts';
import { isAskedPlace } from './shard.ts';

/** An order as it is when it is created. */
export function orderToItem(order: Order): Item {
  return {
    ...keyOf(orderKey(order)),
    ...(order.nextCheckAtEpochSeconds !== undefined &&
      texts(openKeys(order, workClassOf(order), isoTime(order.nextCheckAtEpochSeconds)))),
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
    prepayRequest: storedRequestToValue(order.prepayRequest),
    checks: number(order.checks),
  };
}

/** @throws {UnreadableRowError} for a row that is not wholly an order: nothing is guessed. */
export function orderFromItem(item: Item): Order {
  return readRow(item, () => ({
    ...idOf(item),
    ...factsOf(item),
    description: stringOf(item, 'description'),
    attach: optionalStringOf(item, 'attach'),
    items: optionalListOf(item, 'items')?.map(orderItemFromValue),
    kind: keptKindOf(item),
    profitSharing: optionalBooleanOf(item, 'profitSharing'),
    createdAtEpochSeconds: timeOf(item, 'createdAt'),
    expiresAtEpochSeconds: timeOf(item, 'expiresAt'),
    fingerprint: stringOf(item, 'fingerprint'),
    apiVersion: oneOf(item, 'apiVersion', API_VERSIONS),
    prepayRequest: storedRequestFrom(item, 'prepayRequest'),
    checks: countOf(item, 'checks'),
    checkedAtEpochSeconds: optionalTimeOf(item, 'checkedAt'),
    closingAtEpochSeconds: optionalTimeOf(item, 'closingAt'),
    deleteAtEpochSeconds: item['deleteAt'] && numberOf(item, 'deleteAt'),
    unsettledSinceEpochSeconds: optionalTimeOf(item, 'unsettledSince'),
    isAskedAbout: isAskedPlace(item['GSI1PK']?.S ?? '') || undefined,
    nextCheckAtEpochSeconds: optionalTimeOf(item, 'GSI1SK'),
    paidAtEpochSeconds: optionalTimeOf(item, 'paidAt'),
    paidAfterClose: optionalBooleanOf(item, 'paidAfterClose'),
    paymentAfterClose: item['paymentAfterClose'] && oneOf(item, 'paymentAfterClose', AFTER_CLOSE),
    refundableFen: item['refundableFen'] && numberOf(item, 'refundableFen'),
    refundCount: item['refundCount'] && countOf(item, 'refundCount'),
    refundSentAtEpochSeconds: optionalTimeOf(item, 'refundSentAt'),
    refundNotices: item['refundNotices']?.SS,
  }));
}

/**
 * The part of an order that evidence is judged by: a payment is recorded also when something else
 * of the row is damaged.
 *
 * @throws {UnreadableRowError}
 */
export const factsFromItem = (item: Item): OrderFacts => readRow(item, () => factsOf(item));

const AFTER_CLOSE = ['keep', 'refund'] as const satisfies readonly PaymentAfterClose[];
const STATES = ['NOTPAY', 'SUCCESS', 'REFUND', 'CLOSED'] as const satisfies readonly OrderState[];
const KEPT_KINDS = GOODS_KINDS.filter((kind) => kind !== 'physical');

function idOf(item: Item): OrderId {
  const key = { PK: stringOf(item, 'PK'), SK: stringOf(item, 'SK') };
  const id = orderIdOf(key);
  if (!id) {
    throw new AttributeError('PK', `the row ${key.PK} ${key.SK} is not an order`);
  }
  return id;
}

function factsOf(item: Item): OrderFacts {
  return {
    tradeState: oneOf(item, 'tradeState', STATES),
    openid: stringOf(item, 'openid'),
    appid: stringOf(item, 'appid'),
    mchid: stringOf(item, 'mchid'),
    subMchid: optionalStringOf(item, 'subMchid'),
    spAppid: optionalStringOf(item, 'spAppid'),
    totalFen: countOf(item, 'totalFen'),
    currency: oneOf(item, 'currency', ['CNY']),
    transactionId: optionalStringOf(item, 'transactionId'),
    createdAtEpochSeconds: creationOf(item),
  };
}

/** Nothing when it cannot be read: no payment is held up by that. */
function creationOf(item: Item): number | undefined {
  try {
    return timeOf(item, 'createdAt');
  } catch {
    return undefined;
  }
}

const keptKindOf = (item: Item): KeptKind => item['kind'] && oneOf(item, 'kind', KEPT_KINDS);

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

function orderItemFromValue({ M: item }: AttributeValue): OrderItem {
  if (!item) {
    throw new AttributeError('items', 'the attribute items has a line that is none');
  }
  return {
    sku: stringOf(item, 'sku'),
    quantity: countOf(item, 'quantity'),
    unitFen: countOf(item, 'unitFen'),
    kind: keptKindOf(item),
  };
}

/**
 * The one table: keys, indexes and who reads what. `deploy/table.yml` deploys exactly this (a test
 * compares the two) and the local stack creates its table from it.
 *
 * | access pattern | operation |
 * |---|---|
 * | price an order, find an earlier order of the same idempotency key | `BatchGetItem` `PRODUCT#…`, `ORDER#…` |
 * | create an order | `PutItem`, only if there is none |
 * | record a payment, a close, a check | `UpdateItem` with the state it may leave |
 * | keep a payment of no order | `UpdateItem` `UNKNOWN#…`, only if there is none |
 * | a buyer reads an order | `GetItem` |
 * | work due for a check | `Query` on `GSI1`, class by class, then `BatchGetItem` of its orders |
 * | a buyer's orders, the newest first | `Query` on `GSI2`, backwards |
 * | the payments of a day in Beijing | `Query` on `GSI3`, one shard at a time |
 * | refund an order, find an earlier refund of the same key | `BatchGetItem` order, key, refund, balance |
 * | reserve, release, record a refund | `TransactWriteItems` refund and order |
 * | the refunds of an order, what WeChat sent about it | `Query` on its rows |
 * | what happened, to be told | the stream, rows with `factCount` |
 *
 * Only open work is in `GSI1`, every order in `GSI2`, every paid one in `GSI3`. An index changes
 * what it holds only by being made anew, and older rows would have to be written again, so all
 * three are there from the first order on, though nothing asks `GSI2` yet.
 *
 * A refund is a row beside its order's (`ORDER#…`, `REFUND#<out_refund_no>`): an open one has `GSI1`
 * keys like an open order, an accepted one `REFUNDED#<day>#<shard>` as `GSI3PK`. Besides:
 * `ORDER#…`, `REFUNDKEY#<digest>` binds an `Idempotency-Key` to a refund of the order,
 * `REFUNDNUMBER#<mchid>#<out_refund_no>` claims a number for one order of the merchant, and `BALANCE`
 * is there once the merchant's balance was too short for a refund.
 *
 * Orders, refunds and `UNKNOWN#<transaction_id>` carry their `facts` (see `facts.ts`), and the
 * message from WeChat, if any, that led to their last change (`notification`). The archive keeps each
 * of these for a while beside the row (`ORDER#…`, `NOTIFICATION#<time>#<id>`).
 */
import type { CreateTableCommandInput, KeySchemaElement } from '@aws-sdk/client-dynamodb';
import { FIRST_MERCHANT, type OrderId } from '../order/order-id.ts';
import type { Order } from '../order/order.ts';
import type { WorkClass } from '../order/work-class.ts';
import {
  DAY_SHARDS,
  OPEN_ORDER_SHARDS,
  openShardKey,
  paymentShardKey,
  refundShardKey,
  shardOf,
} from './shard.ts';

/** Sparse index of open work: only rows that carry `GSI1PK` and `GSI1SK` are in it. */
export const OPEN_ORDERS_INDEX = 'GSI1';

/** Index of a buyer's orders. */
export const BUYER_INDEX = 'GSI2';

/** Index of the payments and refunds of a day in Beijing. */
export const DAY_INDEX = 'GSI3';

/** What a list of orders shows, so that it reads no rows: as much as `GET /orders/{outTradeNo}`. */
const LISTED = [
  'outTradeNo',
  'tradeState',
  'closingAt',
  'totalFen',
  'description',
  'createdAt',
  'expiresAt',
  'paidAt',
  'transactionId',
  'refundedFen',
];

/** What a day's bill is compared with, so that it reads no rows: of a payment, then of a refund. */
const BILLED = [
  'outTradeNo',
  'transactionId',
  'appid',
  'mchid',
  'subMchid',
  'spAppid',
  'totalFen',
  'tradeState',
  'refundedFen',
  'refundableFen',
  'paidAt',
  'outRefundNo',
  'refundId',
  'refundFen',
  'status',
  'source',
];

const keyAttribute = (AttributeName: string) => ({ AttributeName, AttributeType: 'S' }) as const;

const keySchema = (hash: string, range: string): KeySchemaElement[] => [
  { AttributeName: hash, KeyType: 'HASH' },
  { AttributeName: range, KeyType: 'RANGE' },
];

/** Table definition without its name: key types, billing, indexes and stream. */
export const TABLE_DEFINITION = {
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [
    keyAttribute('PK'),
    keyAttribute('SK'),
    keyAttribute('GSI1PK'),
    keyAttribute('GSI1SK'),
    keyAttribute('GSI2PK'),
    keyAttribute('GSI2SK'),
    keyAttribute('GSI3PK'),
    keyAttribute('GSI3SK'),
  ],
  KeySchema: keySchema('PK', 'SK'),
  GlobalSecondaryIndexes: [
    {
      IndexName: OPEN_ORDERS_INDEX,
      KeySchema: keySchema('GSI1PK', 'GSI1SK'),
      Projection: { ProjectionType: 'KEYS_ONLY' },
    },
    {
      IndexName: BUYER_INDEX,
      KeySchema: keySchema('GSI2PK', 'GSI2SK'),
      Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: LISTED },
    },
    {
      IndexName: DAY_INDEX,
      KeySchema: keySchema('GSI3PK', 'GSI3SK'),
      Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: BILLED },
    },
  ],
  StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
} satisfies Omit<CreateTableCommandInput, 'TableName'>;

/** Time to live: DynamoDB deletes a row some time after this attribute's epoch seconds. */
export const TIME_TO_LIVE_ATTRIBUTE = 'deleteAt';

/** Primary key of a row. */
export interface RowKey {
  readonly PK: string;
  readonly SK: string;
}

/** `number` for the first merchant, else `key#number`; no number contains `#`. */
const named = ({ merchantKey, outTradeNo }: OrderId) =>
  merchantKey === FIRST_MERCHANT ? outTradeNo : `${merchantKey}#${outTradeNo}`;

/** Key of an order's row. */
export const orderKey = (id: OrderId): RowKey => ({ PK: `ORDER#${named(id)}`, SK: 'ORDER' });

/** The order that a row is about; nothing for a row of another kind. */
export function orderIdOf({ PK, SK }: RowKey): OrderId | undefined {
  const [, merchantKey = FIRST_MERCHANT, outTradeNo] =
    /^ORDER#(?:([a-z0-9]{3,16})#)?([^#]+)$/.exec(PK) ?? [];
  return SK === 'ORDER' && outTradeNo !== undefined ? { merchantKey, outTradeNo } : undefined;
}

/** What names a refund: its order, and its own number. */
export interface RefundId extends OrderId {
  readonly outRefundNo: string;
}

/** What the sort keys of an order's refunds begin with. */
export const REFUND_PREFIX = 'REFUND#';

/** Key of a refund's row, beside its order's. */
export const refundKey = (id: RefundId): RowKey => ({
  PK: orderKey(id).PK,
  SK: `${REFUND_PREFIX}${id.outRefundNo}`,
});

/** The refund that a row is about; nothing for a row of another kind. */
export function refundIdOf({ PK, SK }: RowKey): RefundId | undefined {
  const id = orderIdOf({ PK, SK: 'ORDER' });
  const outRefundNo = SK.startsWith(REFUND_PREFIX) ? SK.slice(REFUND_PREFIX.length) : '';
  return id && outRefundNo !== '' ? { ...id, outRefundNo } : undefined;
}

/** Key of the row that binds an `Idempotency-Key` to a refund; the key counts per order. */
export const refundRequestKey = (id: OrderId, keyDigest: string): RowKey => ({
  PK: orderKey(id).PK,
  SK: `REFUNDKEY#${keyDigest}`,
});

/** Key of the row that claims a refund's number, which is unique per merchant and not per order. */
export const refundNumberKey = (mchid: string, outRefundNo: string): RowKey => ({
  PK: `REFUNDNUMBER#${mchid}#${outRefundNo}`,
  SK: 'REFUNDNUMBER',
});

/** Key of the row that says whether a merchant's balance is too short for refunds. */
export const balanceKey = ({ merchantKey }: Pick<OrderId, 'merchantKey'>): RowKey => ({
  PK: merchantKey === FIRST_MERCHANT ? 'BALANCE' : `BALANCE#${merchantKey}`,
  SK: 'BALANCE',
});

/** Key of the row of a payment whose order is not here. WeChat's number names it in all the world. */
export const unknownPaymentKey = (transactionId: string): RowKey => ({
  PK: `UNKNOWN#${transactionId}`,
  SK: 'UNKNOWN',
});

/** The `transactionId` of the row of a payment of no order; nothing for a row of another kind. */
export function unknownPaymentOf({ PK, SK }: RowKey): string | undefined {
  const [, transactionId] = /^UNKNOWN#([^#]+)$/.exec(PK) ?? [];
  return SK === 'UNKNOWN' ? transactionId : undefined;
}

/** Key of a notification in the archive, beside the row that it changed. @param key `receivedAt#id`. */
export const notificationKey = (PK: string, key: string): RowKey => ({
  PK,
  SK: `NOTIFICATION#${key}`,
});

/** Key of a product's row in the catalogue. */
export const productKey = (sku: string): RowKey => ({ PK: `PRODUCT#${sku}`, SK: 'PRODUCT' });

/**
 * Key of the row that binds a buyer's `Idempotency-Key` to the order of a signed quote.
 *
 * @param id the order that the key itself would make.
 */
export const idempotencyKey = (id: OrderId): RowKey => ({
  PK: `IDEMPOTENCY#${named(id)}`,
  SK: 'IDEMPOTENCY',
});

/** Place in the index of open work: how urgent it is, and when it is looked at next. */
export const openKeys = (id: OrderId, workClass: WorkClass, nextCheckAt: string) => ({
  GSI1PK: openShardKey(workClass, shardOf(id, OPEN_ORDER_SHARDS)),
  GSI1SK: nextCheckAt,
});

/** Place of an order among its buyer's, who is the `openid` of one mini-program. */
export const buyerKeys = (
  { appid, openid, outTradeNo }: Pick<Order, 'appid' | 'openid' | 'outTradeNo'>,
  createdAt: string,
) => ({
  GSI2PK: `BUYER#${appid}#${openid}`,
  GSI2SK: `${createdAt}#${outTradeNo}`,
});

/** Place of a paid order among the payments of a day in Beijing. */
export const paymentDayKeys = (id: OrderId, day: string, paidAt: string) => ({
  GSI3PK: paymentShardKey(day, shardOf(id, DAY_SHARDS)),
  GSI3SK: paidAt,
});

/** Place of a refund among those that WeChat accepted on a day in Beijing. */
export const refundDayKeys = (id: OrderId, day: string, acceptedAt: string) => ({
  GSI3PK: refundShardKey(day, shardOf(id, DAY_SHARDS)),
  GSI3SK: acceptedAt,
});

/**
 * The one table: keys, the sparse index and who reads what. `serverless.yml` deploys exactly this
 * (a test compares the two) and the local stack creates its table from it.
 *
 * | access pattern | operation |
 * |---|---|
 * | price an order, find an earlier order of the same idempotency key | `BatchGetItem` `PRODUCT#…`, `ORDER#…` |
 * | create an order | `PutItem`, only if there is none |
 * | record a payment, a close, a check | `UpdateItem` with the state it may leave |
 * | a buyer reads an order | `GetItem` |
 * | orders due for a check | `Query` on `GSI1`, one shard at a time |
 */
import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb';
import type { OrderId } from '../order/order-id.ts';

/** Sparse index of open orders: only rows that carry `GSI1PK` and `GSI1SK` are in it. */
export const OPEN_ORDERS_INDEX = 'GSI1';

/** How many `GSI1PK` values open orders are spread over, so that no one partition takes every write. */
export const OPEN_ORDER_SHARDS = 16;

/** Table definition without its name: key types, billing, index and stream. */
export const TABLE_DEFINITION = {
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [
    { AttributeName: 'PK', AttributeType: 'S' },
    { AttributeName: 'SK', AttributeType: 'S' },
    { AttributeName: 'GSI1PK', AttributeType: 'S' },
    { AttributeName: 'GSI1SK', AttributeType: 'S' },
  ],
  KeySchema: [
    { AttributeName: 'PK', KeyType: 'HASH' },
    { AttributeName: 'SK', KeyType: 'RANGE' },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: OPEN_ORDERS_INDEX,
      KeySchema: [
        { AttributeName: 'GSI1PK', KeyType: 'HASH' },
        { AttributeName: 'GSI1SK', KeyType: 'RANGE' },
      ],
      Projection: { ProjectionType: 'KEYS_ONLY' },
    },
  ],
  StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
} as const satisfies Omit<CreateTableCommandInput, 'TableName'>;

/** Primary key of a row. */
export interface RowKey {
  readonly PK: string;
  readonly SK: string;
}

/** `number` for the first merchant, else `key#number`; no number contains `#`. */
const named = ({ merchantKey, outTradeNo }: OrderId) =>
  merchantKey === '' ? outTradeNo : `${merchantKey}#${outTradeNo}`;

/** Key of an order's row. */
export const orderKey = (id: OrderId): RowKey => ({ PK: `ORDER#${named(id)}`, SK: 'ORDER' });

/** The order that a row is about; nothing for a row of another kind. */
export function orderIdOf({ PK, SK }: RowKey): OrderId | undefined {
  const [, merchantKey = '', outTradeNo] = /^ORDER#(?:([a-z0-9]{3,16})#)?([^#]+)$/.exec(PK) ?? [];
  return SK === 'ORDER' && outTradeNo !== undefined ? { merchantKey, outTradeNo } : undefined;
}

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

/** `GSI1PK` of open work. */
export const openShardKey = (shard: number) => `OPEN#${shard.toString().padStart(2, '0')}`;

/** FNV-1a over the number: even, stable, and independent of how numbers are made. */
export function shardOf({ outTradeNo }: OrderId): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(outTradeNo)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash % OPEN_ORDER_SHARDS;
}

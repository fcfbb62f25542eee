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

/** Key of an order's row. */
export const orderKey = (outTradeNo: string) => ({ PK: `ORDER#${outTradeNo}`, SK: 'ORDER' });

/** Key of a product's row in the catalogue. */
export const productKey = (sku: string) => ({ PK: `PRODUCT#${sku}`, SK: 'PRODUCT' });

/** Key of the row that binds a buyer's `Idempotency-Key` to the order of a signed quote. */
export const idempotencyKey = (digest: string) => ({
  PK: `IDEMPOTENCY#${digest}`,
  SK: 'IDEMPOTENCY',
});

/** `GSI1PK` of an open order. */
export const openShardKey = (shard: number) => `OPEN#${shard.toString().padStart(2, '0')}`;

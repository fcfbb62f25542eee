/** Rows with facts, as the table's stream shows them; tests change what matters. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { DynamoDBRecord } from 'aws-lambda';
import type { Item } from '../../lib/table/attributes.ts';
import { APPID, MCHID, OPENID } from './sample-orders.ts';

const S = (value: string): AttributeValue => ({ S: value });
const N = (value: number): AttributeValue => ({ N: String(value) });

/** Texts and whole numbers as attributes. */
export const attributes = (values: Readonly<Record<string, string | number>>): Item =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      typeof value === 'string' ? S(value) : N(value),
    ]),
  );

export const AT = '2026-03-01T02:00:05Z';
export const TRANSACTION_ID = '4200000001202603010000000001';

/** One fact. */
export const factOf = (type: string, values: Item = {}, at = AT): AttributeValue => ({
  M: { type: S(type), at: S(at), ...values },
});

/** A row with its facts. */
export const withFacts = (row: Item, ...facts: readonly AttributeValue[]): Item => ({
  ...row,
  facts: { L: [...facts] },
  factCount: N(facts.length),
});

/** An order as it is created, without facts. */
export const openOrderRow = (changes: Item = {}): Item => ({
  ...attributes({
    PK: 'ORDER#order-0001',
    SK: 'ORDER',
    outTradeNo: 'order-0001',
    openid: OPENID,
    appid: APPID,
    mchid: MCHID,
    totalFen: 2800,
    currency: 'CNY',
    description: '拿铁',
    attach: 'basket-7',
    tradeState: 'NOTPAY',
    createdAt: '2026-03-01T02:00:00Z',
    checks: 0,
  }),
  items: { L: [{ M: attributes({ sku: 'latte', quantity: 2, unitFen: 1400 }) }] },
  ...changes,
});

/** The same once it is paid. */
export const paidOrderRow = (changes: Item = {}): Item =>
  withFacts(
    openOrderRow({
      ...attributes({
        tradeState: 'SUCCESS',
        transactionId: TRANSACTION_ID,
        paidAt: '2026-03-01T02:00:04Z',
        bankType: 'OTHERS',
      }),
      ...changes,
    }),
    factOf('PAID', attributes({ tradeState: 'SUCCESS' })),
  );

/** A refund of it as it is created, without facts. */
export const refundRow = (changes: Item = {}): Item => ({
  ...attributes({
    PK: 'ORDER#order-0001',
    SK: 'REFUND#refund-0001',
    outTradeNo: 'order-0001',
    outRefundNo: 'refund-0001',
    appid: APPID,
    mchid: MCHID,
    attach: 'basket-7',
    transactionId: TRANSACTION_ID,
    currency: 'CNY',
    status: 'PENDING',
    source: 'API',
    reason: '洒了',
    createdAt: '2026-03-02T03:00:00Z',
    refundFen: 1400,
    totalFen: 2800,
    round: 0,
    changedAtMs: 1_772_420_400_000,
  }),
  ...changes,
});

/** A payment of no order. */
export const unknownPaymentRow = (changes: Item = {}): Item =>
  withFacts(
    {
      ...attributes({
        PK: `UNKNOWN#${TRANSACTION_ID}`,
        SK: 'UNKNOWN',
        outTradeNo: 'elsewhere-1',
        transactionId: TRANSACTION_ID,
        totalFen: 500,
        currency: 'CNY',
        appid: APPID,
        mchid: MCHID,
        paidAt: '2026-03-01T02:00:04Z',
      }),
      ...changes,
    },
    factOf('UNKNOWN_ORDER'),
  );

/** What WeChat sent, as a row carries it. */
export const notificationOf = (id = 'notice-1'): AttributeValue => ({
  M: {
    ...attributes({
      key: `2026-03-01T02:00:05.123Z#${id}`,
      id,
      receivedAt: '2026-03-01T02:00:05.123Z',
      apiVersion: 'v3',
      kind: 'payment',
      message: '{"out_trade_no":"order-0001"}',
      decision: 'apply',
      from: 'NOTPAY',
      to: 'SUCCESS',
      answer: 200,
    }),
  },
});

/** A record of the stream; its place in its shard is `sequenceNumber`. */
export const streamRecord = (
  row: Item | undefined,
  before?: Item,
  sequenceNumber = '100',
): DynamoDBRecord => ({
  eventID: `event-${sequenceNumber}`,
  eventName: before ? 'MODIFY' : 'INSERT',
  eventSource: 'aws:dynamodb',
  dynamodb: {
    SequenceNumber: sequenceNumber,
    StreamViewType: 'NEW_AND_OLD_IMAGES',
    ...(row && { NewImage: row as never }),
    ...(before && { OldImage: before as never }),
  },
});

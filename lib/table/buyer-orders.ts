/** The orders of a buyer, from their index. */
import { QueryCommand } from '@aws-sdk/client-dynamodb';
import type { Order } from '../order/order.ts';
import { text, time } from './attributes.ts';
import type { TableConnection } from './client.ts';
import { BUYER_INDEX, buyerKeys } from './schema.ts';

/** So many of a buyer's orders are looked at, the newest first. */
const LOOKED_AT = 100;

/**
 * How many of a buyer's newest hundred orders are unpaid and can still be paid. One query, which may
 * miss an order of this very moment.
 */
export async function countOpenOrders(
  table: TableConnection,
  buyer: Pick<Order, 'appid' | 'openid'>,
  nowEpochSeconds: number,
): Promise<number> {
  const { GSI2PK } = buyerKeys({ ...buyer, outTradeNo: '' }, '');
  const page = await table.client.send(
    new QueryCommand({
      TableName: table.tableName,
      IndexName: BUYER_INDEX,
      KeyConditionExpression: 'GSI2PK = :buyer',
      FilterExpression: 'tradeState = :open AND expiresAt > :now',
      ExpressionAttributeValues: {
        ':buyer': text(GSI2PK),
        ':open': text('NOTPAY'),
        ':now': time(nowEpochSeconds),
      },
      ScanIndexForward: false,
      Select: 'COUNT',
      Limit: LOOKED_AT,
    }),
  );
  return page.Count ?? 0;
}

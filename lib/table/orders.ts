/** Reading orders. */
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import type { OrderId } from '../order/order-id.ts';
import { OrderNotFoundError } from '../errors.ts';
import { isOutTradeNo, type Order } from '../order/order.ts';
import type { OrderFacts } from '../order/transition.ts';
import { type Item, keyOf } from './attributes.ts';
import type { TableConnection } from './client.ts';
import { factsFromItem, orderFromItem } from './order-row.ts';
import { orderKey } from './schema.ts';

/** Reads an order as it is now (strongly consistent). */
export async function readOrder(table: TableConnection, id: OrderId): Promise<Order | undefined> {
  const item = await readItem(table, id);
  return item && orderFromItem(item);
}

/** Reads what evidence about an order is judged by, as it is now, whatever else of it is damaged. */
export async function readOrderFacts(
  table: TableConnection,
  id: OrderId,
): Promise<OrderFacts | undefined> {
  const item = await readItem(table, id);
  return item && factsFromItem(item);
}

async function readItem(table: TableConnection, id: OrderId): Promise<Item | undefined> {
  const answer = await table.client.send(
    new GetItemCommand({
      TableName: table.tableName,
      Key: keyOf(orderKey(id)),
      ConsistentRead: true,
    }),
  );
  return answer.Item;
}

/**
 * Reads an order for its buyer.
 *
 * @throws {OrderNotFoundError} also for another buyer's order and for what cannot be a number.
 */
export async function readOwnOrder(
  table: TableConnection,
  id: OrderId,
  openid: string,
): Promise<Order> {
  const order = isOutTradeNo(id.outTradeNo) ? await readOrder(table, id) : undefined;
  if (order?.openid !== openid) {
    throw new OrderNotFoundError();
  }
  return order;
}

/** From a cart to an order, exactly once, whatever arrives twice, late or at the same time. */
import { ConditionalCheckFailedException, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { OrderId } from '../order/order-id.ts';
import type { Order } from '../order/order.ts';
import type { Product } from '../order/pricing.ts';
import { batchGet, rowWith } from './batch-get.ts';
import type { Table, TableConnection } from './client.ts';
import { retryConflicts } from './conflict.ts';
import { orderNumberOf } from './idempotency-binding.ts';
import { orderFromItem, orderToItem } from './order-row.ts';
import { productFromItem } from './products.ts';
import { idempotencyKey, orderKey, productKey } from './schema.ts';

/** What one read tells before an order is priced. */
export interface CartSituation {
  /** The products of the cart that are for sale; empty for a repeat, which is not priced again. */
  readonly catalogue: ReadonlyMap<string, Product>;
  /** The order that this idempotency key made earlier. */
  readonly order: Order | undefined;
  /** The number of another order that this key is bound to (by a quote). */
  readonly boundTo: string | undefined;
}

/**
 * Reads, at once and consistently, the products of a cart and what its idempotency key did before.
 * A repeat finds its order whatever became of the catalogue since.
 *
 * @param id the order that the key makes.
 */
export async function readCart(
  table: TableConnection,
  skus: readonly string[],
  id: OrderId,
): Promise<CartSituation> {
  const order = orderKey(id);
  const binding = idempotencyKey(id);
  const products = [...new Set(skus)].map(productKey);
  const rows = await batchGet(table, [order, binding, ...products]);
  const orderRow = rowWith(rows, order.PK);
  const bindingRow = rowWith(rows, binding.PK);
  const productRows = orderRow || bindingRow ? [] : rows;
  const catalogue = productRows
    .filter((row) => row['SK']?.S === 'PRODUCT')
    .map((row) => productFromItem(row))
    .filter((product) => product !== undefined);
  return {
    catalogue: new Map(catalogue.map((product) => [product.sku, product])),
    order: orderRow && orderFromItem(orderRow),
    boundTo: bindingRow && orderNumberOf(bindingRow),
  };
}

/**
 * Writes an order whose number comes from the idempotency key. Answers the order that holds: this
 * one, or the one that was there.
 *
 * Condition: no row has this key. Of 50 equal requests at once, one writes and 49 get its row
 * back with the refusal, without a read.
 */
export async function createOrder(table: Table, order: Order): Promise<Order> {
  try {
    const command = new PutItemCommand({
      TableName: table.tableName,
      Item: orderToItem(order),
      ConditionExpression: 'attribute_not_exists(PK)',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    await retryConflicts(table, () => table.client.send(command));
    return order;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException && error.Item) {
      return orderFromItem(error.Item);
    }
    throw error;
  }
}

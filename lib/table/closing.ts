/** That a buyer gave an order up. */
import { OrderNotFoundError } from '../errors.ts';
import type { Order } from '../order/order.ts';
import { nextCheckAt } from '../order/pace.ts';
import { isoTime } from '../time.ts';
import { text, time } from './attributes.ts';
import type { Table } from './client.ts';
import { orderFromItem } from './order-row.ts';
import { openKeys, orderKey } from './schema.ts';
import { tryUpdate } from './update.ts';

/**
 * Marks an open order as `closing`, once and for ever, and makes it due soon and urgent, so that
 * reconcile ends what nobody else does. Conditions: it is open, and no mark is there, which another request
 * has set and whose minute runs.
 *
 * @returns the order as it is now: marked, or what another writer made of it.
 * @throws {OrderNotFoundError} when it is gone.
 */
export async function markClosing(
  table: Table,
  order: Order,
  nowEpochSeconds: number,
): Promise<Order> {
  const marked = { ...order, closingAtEpochSeconds: nowEpochSeconds };
  const nextCheckAtEpochSeconds = nextCheckAt(marked, order.checks, nowEpochSeconds);
  const { GSI1PK, GSI1SK } = openKeys(order, 'asked', isoTime(nextCheckAtEpochSeconds));
  const outcome = await tryUpdate(table, orderKey(order), {
    UpdateExpression: 'SET closingAt = :now, GSI1PK = :shard, GSI1SK = :next',
    ConditionExpression: 'tradeState = :open AND attribute_not_exists(closingAt)',
    ExpressionAttributeValues: {
      ':now': time(nowEpochSeconds),
      ':open': text('NOTPAY'),
      ':shard': text(GSI1PK),
      ':next': text(GSI1SK),
    },
  });
  if (outcome === 'written') {
    return { ...marked, isAskedAbout: true, nextCheckAtEpochSeconds };
  }
  if (!outcome.item) {
    throw new OrderNotFoundError();
  }
  return orderFromItem(outcome.item);
}

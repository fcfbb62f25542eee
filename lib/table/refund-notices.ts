/** Orders of which WeChat reported refunds that have no row: due, until reconcile has asked about them. */
import type { OrderId } from '../order/order-id.ts';
import type { Order } from '../order/order.ts';
import { isoTime } from '../time.ts';
import { number, text, time } from './attributes.ts';
import type { Table } from './client.ts';
import { carry, type CarriedNotification } from './notification-attribute.ts';
import { retention } from './retention.ts';
import { openKeys, orderKey } from './schema.ts';
import { tryUpdate } from './update.ts';

/**
 * Leaves an order due because WeChat reported a refund that has no row here: nothing but WeChat's
 * own answer makes one, and only where rows may be made. Condition: money was received; an unpaid
 * order is in the index already, and leaves it when it is paid.
 */
export async function noteRefund(
  table: Table,
  id: OrderId,
  outRefundNo: string,
  nowEpochSeconds: number,
  notification?: CarriedNotification,
): Promise<'noted' | 'not-paid'> {
  const carried = carry(notification);
  const { GSI1PK, GSI1SK } = openKeys(id, 'refund', isoTime(nowEpochSeconds));
  const kept = retention(table, nowEpochSeconds);
  const sets = [
    'checks = :none',
    'GSI1PK = :shard',
    'GSI1SK = :now',
    ...carried.sets,
    ...kept.sets,
  ];
  const outcome = await tryUpdate(table, orderKey(id), {
    UpdateExpression: `SET ${sets.join(', ')} ADD refundNotices :number`,
    ConditionExpression: 'tradeState IN (:success, :refund)',
    ExpressionAttributeValues: {
      ':number': { SS: [outRefundNo] },
      ':none': number(0),
      ':shard': text(GSI1PK),
      ':now': text(GSI1SK),
      ':success': text('SUCCESS'),
      ':refund': text('REFUND'),
      ...carried.values,
      ...kept.values,
    },
  });
  return outcome === 'written' ? 'noted' : 'not-paid';
}

const NOTHING = { sets: [], values: {} };

/**
 * Puts a paid order off, or takes it out of the index when there is nothing left to find out.
 * Condition: nothing was noted since it was read.
 */
export async function concludeNotices(
  table: Table,
  order: Order,
  next: { readonly checks: number; readonly atEpochSeconds: number } | undefined,
): Promise<void> {
  const { refundNotices = [], nextCheckAtEpochSeconds = 0 } = order;
  const isSame =
    refundNotices.length === 0 ? 'attribute_not_exists(refundNotices)' : 'refundNotices = :notices';
  const kept = next ? retention(table, next.atEpochSeconds) : NOTHING;
  const place = next && openKeys(order, 'refund', isoTime(next.atEpochSeconds));
  await tryUpdate(table, orderKey(order), {
    UpdateExpression: next
      ? `SET ${['checks = :checks', 'GSI1PK = :shard', 'GSI1SK = :next', ...kept.sets].join(', ')}`
      : 'REMOVE GSI1PK, GSI1SK, refundNotices',
    ConditionExpression: `GSI1SK = :due AND ${isSame}`,
    ExpressionAttributeValues: {
      ':due': time(nextCheckAtEpochSeconds),
      ...(refundNotices.length > 0 && { ':notices': { SS: [...refundNotices] } }),
      ...(next && { ':checks': number(next.checks) }),
      ...kept.values,
      ...(place && { ':shard': text(place.GSI1PK), ':next': text(place.GSI1SK) }),
    },
  });
}

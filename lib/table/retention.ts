/**
 * How long the rows of an order stay: for ever, or by the table's time to live so many days after the
 * last thing that happened to it. Every write that ends or goes on with what had ended puts the day
 * off; nothing that is open has one.
 */
import { type Item, number } from './attributes.ts';
import type { Table } from './client.ts';
import type { OrderId } from '../order/order-id.ts';
import type { Order } from '../order/order.ts';
import { orderKey } from './schema.ts';
import { tryUpdate } from './update.ts';

const DAY_SECONDS = 86_400;
/** What guards against a second order or refund outlives what it guards by more than a refund can last. */
const GUARD_DAYS = 400;
/** An order that goes so soon while a refund of it is open is put off. */
const PUT_OFF_BELOW_SECONDS = 100 * DAY_SECONDS;

type Retaining = Pick<Table, 'retentionDays'>;

/** The clauses of a write after which the row may go once its days are over; none where rows are kept. */
export function retention({ retentionDays }: Retaining, nowEpochSeconds: number) {
  return retentionDays === undefined
    ? { sets: [], values: {} }
    : {
        sets: ['deleteAt = :deleteAt'],
        values: { ':deleteAt': number(nowEpochSeconds + retentionDays * DAY_SECONDS) },
      };
}

/** The attribute of a new row that is done with. */
export const retained = ({ retentionDays }: Retaining, nowEpochSeconds: number): Item =>
  retentionDays === undefined
    ? {}
    : { deleteAt: number(nowEpochSeconds + retentionDays * DAY_SECONDS) };

/** The attribute of a new row that keeps a request from being carried out twice. */
export const retainedGuard = ({ retentionDays }: Retaining, nowEpochSeconds: number): Item =>
  retentionDays === undefined
    ? {}
    : retained({ retentionDays: retentionDays + GUARD_DAYS }, nowEpochSeconds);

/**
 * Puts an order off that would go while a refund of it is still open. Condition: it is there. Costs
 * nothing for any other order.
 */
export async function keepWhileOpen(
  table: Table,
  order: OrderId & Pick<Order, 'deleteAtEpochSeconds'>,
  nowEpochSeconds: number,
): Promise<void> {
  const { deleteAtEpochSeconds: deleteAt } = order;
  const isSoon = deleteAt !== undefined && deleteAt < nowEpochSeconds + PUT_OFF_BELOW_SECONDS;
  if (!isSoon) {
    return;
  }
  const { sets, values } = retention(table, nowEpochSeconds);
  await tryUpdate(table, orderKey(order), {
    // Where orders are kept for ever by now, this one is as well.
    UpdateExpression: sets.length > 0 ? `SET ${sets.join(', ')}` : 'REMOVE deleteAt',
    ConditionExpression: 'attribute_exists(PK)',
    ...(sets.length > 0 && { ExpressionAttributeValues: values }),
  });
}

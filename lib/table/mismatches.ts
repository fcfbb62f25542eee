/** What contradicted an order or a refund: kept beside it, once each. */
import { digest } from '../order/order.ts';
import type { OrderId } from '../order/order-id.ts';
import type { PaymentEvidence } from '../order/transition.ts';
import type { RefundEvidence } from '../refund/refund.ts';
import { type Item, number, texts, time } from './attributes.ts';
import type { Table } from './client.ts';
import { appendMismatch, fact, type OrderFact, type RefundFact } from './facts.ts';
import { carry, type CarriedNotification } from './notification-attribute.ts';
import { orderKey, type RefundId, refundKey, type RowKey } from './schema.ts';
import { tryUpdate } from './update.ts';

/** When it was found, and the message that it was found in. */
interface Found {
  readonly nowEpochSeconds: number;
  readonly notification?: CarriedNotification | undefined;
}

/** Whether the row has the contradiction, from now or before: it may have too many, or not be there. */
export type Keeping = 'kept' | 'not-kept';

/** What of a row and WeChat's word contradict each other. */
export interface Contradiction {
  readonly field: string;
  readonly expected: string | number;
  readonly observed: string | number;
}

/** Longer than any value that is right: of a wrong one the beginning is enough, twenty times over. */
const MAX_VALUE_LENGTH = 256;

const valuesOf = ({ field, expected, observed }: Contradiction) => ({
  field,
  expected: String(expected),
  observed: String(observed).slice(0, MAX_VALUE_LENGTH),
});

/**
 * Keeps what contradicted an order beside it, for the person who looks into the alarm. The state
 * stays as it is. The same again changes nothing, whatever "now" it was held against.
 */
export async function recordMismatch(
  table: Table,
  id: OrderId,
  { transactionId, totalFen }: PaymentEvidence,
  mismatch: Contradiction,
  found: Found,
): Promise<Keeping> {
  const values = valuesOf(mismatch);
  const name = digestOf([values.field, values.observed, transactionId, totalFen]);
  const fields = {
    ...texts({ digest: name, ...values, transactionId }),
    totalFen: number(totalFen),
  };
  return record(table, orderKey(id), 'MISMATCH', fields, found, 'mismatch');
}

/** Keeps beside an order what contradicted it in a refund that has no row. */
export async function recordRefundOfOrderMismatch(
  table: Table,
  id: OrderId,
  { outRefundNo, refundFen }: RefundEvidence,
  mismatch: Contradiction,
  found: Found,
): Promise<Keeping> {
  const values = valuesOf(mismatch);
  const name = digestOf([values.field, values.observed, outRefundNo, refundFen]);
  const fields = {
    ...texts({ digest: name, ...values, outRefundNo }),
    refundFen: number(refundFen),
  };
  return record(table, orderKey(id), 'REFUND_MISMATCH', fields, found);
}

/** Keeps what contradicted a refund beside it. The refund and its turn of being asked about stay. */
export async function recordRefundMismatch(
  table: Table,
  id: RefundId,
  mismatch: Contradiction,
  found: Found,
): Promise<Keeping> {
  const values = valuesOf(mismatch);
  const name = digestOf([values.field, values.observed]);
  return record(table, refundKey(id), 'MISMATCH', texts({ digest: name, ...values }), found);
}

const digestOf = (parts: readonly (string | number)[]) => digest(parts).slice(0, 32);

async function record(
  table: Table,
  key: RowKey,
  type: (OrderFact & RefundFact) | 'REFUND_MISMATCH',
  fields: Item,
  { nowEpochSeconds, notification }: Found,
  latest?: 'mismatch',
): Promise<Keeping> {
  const { digest: name, ...said } = fields;
  const appended = appendMismatch(fact(type, nowEpochSeconds, fields), String(name?.S));
  const carried = carry(notification);
  const sets = [
    ...appended.sets,
    ...carried.sets,
    // The last one, where people look.
    ...(latest ? [`${latest} = :latest`] : []),
  ];
  const outcome = await tryUpdate(table, key, {
    UpdateExpression: `SET ${sets.join(', ')} ADD ${appended.add}`,
    ConditionExpression: appended.conditions.join(' AND '),
    ExpressionAttributeValues: {
      ...appended.values,
      ...carried.values,
      ...(latest && { ':latest': { M: { at: time(nowEpochSeconds), ...said } } }),
    },
  });
  const known = outcome === 'written' ? undefined : outcome.item?.['mismatchDigests']?.SS;
  return outcome === 'written' || known?.includes(String(name?.S)) ? 'kept' : 'not-kept';
}

/** Payments that WeChat reported to us for an order that is not here: each leaves a row of its own. */
import { FIRST_MERCHANT, type OrderId } from '../order/order-id.ts';
import type { PaymentEvidence } from '../order/transition.ts';
import { number, text, texts, time } from './attributes.ts';
import type { Table } from './client.ts';
import { fact, firstFacts } from './facts.ts';
import { type CarriedNotification, notificationToValue } from './notification-attribute.ts';
import { retained } from './retention.ts';
import { unknownPaymentKey } from './schema.ts';
import { tryUpdate } from './update.ts';

/**
 * Keeps a payment of no order: it is money, and nobody else here would ever speak of it again.
 * Condition: there is no such row, so that it is told once. An update makes the row, so that `notify`
 * needs no right to put rows in the place of others.
 */
export async function recordUnknownPayment(
  table: Table,
  { merchantKey }: Pick<OrderId, 'merchantKey'>,
  payment: PaymentEvidence,
  nowEpochSeconds: number,
  notification: CarriedNotification,
): Promise<void> {
  const { outTradeNo, transactionId, currency, appid, mchid, subMchid } = payment;
  const { paidAtEpochSeconds } = payment;
  const row = {
    ...texts({ outTradeNo, transactionId, currency, appid, mchid }),
    totalFen: number(payment.totalFen),
    ...(subMchid !== undefined && { subMchid: text(subMchid) }),
    ...(!Number.isNaN(paidAtEpochSeconds) && { paidAt: time(paidAtEpochSeconds) }),
    ...(merchantKey !== FIRST_MERCHANT && { merchantKey: text(merchantKey) }),
    ...firstFacts([fact('UNKNOWN_ORDER', nowEpochSeconds)]),
    notification: notificationToValue(notification),
    ...retained(table, nowEpochSeconds),
  };
  await tryUpdate(table, unknownPaymentKey(transactionId), {
    UpdateExpression: `SET ${Object.keys(row)
      .map((name) => `${name} = :${name}`)
      .join(', ')}`,
    ConditionExpression: 'attribute_not_exists(PK)',
    ExpressionAttributeValues: Object.fromEntries(
      Object.entries(row).map(([name, value]) => [`:${name}`, value]),
    ),
  });
}

/** The facts about money that a person must look into, counted so that an alarm rings. */
import type { FactEvent } from '../events/events.ts';
import type { Log, MetricName } from '../runtime/log.ts';

/**
 * Counts such a fact; any other counts nothing. The row has the fact, so no crash of the function
 * that found it out can hide it.
 */
export function countFact(log: Pick<Log, 'count' | 'error'>, event: FactEvent): void {
  const metric = metricOf(event);
  if (metric) {
    const { eventId, detailType } = event;
    log.error('a person must look into this', { eventId, detailType, metric });
    log.count(metric);
  }
}

function metricOf({ detailType, factType, detail }: FactEvent): MetricName | undefined {
  switch (detailType) {
    case 'Payment After Close':
      return 'PaymentAfterClose';
    case 'Payment Mismatch':
      return factType === 'UNKNOWN_ORDER' ? 'UnknownOrderNotified' : 'TransactionMismatch';
    case 'Order Unsettled':
      return 'OrderUnsettled';
    case 'Refund Failed':
      return factType === 'ABNORMAL' ? 'RefundAbnormal' : undefined;
    case 'Refund Mismatch':
      return 'RefundMismatch';
    case 'Bill Difference':
      // A wrong fee is told, and nobody is woken for it.
      return detail.includes('"kind":"FEE_DIFFERS"') ? undefined : 'BillDifference';
    default:
      return undefined;
  }
}

/** Brings an order in line with what WeChat proved, and says so where people look. */
import type { OrderId } from '../order/order-id.ts';
import type { Order, PaymentAfterClose } from '../order/order.ts';
import type { Decision, Evidence } from '../order/transition.ts';
import type { Log } from '../runtime/log.ts';
import type { Table } from '../table/client.ts';
import { recordMismatch } from '../table/mismatches.ts';
import type { ReceivedNotification } from '../table/notification-attribute.ts';
import { applyEvidence } from '../table/order-transition.ts';
import { readOrder } from '../table/orders.ts';
import { recordUnknownPayment } from '../table/unknown-payments.ts';
import type { QueryResult } from '../wechatpay/operations.ts';
import { keepOrRing } from './contradiction.ts';
import { carriedBy } from './notification.ts';

/** What it takes to record evidence. */
export interface EvidenceContext {
  readonly table: Table;
  readonly log: Log;
  readonly nowMs: () => number;
  /** What becomes of a payment for a closed order. */
  readonly paymentAfterClose: PaymentAfterClose;
  /** The message that the evidence came in, where WeChat sent one. */
  readonly notification?: ReceivedNotification | undefined;
}

/** Evidence, and what it did to its order. */
export interface Recorded {
  readonly evidence: Evidence;
  readonly decision: Decision;
}

/**
 * Applies evidence with one conditional write. A contradiction is kept beside the order; the order
 * itself stays as it is. What a person must look into is a fact of the row, and the alarm is rung by
 * whoever publishes it.
 */
export async function recordEvidence(
  { table, log, nowMs, paymentAfterClose, notification }: EvidenceContext,
  id: OrderId,
  evidence: Evidence,
): Promise<Decision> {
  const nowEpochSeconds = Math.floor(nowMs() / 1000);
  const decision = await applyEvidence(table, id, evidence, nowEpochSeconds, {
    paymentAfterClose,
    notification,
  });
  // First the report: it must not depend on a second write.
  report({ log, paymentAfterClose }, id.outTradeNo, evidence, decision);
  if (decision.kind === 'mismatch' && evidence.kind === 'paid') {
    const found = { nowEpochSeconds, notification: carriedBy(notification, decision) };
    await keepOrRing(log, 'TransactionMismatch', () =>
      recordMismatch(table, id, evidence.payment, decision, found),
    );
  }
  // Only WeChat's own message is about an order that is not here; a query is about one that was.
  if (decision.kind === 'unknown-order' && evidence.kind === 'paid') {
    const carried = carriedBy(notification, decision);
    if (carried) {
      await recordUnknownPayment(table, id, evidence.payment, nowEpochSeconds, carried);
    }
  }
  return decision;
}

/** The order as its buyer may see it after evidence; it is read again where another writer decided. */
export async function orderAfter(
  table: Table,
  order: Order,
  { evidence, decision }: Recorded,
): Promise<Order> {
  if (decision.kind !== 'apply') {
    return (await readOrder(table, order)) ?? order;
  }
  const changed = { ...order, tradeState: decision.to };
  if (evidence.kind !== 'paid') {
    return changed;
  }
  const { transactionId, paidAtEpochSeconds } = evidence.payment;
  return { ...changed, transactionId, paidAtEpochSeconds };
}

function report(
  { log, paymentAfterClose }: Pick<EvidenceContext, 'log' | 'paymentAfterClose'>,
  outTradeNo: string,
  evidence: Evidence,
  decision: Decision,
): void {
  const transactionId = evidence.kind === 'paid' ? evidence.payment.transactionId : undefined;
  const fields = { outTradeNo, transactionId };
  switch (decision.kind) {
    case 'apply':
      log.info('order changed', { ...fields, from: decision.from, to: decision.to });
      if (decision.from !== 'SUCCESS') {
        log.count(decision.to === 'CLOSED' ? 'OrderClosed' : 'OrderPaid');
      }
      if (decision.paidAfterClose) {
        log.warn(
          paymentAfterClose === 'refund'
            ? 'a closed order was paid: the payment is given back'
            : 'a closed order was paid: ship it or refund it',
          { ...fields, paymentAfterClose },
        );
      }
      break;
    case 'duplicate':
      log.info('nothing new about the order', fields);
      break;
    case 'stale':
      log.warn('a paid order was reported as closed; it stays paid', fields);
      break;
    case 'mismatch': {
      const { field } = decision;
      // Who paid is personal; the row has it.
      const values =
        field === 'openid' ? {} : { expected: decision.expected, observed: decision.observed };
      log.error('the transaction contradicts the order', { ...fields, field, ...values });
      break;
    }
    case 'unknown-order':
      log.error('WeChat reports an order that is not in the table', fields);
      log.count('UnknownOrderNotified');
      break;
  }
}

/** The part of a query's answer that changes an order; nothing while it is simply unpaid. */
export function evidenceOf(result: QueryResult): Evidence | undefined {
  switch (result.kind) {
    case 'paid':
      return result;
    case 'not-found':
      return undefined;
    case 'not-paid':
      return result.tradeState === 'CLOSED' || result.tradeState === 'REVOKED'
        ? { kind: 'closed' }
        : undefined;
  }
}

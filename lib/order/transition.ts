/**
 * What a piece of verified evidence from WeChat does to an order. One pure function, used by
 * every writer, so that all of them keep the same promises: nothing but evidence makes an order
 * paid, a paid order is never undone, money is never dropped.
 */
import { isOpen, isPaid, type Order } from './order.ts';
import type { Parties } from './parties.ts';

/** A payment as WeChat reports it, from a verified message. */
export interface PaymentEvidence extends Parties {
  readonly outTradeNo: string;
  readonly transactionId: string;
  /** The payer, as the mini-program `appid` knows them. */
  readonly openid: string;
  /** What was ordered, before coupons; the amount to compare with the order. */
  readonly totalFen: number;
  readonly currency: string;
  readonly bankType?: string | undefined;
  /** Not a number when what WeChat says is no time; such a payment is never recorded. */
  readonly paidAtEpochSeconds: number;
}

export type Evidence =
  | { readonly kind: 'paid'; readonly refunded: boolean; readonly payment: PaymentEvidence }
  | { readonly kind: 'closed' };

/** The part of a stored order that decides. */
export type OrderFacts = Pick<
  Order,
  keyof Parties | 'tradeState' | 'openid' | 'totalFen' | 'currency' | 'transactionId'
> & {
  /** Nothing when the row does not say. */
  readonly createdAtEpochSeconds?: number | undefined;
};

/** What an order and its payment must agree in, the weightiest first. */
const COMPARED = [
  'mchid',
  'subMchid',
  'appid',
  'spAppid',
  'totalFen',
  'currency',
  'openid',
] as const;

/** A field in which evidence and order contradict each other. */
export interface Mismatch {
  readonly field: (typeof COMPARED)[number] | 'transactionId' | 'paidAtEpochSeconds';
  readonly expected: string | number;
  readonly observed: string | number;
}

export type Decision =
  /** Change the order; `from` is the state it must still have when the write happens. */
  | {
      readonly kind: 'apply';
      readonly from: Order['tradeState'];
      readonly to: Order['tradeState'];
      readonly paidAfterClose: boolean;
    }
  /** The order says so already. */
  | { readonly kind: 'duplicate' }
  /** Older than what is known: a close of a paid order. */
  | { readonly kind: 'stale' }
  | ({ readonly kind: 'mismatch' } & Mismatch)
  | { readonly kind: 'unknown-order' };

/**
 * Decides what evidence does to an order; `undefined` stands for an order that does not exist. Now
 * is for the time of a payment, which is neither long before its order nor long after now.
 */
export function decideTransition(
  order: OrderFacts | undefined,
  evidence: Evidence,
  nowEpochSeconds: number,
): Decision {
  if (!order) {
    return { kind: 'unknown-order' };
  }
  return evidence.kind === 'closed'
    ? decideClose(order)
    : decidePayment(order, evidence, nowEpochSeconds);
}

function decideClose(order: OrderFacts): Decision {
  if (isOpen(order)) {
    return { kind: 'apply', from: order.tradeState, to: 'CLOSED', paidAfterClose: false };
  }
  return { kind: order.tradeState === 'CLOSED' ? 'duplicate' : 'stale' };
}

function decidePayment(
  order: OrderFacts,
  { payment, refunded }: Extract<Evidence, { kind: 'paid' }>,
  nowEpochSeconds: number,
): Decision {
  const to = refunded ? 'REFUND' : 'SUCCESS';
  const mismatch = findMismatch(order, payment) ?? findWrongTime(order, payment, nowEpochSeconds);
  if (mismatch) {
    return { kind: 'mismatch', ...mismatch };
  }
  if (isPaid(order)) {
    // Only a refund moves a paid order on; a late "paid" does not take a refund back.
    if (order.tradeState === 'SUCCESS' && to === 'REFUND') {
      return { kind: 'apply', from: 'SUCCESS', to, paidAfterClose: false };
    }
    return { kind: 'duplicate' };
  }
  return {
    kind: 'apply',
    from: order.tradeState,
    to,
    paidAfterClose: order.tradeState === 'CLOSED',
  };
}

/** Stands for a party that only one of the two names. */
const NONE = '(none)';

function findMismatch(order: OrderFacts, payment: PaymentEvidence): Mismatch | undefined {
  for (const field of COMPARED) {
    if (order[field] !== payment[field]) {
      return { field, expected: order[field] ?? NONE, observed: payment[field] ?? NONE };
    }
  }
  const { transactionId } = order;
  // One order cannot be paid twice at WeChat; a second transaction is no duplicate.
  if (transactionId !== undefined && transactionId !== payment.transactionId) {
    return { field: 'transactionId', expected: transactionId, observed: payment.transactionId };
  }
  return undefined;
}

/** How far clocks may differ; a payment's time that is off by more was made up. */
export const CLOCK_TOLERANCE_SECONDS = 86_400;

function findWrongTime(
  { createdAtEpochSeconds = Number.NEGATIVE_INFINITY }: OrderFacts,
  { paidAtEpochSeconds }: PaymentEvidence,
  nowEpochSeconds: number,
): Mismatch | undefined {
  const field = 'paidAtEpochSeconds';
  if (Number.isNaN(paidAtEpochSeconds)) {
    return { field, expected: 'a time', observed: 'not a time' };
  }
  if (paidAtEpochSeconds < createdAtEpochSeconds - CLOCK_TOLERANCE_SECONDS) {
    return { field, expected: createdAtEpochSeconds, observed: paidAtEpochSeconds };
  }
  return paidAtEpochSeconds > nowEpochSeconds + CLOCK_TOLERANCE_SECONDS
    ? { field, expected: nowEpochSeconds, observed: paidAtEpochSeconds }
    : undefined;
}

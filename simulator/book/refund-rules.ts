/** WeChat's rules for a refund; what a refusal is called differs between the API versions. */
import { isDeepStrictEqual } from 'node:util';
import type { Account } from './account.ts';
import type { Clock } from './clock.ts';
import type { OrderRequest } from './order-terms.ts';
import type { Order } from './orders.ts';
import type { RefundTerms } from './refund-terms.ts';
import type { Refund, Refunds } from './refunds.ts';
import { isPaid } from './trade-state.ts';

export const MAX_REFUNDS = 50;
const LONGEST_MS = 365 * 24 * 3600 * 1000;
const PAUSE_MS = 60 * 1000;

export type RefundRefusal =
  | 'ORDER_UNKNOWN'
  | 'ORDER_UNPAID'
  | 'NUMBER_REUSED'
  | 'TOTAL_DIFFERS'
  | 'OVERDUE'
  | 'ALL_REFUNDED'
  | 'EXCEEDS'
  | 'TOO_MANY'
  | 'TOO_SOON'
  | 'BALANCE_SHORT';

export type RefundJudgement =
  | { readonly kind: 'new'; readonly order: Order }
  | { readonly kind: 'repeat'; readonly order: Order; readonly refund: Refund }
  | { readonly kind: 'refused'; readonly why: RefundRefusal };

interface Ledger {
  readonly refunds: Refunds;
  readonly clock: Pick<Clock, 'now'>;
  readonly account: Pick<Account, 'balance'>;
}

/**
 * The number is the identity of a refund: the same parameters again are the same refund, any
 * difference is refused. `order` is what the request names, `request` the request as it was read.
 */
export function judgeRefund(
  ledger: Ledger,
  order: Order | undefined,
  terms: RefundTerms,
  request: OrderRequest,
): RefundJudgement {
  if (!order || order.terms.subMchid !== terms.subMchid) {
    return { kind: 'refused', why: 'ORDER_UNKNOWN' };
  }
  if (!isPaid(order)) {
    return { kind: 'refused', why: 'ORDER_UNPAID' };
  }
  const refund = ledger.refunds.find(terms.outRefundNo);
  if (refund) {
    return isDeepStrictEqual(refund.request, request)
      ? { kind: 'repeat', order, refund }
      : { kind: 'refused', why: 'NUMBER_REUSED' };
  }
  const why = refuseNew(ledger, order, terms);
  return why ? { kind: 'refused', why } : { kind: 'new', order };
}

function refuseNew(
  { refunds, clock, account }: Ledger,
  order: Order,
  { refundFen, totalFen }: RefundTerms,
): RefundRefusal | undefined {
  if (totalFen !== order.totalFen) {
    return 'TOTAL_DIFFERS';
  }
  if (clock.now() - (order.paidAtMs ?? 0) > LONGEST_MS) {
    return 'OVERDUE';
  }
  const restFen = order.totalFen - refunds.refundedFenOf(order.outTradeNo);
  if (refundFen > restFen) {
    return restFen === 0 ? 'ALL_REFUNDED' : 'EXCEEDS';
  }
  const earlier = refunds.listOf(order.outTradeNo);
  if (earlier.length >= MAX_REFUNDS) {
    return 'TOO_MANY';
  }
  // What somebody does by hand in the console does not hold the API up.
  const last = earlier.findLast(({ api }) => api !== 'console');
  if (last && clock.now() - last.createdAtMs < PAUSE_MS) {
    return 'TOO_SOON';
  }
  const balanceFen = readBalance({ account, refunds });
  return balanceFen !== null && refundFen > balanceFen ? 'BALANCE_SHORT' : undefined;
}

/** What there is to refund from; null: no limit. A closed refund has given its part back. */
export function readBalance({ account, refunds }: Omit<Ledger, 'clock'>): number | null {
  const balance = account.balance();
  return balance && balance.fen - refunds.refundedFenSince(balance.serial);
}

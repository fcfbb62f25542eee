/**
 * What WeChat's word does to a refund. One pure function, used by every writer, so that all of them
 * keep the same promises: nothing but evidence makes a refund done, what is final stays, what WeChat
 * proves is recorded whatever was reserved.
 */
import { nextQueryAt } from './pace.ts';
import {
  findRefundMismatch,
  type Refund,
  type RefundEvidence,
  type RefundMismatch,
} from './refund.ts';

/** What a change of a refund does to its order, in the same transaction. Amounts in fen. */
export interface OrderEffect {
  /** Of the amount that can still be refunded; negative when it is free again. */
  readonly takesFen: number;
  /** Of what WeChat has proved, to be held against the payment. */
  readonly provesFen: number;
  /** Of the refunds that count towards the limit. */
  readonly counts: -1 | 0 | 1;
  /** The order's `trade_state` becomes `REFUND`. */
  readonly refunds: boolean;
}

export type RefundDecision =
  | { readonly kind: 'apply'; readonly refund: Refund; readonly effect: OrderEffect }
  /** The refund says so already. */
  | { readonly kind: 'duplicate' }
  /** Older than what is known, or against a final state. */
  | { readonly kind: 'stale' }
  | ({ readonly kind: 'mismatch' } & RefundMismatch);

interface Asked {
  /**
   * Whether the row is still what it was when WeChat was asked. An answer that is older than the
   * row's last change tells only what cannot be otherwise any more.
   */
  readonly isCurrent: boolean;
  readonly nowEpochSeconds: number;
}

/** Decides what evidence does to a refund. */
export function decideRefund(
  refund: Refund,
  evidence: RefundEvidence,
  { isCurrent, nowEpochSeconds }: Asked,
): RefundDecision {
  const mismatch = findRefundMismatch(refund, evidence);
  if (mismatch) {
    return { kind: 'mismatch', ...mismatch };
  }
  const step = stepOf(refund, evidence.status, isCurrent);
  if (step !== 'apply') {
    return { kind: step };
  }
  return {
    kind: 'apply',
    refund: applied(refund, evidence, nowEpochSeconds),
    effect: effectOf(refund, evidence),
  };
}

/** Closed here because WeChat refused it, not by WeChat: it never gave it a number of its own. */
const isClosedByUs = ({ status, refundId }: Pick<Refund, 'status' | 'refundId'>) =>
  status === 'CLOSED' && refundId === undefined;

function stepOf(
  refund: Refund,
  to: RefundEvidence['status'],
  isCurrent: boolean,
): 'apply' | 'duplicate' | 'stale' {
  if (refund.status === to) {
    return 'duplicate';
  }
  switch (refund.status) {
    case 'PENDING':
      return 'apply';
    case 'PROCESSING':
    case 'ABNORMAL':
      // Between these two WeChat goes back and forth, so only the latest word counts.
      return isCurrent || to === 'SUCCESS' || to === 'CLOSED' ? 'apply' : 'stale';
    case 'CLOSED':
      return isClosedByUs(refund) ? 'apply' : 'stale';
    case 'SUCCESS':
      return 'stale';
  }
}

function applied(refund: Refund, evidence: RefundEvidence, nowEpochSeconds: number): Refund {
  const { status, refundId, createdAtEpochSeconds = nowEpochSeconds } = evidence;
  return {
    ...refund,
    status,
    refundId,
    round: refund.round + (status === 'ABNORMAL' ? 1 : 0),
    waitingFor: undefined,
    failure: undefined,
    acceptedAtEpochSeconds: refund.acceptedAtEpochSeconds ?? createdAtEpochSeconds,
    succeededAtEpochSeconds: evidence.succeededAtEpochSeconds,
    userReceivedAccount: evidence.userReceivedAccount ?? refund.userReceivedAccount,
    checks: 0,
    nextCheckAtEpochSeconds: nextQueryAt(status, 0, nowEpochSeconds),
  };
}

function effectOf(refund: Refund, { status }: RefundEvidence): OrderEffect {
  const { refundFen } = refund;
  const wasProved = refund.status === 'PROCESSING' || refund.status === 'ABNORMAL';
  if (status === 'CLOSED') {
    return {
      takesFen: -refundFen,
      provesFen: wasProved ? -refundFen : 0,
      counts: 0,
      refunds: false,
    };
  }
  const isTakenAgain = isClosedByUs(refund);
  return {
    takesFen: isTakenAgain ? refundFen : 0,
    provesFen: wasProved ? 0 : refundFen,
    counts: isTakenAgain ? 1 : 0,
    refunds: !wasProved,
  };
}

/** What a refund that the merchant's people made in WeChat's console takes; nothing once it is closed. */
export function effectOfConsoleRefund({ status, refundFen }: RefundEvidence): OrderEffect {
  return status === 'CLOSED'
    ? { takesFen: 0, provesFen: 0, counts: 0, refunds: false }
    : { takesFen: refundFen, provesFen: refundFen, counts: 1, refunds: true };
}

/** What becomes free when WeChat has refused a refund for good: it counts for nothing. */
export function effectOfRefusal({ refundFen }: Refund): OrderEffect {
  return { takesFen: -refundFen, provesFen: 0, counts: -1, refunds: false };
}

/** When an open order is looked at, and what is done then. Pure: the clock is an argument. */
import { isClosing, isOpen, isPaid, type Order } from './order.ts';

/** API v2 refuses to close an order during its first 5 minutes; v3 has no such rule. */
const CLOSE_NOT_BEFORE_SECONDS = { v2: 300, v3: 0 } as const;

/** After this no `prepay` that found the order open is still on its way to WeChat. */
const PREPAY_ARRIVES_SECONDS = 60;

/** Pauses between the first checks of an order that stays unpaid, and then. */
const CHECK_PAUSES_SECONDS = [60, 180, 300, 600] as const;
const LAST_PAUSE_SECONDS = 1800;

/** Longest pause before another attempt to close an order whose time is over, for two hours; then longer. */
const CLOSE_RETRY_SECONDS = 300;
const CLOSE_RETRY_SOON_SECONDS = 7_200;
const LONGEST_CLOSE_RETRY_SECONDS = 86_400;
/** A look that comes so late shows that reconcile does not keep up. */
const LATE_SECONDS = 180;
/** Shortest, while a buyer waits for it. */
const CLOSING_RETRY_SECONDS = 60;

/** The part of an order that decides when it is closed. */
type Closable = Pick<
  Order,
  'apiVersion' | 'createdAtEpochSeconds' | 'expiresAtEpochSeconds' | 'closingAtEpochSeconds'
>;

/** From when on WeChat closes an order. */
function closableAt({ apiVersion, createdAtEpochSeconds }: Closable): number {
  return createdAtEpochSeconds + CLOSE_NOT_BEFORE_SECONDS[apiVersion];
}

/** Whether WeChat refuses to close the order because it is too young. */
export function isTooYoungToClose(order: Closable, nowEpochSeconds: number): boolean {
  return nowEpochSeconds < closableAt(order);
}

/**
 * Whether an order that WeChat does not know may still reach it: a `prepay` that read the order
 * before it was `closing` goes on.
 */
export function mayStillBePlaced(order: Closable, nowEpochSeconds: number): boolean {
  const { closingAtEpochSeconds: closingAt } = order;
  return closingAt !== undefined && nowEpochSeconds < closingAt + PREPAY_ARRIVES_SECONDS;
}

/**
 * `none`: nothing to do; `query`: ask WeChat; `close`: its time is over, or the buyer gave it up;
 * `refunds`: it is paid and due all the same, because of refunds that have no row yet.
 */
export type CheckPlan = 'none' | 'query' | 'close' | 'refunds';

export function planCheck(
  order: Closable & Pick<Order, 'tradeState' | 'nextCheckAtEpochSeconds'>,
  nowEpochSeconds: number,
): CheckPlan {
  if (!isOpen(order)) {
    return isPaid(order) && order.nextCheckAtEpochSeconds !== undefined ? 'refunds' : 'none';
  }
  if (isClosing(order)) {
    return 'close';
  }
  const isExpired = nowEpochSeconds >= order.expiresAtEpochSeconds;
  return isExpired && !isTooYoungToClose(order, nowEpochSeconds) ? 'close' : 'query';
}

/** The part of an order that decides when it is looked at. */
type Paced = Closable & Partial<Pick<Order, 'isAskedAbout' | 'nextCheckAtEpochSeconds'>>;

/**
 * When to look next, after `checks` checks: soon at first, then less often, but never later than
 * the moment when the order is to be closed. One that is `closing` waits as long as it has waited
 * already, between one minute and five. An order that was asked about before, came late again, and
 * that nobody else asked about is left alone until it is to be closed: others wait for their first
 * question. One that cannot be closed for hours is tried less and less, once a day in the end.
 */
export function nextCheckAt(order: Paced, checks: number, nowEpochSeconds: number): number {
  const { closingAtEpochSeconds: closingAt, expiresAtEpochSeconds } = order;
  const closeAt = Math.max(
    closableAt(order),
    closingAt === undefined ? expiresAtEpochSeconds : closingAt,
  );
  const pause =
    closingAt === undefined
      ? (CHECK_PAUSES_SECONDS[checks] ?? LAST_PAUSE_SECONDS)
      : Math.max(CLOSING_RETRY_SECONDS, nowEpochSeconds - closingAt);
  if (nowEpochSeconds < closeAt) {
    return isHopeless(order, checks, nowEpochSeconds)
      ? closeAt
      : Math.min(nowEpochSeconds + pause, closeAt);
  }
  const overdueSeconds = nowEpochSeconds - closeAt;
  return overdueSeconds < CLOSE_RETRY_SOON_SECONDS
    ? nowEpochSeconds + Math.min(pause, CLOSE_RETRY_SECONDS)
    : nowEpochSeconds + Math.min(LONGEST_CLOSE_RETRY_SECONDS, Math.floor(overdueSeconds / 4));
}

/** An order whose time has been over for so long should have ended: WeChat takes no payment for it. */
const UNSETTLED_AFTER_SECONDS = 172_800;
/** From the first attempt after that which came to nothing to the last: a day to mend what is wrong. */
const LAST_ATTEMPT_AFTER_SECONDS = 86_400;

/**
 * What becomes of an open order after an attempt to settle it that was answered and came to nothing.
 * `wait`: the usual pace; `unsettled`: the same, but the last attempt comes a day later; `give-up`: this
 * was the last one. WeChat takes payments until the order's own time is over, and reports them for a
 * day, so nothing is given up before.
 */
export function afterFailedAttempt(
  order: Pick<Order, 'expiresAtEpochSeconds' | 'unsettledSinceEpochSeconds'>,
  nowEpochSeconds: number,
): 'wait' | 'unsettled' | 'give-up' {
  const { expiresAtEpochSeconds, unsettledSinceEpochSeconds: since } = order;
  if (nowEpochSeconds < expiresAtEpochSeconds + UNSETTLED_AFTER_SECONDS) {
    return 'wait';
  }
  return since !== undefined && nowEpochSeconds >= since + LAST_ATTEMPT_AFTER_SECONDS
    ? 'give-up'
    : 'unsettled';
}

function isHopeless(
  { isAskedAbout = false, closingAtEpochSeconds, nextCheckAtEpochSeconds: dueAt }: Paced,
  checks: number,
  nowEpochSeconds: number,
): boolean {
  const isLate = dueAt !== undefined && nowEpochSeconds - dueAt > LATE_SECONDS;
  return isLate && checks > 1 && !isAskedAbout && closingAtEpochSeconds === undefined;
}

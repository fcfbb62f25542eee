/** When an open order is looked at, and what is done then. Pure: the clock is an argument. */
import { isOpen, type Order } from './order.ts';

/** WeChat refuses to close an order during its first 5 minutes. */
const CLOSE_NOT_BEFORE_SECONDS = 300;

/** Pauses between the first checks of an order that stays unpaid, and then. */
const CHECK_PAUSES_SECONDS = [60, 180, 300, 600] as const;
const LAST_PAUSE_SECONDS = 1800;

/** Longest pause before another attempt to close an order whose time is over. */
const CLOSE_RETRY_SECONDS = 300;

/** `none`: nothing to do; `query`: ask WeChat; `close`: its time is over. */
export type CheckPlan = 'none' | 'query' | 'close';

export function planCheck(
  order: Pick<Order, 'tradeState' | 'createdAtEpochSeconds' | 'expiresAtEpochSeconds'>,
  nowEpochSeconds: number,
): CheckPlan {
  if (!isOpen(order)) {
    return 'none';
  }
  const isExpired = nowEpochSeconds >= order.expiresAtEpochSeconds;
  const mayClose = nowEpochSeconds >= order.createdAtEpochSeconds + CLOSE_NOT_BEFORE_SECONDS;
  return isExpired && mayClose ? 'close' : 'query';
}

/**
 * When to look next, after `checks` checks: soon at first, then less often, but never later than
 * the moment when the order is to be closed.
 */
export function nextCheckAt(
  order: Pick<Order, 'createdAtEpochSeconds' | 'expiresAtEpochSeconds'>,
  checks: number,
  nowEpochSeconds: number,
): number {
  const pause = CHECK_PAUSES_SECONDS[checks] ?? LAST_PAUSE_SECONDS;
  const closeAt = Math.max(
    order.expiresAtEpochSeconds,
    order.createdAtEpochSeconds + CLOSE_NOT_BEFORE_SECONDS,
  );
  return nowEpochSeconds < closeAt
    ? Math.min(nowEpochSeconds + pause, closeAt)
    : nowEpochSeconds + Math.min(pause, CLOSE_RETRY_SECONDS);
}

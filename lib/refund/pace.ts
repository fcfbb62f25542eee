/** When a refund is looked at next. Pure: the clock is an argument. */
import { beijingWeekday } from '../time.ts';
import type { Refund, RefundStatus } from './refund.ts';

/** WeChat's advice: after a minute, after 5, then with growing steps. The last one repeats. */
const PROCESSING_PAUSES_SECONDS = [60, 300, 600, 1200] as const;
/** A request whose outcome nobody knows, or that was never sent. */
const PENDING_PAUSES_SECONDS = [60, 120, 300, 600] as const;
const LAST_PAUSE_SECONDS = 1800;

/** WeChat asked for fewer calls (429). */
const SLOW_PAUSE_SECONDS = 600;
/** A refund that a person has to decide about; its alarm rings at each look. */
const ABNORMAL_PAUSE_SECONDS = 86_400;
/** What only the owner can mend: soon after it is mended, without hammering WeChat until then. */
const CONFIG_PAUSE_SECONDS = 300;
/** While the merchant's balance is short: one refund per merchant asks, the others wait. */
export const PROBE_PAUSE_SECONDS = 60;
const BALANCE_PAUSE_SECONDS = 300;

/**
 * A refusal after an attempt that may have been carried out: so long may that attempt still come to
 * light. Counted from the last attempt.
 */
export const DOUBT_SECONDS = 600;

const pauseOf = (pauses: readonly number[], checks: number) => pauses[checks] ?? LAST_PAUSE_SECONDS;

/** When WeChat is asked next, after `checks` times in this state; never again in a final state. */
export function nextQueryAt(
  status: RefundStatus,
  checks: number,
  nowEpochSeconds: number,
): number | undefined {
  switch (status) {
    case 'PENDING':
      return nowEpochSeconds + pauseOf(PENDING_PAUSES_SECONDS, checks);
    case 'PROCESSING':
      return nowEpochSeconds + pauseOf(PROCESSING_PAUSES_SECONDS, checks);
    case 'ABNORMAL':
      return nowEpochSeconds + ABNORMAL_PAUSE_SECONDS;
    case 'SUCCESS':
    case 'CLOSED':
      return undefined;
  }
}

/** The pause before a refund is sent again that WeChat has not accepted. */
export function sendPauseSeconds(
  { waitingFor, checks }: Pick<Refund, 'waitingFor' | 'checks'>,
  isSlower = false,
): number {
  const usual = pauseOf(PENDING_PAUSES_SECONDS, checks);
  switch (waitingFor) {
    case 'BALANCE':
      return BALANCE_PAUSE_SECONDS;
    case 'CONFIG':
      return Math.max(usual, CONFIG_PAUSE_SECONDS);
    case 'PAUSE':
    case undefined:
      return isSlower ? Math.max(usual, SLOW_PAUSE_SECONDS) : usual;
  }
}

const OVERDUE_WORKING_DAYS = 3;

/**
 * Whether WeChat processes a refund for more than three working days (Monday to Friday in Beijing;
 * holidays are not known here), which is what a bank card takes at most.
 */
export function isOverdue(
  { status, acceptedAtEpochSeconds }: Pick<Refund, 'status' | 'acceptedAtEpochSeconds'>,
  nowEpochSeconds: number,
): boolean {
  if (status !== 'PROCESSING' || acceptedAtEpochSeconds === undefined) {
    return false;
  }
  let workingDays = 0;
  for (let at = acceptedAtEpochSeconds + 86_400; at <= nowEpochSeconds; at += 86_400) {
    const weekday = beijingWeekday(at);
    workingDays += weekday === 0 || weekday === 6 ? 0 : 1;
    if (workingDays === OVERDUE_WORKING_DAYS) {
      return true;
    }
  }
  return false;
}

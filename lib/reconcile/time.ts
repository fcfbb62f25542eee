/** How long a run may go on: every limit of reconcile's time, computed from the time-outs themselves. */
import { MAX_OPERATION_MS } from '../table/client.ts';
import { MAX_CALL_MS, MIN_CALL_MS } from './patience.ts';

/** A close and the query after it. */
const MAX_CALLS = 2;

/** After WeChat's answer: the evidence, what contradicts it, the next look. */
const MAX_WRITES = 3;

/** At the end of a run: its log line and its metrics. */
const REPORT_MS = 500;

/** What stays free for the writes and the report while WeChat is asked. */
const RESERVE_MS = MAX_WRITES * MAX_OPERATION_MS + REPORT_MS;

/**
 * Nothing is begun with less time than it may take: the read, WeChat's calls at their shortest, the
 * writes and the report.
 */
export const MARGIN_MS = MAX_OPERATION_MS + MAX_CALLS * MIN_CALL_MS + RESERVE_MS;

/** When Lambda ends the run so soon, it reports as it is: whatever still hangs is left behind. */
export const LAST_CALL_MS = REPORT_MS;

/** The limit of each of so many calls to WeChat, which shrinks with the time that is left. */
export function callTimeoutMs(remainingMs: number, calls: number): number {
  const share = Math.floor((remainingMs - RESERVE_MS) / calls);
  return Math.min(MAX_CALL_MS, Math.max(MIN_CALL_MS, share));
}

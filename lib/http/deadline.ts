/** An answer in time, whatever hangs: Lambda would end the function without one. */
import type { Context } from 'aws-lambda';
import { TemporarilyUnavailableError } from '../errors.ts';

/** What stays for the answer, its log line and its metrics. */
const ANSWER_MS = 300;

/** Runs something once, later; the function in return calls it off. */
export type StartTimer = (delayMs: number, run: () => void) => () => void;

/** What Lambda tells of a call; without the time that is left nothing is cut short. */
export type CallContext = Pick<Context, 'awsRequestId'> &
  Partial<Pick<Context, 'getRemainingTimeInMillis'>>;

/**
 * What comes of the work, unless the function's time is nearly over first. What hangs is left behind:
 * every write is conditional, and whoever called repeats the whole under the same key.
 *
 * @throws {TemporarilyUnavailableError} 300 ms before Lambda ends the function.
 */
export async function beforeTimeIsOver<T>(
  work: Promise<T>,
  context: CallContext,
  startTimer: StartTimer | undefined,
): Promise<T> {
  const remainingMs = context.getRemainingTimeInMillis?.();
  if (remainingMs === undefined || !startTimer) {
    return work;
  }
  const timeIsOver = Promise.withResolvers<never>();
  const stopTimer = startTimer(Math.max(0, remainingMs - ANSWER_MS), () =>
    timeIsOver.reject(new TemporarilyUnavailableError('the time of the function is nearly over')),
  );
  try {
    return await Promise.race([work, timeIsOver.promise]);
  } finally {
    stopTimer();
  }
}

/** The failures that only a person can mend, counted so that an alarm rings. */
import { ConfigError, UnreadableRowError } from '../errors.ts';
import type { Log } from './log.ts';

/** Counts such a failure, wherever it was caught; any other counts nothing. */
export function countFailure(log: Pick<Log, 'count'>, error: unknown): void {
  if (error instanceof ConfigError) {
    log.count('ConfigError');
  }
  if (error instanceof UnreadableRowError) {
    log.count('OrderUnreadable');
  }
}

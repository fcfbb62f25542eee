/** The failures that only a person can mend, counted so that an alarm rings; and storage that is away. */
import {
  ConfigError,
  TemporarilyUnavailableError,
  UnreadableRowError,
  WechatPaySignatureError,
} from '../errors.ts';
import type { Log } from './log.ts';

/** Counts such a failure, wherever it was caught; any other counts nothing. */
export function countFailure(log: Pick<Log, 'count'>, error: unknown): void {
  if (error instanceof ConfigError) {
    log.count('ConfigError');
  }
  if (error instanceof UnreadableRowError) {
    log.count('OrderUnreadable');
  }
  // No alarm of its own: the answers are 503, and that on answers of 5xx rings.
  if (error instanceof TemporarilyUnavailableError) {
    log.count('StorageUnavailable');
  }
  // In answers as in notifications: forged, or our key to verify with is wrong. Nobody needs to
  // look into a test of WeChat's, as long as it is refused.
  if (error instanceof WechatPaySignatureError && !error.isProbe) {
    log.count('SignatureRejected');
  }
}

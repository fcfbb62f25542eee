/** What a run of reconcile says of itself: one line, and the metrics that alarms watch. */
import type { Log } from '../runtime/log.ts';
import type { ReconcileSummary } from './run.ts';

/**
 * Writes the line of a run, as an error when it was cut off, and counts what tells an owner that
 * reconcile falls behind or stands in for notifications.
 */
export function reportRun(log: Log, summary: ReconcileSummary): void {
  const { paid, cutOff, timeRanOut, wechatSilent, backlog, oldestDueSeconds } = summary;
  if (backlog > 0) {
    log.count('ReconcileBacklog', backlog);
    log.count('ReconcileOldestDueSeconds', oldestDueSeconds);
  }
  if (timeRanOut) {
    log.count('ReconcileTimeRanOut');
  }
  if (wechatSilent) {
    log.count('ReconcileWechatSilent');
  }
  if (paid > 0) {
    log.count('PaymentFoundByReconcile', paid);
  }
  const wasCut = cutOff > 0;
  log[wasCut ? 'error' : timeRanOut || wechatSilent ? 'warn' : 'info'](
    wasCut ? 'reconcile was cut off' : 'reconciled',
    { ...summary },
  );
}

/** What contradicts a row is a fact of it, and rings when it is published. */
import type { Log, MetricName } from '../runtime/log.ts';
import type { Keeping } from '../table/mismatches.ts';

/**
 * Keeps a contradiction. What a row cannot keep rings here, every time; when the table fails, it is
 * for the caller to fail by as well.
 */
export async function keepOrRing(
  log: Pick<Log, 'count'>,
  metric: MetricName,
  keep: () => Promise<Keeping>,
): Promise<void> {
  try {
    if ((await keep()) === 'not-kept') {
      log.count(metric);
    }
  } catch (error) {
    log.count(metric);
    throw error;
  }
}

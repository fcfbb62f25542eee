/** What contradicts a row is a fact of it, and rings when it is published. */
import type { Log, MetricName } from '../runtime/log.ts';

/** Keeps a contradiction; one that cannot be kept rings here, and is for the caller to fail by. */
export async function keepOrRing(
  log: Pick<Log, 'count'>,
  metric: MetricName,
  keep: () => Promise<void>,
): Promise<void> {
  try {
    await keep();
  } catch (error) {
    log.count(metric);
    throw error;
  }
}

/** A person says why a difference is none to act on. */
import { InvalidRequestError } from '../errors.ts';
import { explainDifference } from '../table/bill-differences.ts';
import type { BillContext } from './context.ts';
import type { Explanation } from './event.ts';

/** @throws {InvalidRequestError} when there is no such difference, or nothing left to explain. */
export async function explain(
  { table, log }: Pick<BillContext, 'table' | 'log'>,
  date: string,
  { kind, number, line, note }: Explanation,
): Promise<void> {
  for (const subject of ['payment', 'refund'] as const) {
    const name = { kind, subject, key: number, line };
    if ((await explainDifference(table, date, name, note)) === 'explained') {
      log.info('a difference was explained', { date, kind, number });
      return;
    }
  }
  throw new InvalidRequestError('INVALID_REQUEST', { field: 'explain' });
}

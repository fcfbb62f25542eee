/** Whether what a bill lacks is in the bill of another day. */
import { crossingName, type Finding } from '../bill/compare.ts';
import { readFound } from '../table/bill-crossings.ts';
import { readBillDay } from '../table/bills.ts';
import type { BillContext } from './context.ts';

/** By the last run of that other day, or by one that is not over. */
export async function findOtherBill(
  { table }: Pick<BillContext, 'table'>,
  date: string,
  { subject, key }: Pick<Finding, 'subject' | 'key'>,
): Promise<'in-another-bill' | 'in-none'> {
  const found = await readFound(table, crossingName(subject, key));
  if (!found || found.date === date) {
    return 'in-none';
  }
  const last = (await readBillDay(table, found.date))?.checked;
  // A later bill of that day that did not have it any more was corrected.
  const isStale = last && found.runId !== last.runId && found.foundAt <= last.checkedAt;
  return isStale ? 'in-none' : 'in-another-bill';
}

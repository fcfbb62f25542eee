/** Whose turn it is to check the bill of a day: a lease on the day's row. */
import { number, text } from './attributes.ts';
import { billKey } from './bills.ts';
import type { Table } from './client.ts';
import { tryUpdate } from './update.ts';

/**
 * Takes the lease of a day. Condition: nobody holds it; one that is over is
 * held by nobody, so a run that was killed stops the next for as long as a lease lasts.
 */
export async function takeLease(
  table: Table,
  date: string,
  runId: string,
  { nowMs, untilMs }: { readonly nowMs: number; readonly untilMs: number },
): Promise<'taken' | 'held'> {
  const outcome = await tryUpdate(table, billKey(date), {
    UpdateExpression: 'SET runId = :run, leaseUntilMs = :until',
    ConditionExpression: 'attribute_not_exists(leaseUntilMs) OR leaseUntilMs <= :now',
    ExpressionAttributeValues: {
      ':run': text(runId),
      ':until': number(untilMs),
      ':now': number(nowMs),
    },
  });
  return outcome === 'written' ? 'taken' : 'held';
}

/**
 * Keeps the lease of a run that has it. Condition: nobody has taken it since, and the run has not ended, however long
 * the renewal was on its way.
 */
export async function renewLease(
  table: Table,
  date: string,
  runId: string,
  untilMs: number,
): Promise<'taken' | 'held'> {
  const outcome = await tryUpdate(table, billKey(date), {
    UpdateExpression: 'SET leaseUntilMs = :until',
    ConditionExpression: 'runId = :run AND leaseUntilMs > :over',
    ExpressionAttributeValues: {
      ':run': text(runId),
      ':until': number(untilMs),
      ':over': number(0),
    },
  });
  return outcome === 'written' ? 'taken' : 'held';
}

/** Ends a run that came to no result: the last result stays. Condition: it still has the lease. */
export async function endWithoutResult(
  table: Table,
  date: string,
  runId: string,
  reason: string,
): Promise<void> {
  await tryUpdate(table, billKey(date), {
    UpdateExpression: 'SET leaseUntilMs = :over, reason = :reason',
    ConditionExpression: 'runId = :run',
    ExpressionAttributeValues: {
      ':over': number(0),
      ':reason': text(reason),
      ':run': text(runId),
    },
  });
}

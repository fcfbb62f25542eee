/** One run per day at a time: the lease is short and renewed, so that a killed run stops nobody for long. */
import { renewLease, takeLease } from '../table/bill-lease.ts';
import { readBillDay } from '../table/bills.ts';
import type { BillContext, Run } from './context.ts';

const LEASE_MS = 60_000;
const RENEW_MS = 15_000;
const WAIT_MS = 1_000;

/** Takes the lease for a run; false when another run holds it. */
export async function tryLease(context: BillContext, { date, runId }: Run) {
  const nowMs = context.nowMs();
  return takeLease(context.table, date, runId, { nowMs, untilMs: nowMs + LEASE_MS });
}

/** Renews the lease until the function in return is called. */
export function keepLease(context: BillContext, run: Run): () => void {
  let isOver = false;
  let stopTimer: () => void = () => undefined;
  const renewLater = () => {
    stopTimer = context.startTimer(RENEW_MS, () => {
      // A renewal that fails is followed by another; the result is written only while the lease lasts.
      const ended = () => {
        if (!isOver) {
          renewLater();
        }
      };
      renewLease(context.table, run.date, run.runId, context.nowMs() + LEASE_MS).then(ended, ended);
    });
  };
  renewLater();
  return () => {
    isOver = true;
    stopTimer();
  };
}

/**
 * Waits while another run holds the lease of a day.
 *
 * @returns `ended` when it came to its end, `lost` when its lease ran out, `busy` when our time did.
 */
export async function awaitOther(
  context: BillContext,
  date: string,
  marginMs: number,
): Promise<'ended' | 'lost' | 'busy'> {
  for (;;) {
    const day = await readBillDay(context.table, date);
    const untilMs = day?.leaseUntilMs ?? 0;
    if (untilMs <= context.nowMs()) {
      return untilMs === 0 ? 'ended' : 'lost';
    }
    if (context.remainingMs() < marginMs) {
      return 'busy';
    }
    await new Promise<void>((resolve) => {
      context.startTimer(WAIT_MS, resolve);
    });
  }
}

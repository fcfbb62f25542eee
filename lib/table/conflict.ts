/** Writes that met a transaction on the same row: one of the two is through a moment later. */
import { TransactionConflictException } from '@aws-sdk/client-dynamodb';
import type { Table } from './client.ts';

/** How often the transaction of an order from a quote is tried that meets others. */
export const MAX_CONFLICT_ATTEMPTS = 5;
/** Longest pause after the first attempt; it grows with every further one. */
const MAX_PAUSE_MS = 50;

/** Some part of the time, by chance: those who met must not meet again. */
export async function pauseAfterConflict(
  { randomBytes, startTimer }: Table,
  attempt: number,
): Promise<void> {
  const part = randomBytes(2).readUInt16BE() / 0x1_00_00;
  await new Promise<void>((resolve) => {
    startTimer(part * MAX_PAUSE_MS * attempt, resolve);
  });
}

/** For so long at most are writes made again that meet others, all pauses together. */
const MAX_CONFLICT_MS = 10_000;
/** The first pause at its longest; the next ones are twice as long, up to a second. */
const FIRST_PAUSE_MS = 50;
const LAST_PAUSE_MS = 1_000;

/** The conflict of one write, from its first attempt to its last. */
interface Conflict {
  /**
   * Waits before the next attempt, for some part of a pause that grows.
   *
   * @throws the failure, when the time is over.
   */
  pause(failure: unknown): Promise<void>;
}

export function startConflict({ randomBytes, startTimer }: Table): Conflict {
  let maxPauseMs = FIRST_PAUSE_MS;
  let maxWaitedMs = 0;
  return {
    async pause(failure) {
      maxWaitedMs += maxPauseMs;
      if (maxWaitedMs > MAX_CONFLICT_MS) {
        throw failure;
      }
      const pauseMs = (maxPauseMs * randomBytes(2).readUInt16BE()) / 0x1_00_00;
      maxPauseMs = Math.min(LAST_PAUSE_MS, 2 * maxPauseMs);
      await new Promise<void>((resolve) => {
        startTimer(pauseMs, resolve);
      });
    },
  };
}

/** Writes one row; again when a transaction was on it, which says nothing of what the row became. */
export async function retryConflicts<T>(table: Table, write: () => Promise<T>): Promise<T> {
  const conflict = startConflict(table);
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof TransactionConflictException)) {
        throw error;
      }
      await conflict.pause(error);
    }
  }
}

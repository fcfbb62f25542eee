/** Writes that met a transaction on the same row: one of the two is through a moment later. */
import { TransactionConflictException } from '@aws-sdk/client-dynamodb';
import type { Table } from './client.ts';

/** How often a write is tried that meets others. */
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

/** Writes one row; again when a transaction was on it, which says nothing of what the row became. */
export async function retryConflicts<T>(table: Table, write: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof TransactionConflictException) || attempt === MAX_CONFLICT_ATTEMPTS) {
        throw error;
      }
      await pauseAfterConflict(table, attempt);
    }
  }
}

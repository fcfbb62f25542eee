/** Where records go that a function failed for good: whole, one batch a line, as to S3 on AWS. */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { DynamoDBRecord } from 'aws-lambda';
import { onFile } from '../../file-error.ts';

export interface FailedBatch {
  readonly functionName: string;
  /** ISO 8601. */
  readonly failedAt: string;
  readonly condition: 'RetryAttemptsExhausted' | 'RecordAgeExceeded';
  /** What the function said last; absent for records that were too old to be given to it. */
  readonly lastFailure?: string;
  readonly records: readonly DynamoDBRecord[];
}

/** Adds a line; it is on disk when this returns. */
export function addFailedBatch(file: string, batch: FailedBatch): void {
  onFile(file, () => {
    const descriptor = openSync(file, 'a', 0o600);
    try {
      writeSync(descriptor, `${JSON.stringify(batch)}\n`);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  });
}

/** How many records are in the file; a line that was cut off counts as one. */
export function countFailedRecords(file: string): number {
  if (!existsSync(file)) {
    return 0;
  }
  const lines = onFile(file, () => readFileSync(file, 'utf8')).split('\n');
  return lines
    .filter((line) => line !== '')
    .map(countRecords)
    .reduce((sum, count) => sum + count, 0);
}

function countRecords(line: string): number {
  try {
    return (JSON.parse(line) as FailedBatch).records.length;
  } catch {
    return 1;
  }
}

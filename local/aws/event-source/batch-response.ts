/**
 * What a function's answer to a batch of records means.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
 */
import type { DynamoDBRecord } from 'aws-lambda';
import type { InvocationOutcome } from '../lambda.ts';
import { sequenceOf } from './stream-source.ts';

export interface BatchJudgement {
  /** So many from the beginning of the batch are done with. */
  readonly doneCount: number;
  /** Why the rest is not; undefined: there is no rest. */
  readonly failure?: string;
}

/**
 * The first failed record decides, whichever come after it; an answer that names none of the batch
 * fails all of it, as on Lambda.
 */
export function judgeBatchResponse(
  records: readonly DynamoDBRecord[],
  outcome: InvocationOutcome,
  reportsFailures: boolean,
): BatchJudgement {
  if (!outcome.ok) {
    const { errorType, errorMessage } = outcome.error;
    return { doneCount: 0, failure: `${errorType}: ${errorMessage}` };
  }
  const failed = reportsFailures ? readFailures(outcome.result) : [];
  if (failed.length === 0) {
    return { doneCount: records.length };
  }
  const places = failed.map((id) => records.findIndex((record) => sequenceOf(record) === id));
  const unknown = places.indexOf(-1);
  if (unknown >= 0) {
    const named = JSON.stringify(failed[unknown]);
    return { doneCount: 0, failure: `the answer names no record of the batch: ${named}` };
  }
  const doneCount = Math.min(...places);
  const count = records.length - doneCount;
  const place = `record ${doneCount + 1} of ${records.length}`;
  return { doneCount, failure: `${place} failed, so ${count} are given again` };
}

/** Nothing, `null`, `{}` and an empty list are a success. */
function readFailures(result: unknown): readonly unknown[] {
  const { batchItemFailures } = (result ?? {}) as { batchItemFailures?: unknown };
  return Array.isArray(batchItemFailures)
    ? batchItemFailures.map(
        (failure: unknown) => (failure as { itemIdentifier?: unknown } | null)?.itemIdentifier,
      )
    : [];
}

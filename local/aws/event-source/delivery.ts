/**
 * A batch of records brought to its function as Lambda's event source mapping does it: again until
 * it succeeds, from the first failed record on, in halves, and to the destination for what fails for
 * good. https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html
 */
import type { DynamoDBRecord } from 'aws-lambda';
import type { InvocationOutcome } from '../lambda.ts';
import { judgeBatchResponse } from './batch-response.ts';
import type { FailedBatch } from './failed-records.ts';
import type { EventSourceMapping } from './mapping.ts';
import { sequenceOf } from './stream-source.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1000;

export type DeliveryRules = Pick<
  EventSourceMapping,
  'retryAttempts' | 'maxAgeMs' | 'bisects' | 'reportsFailures'
>;

export interface DeliveryPorts {
  /** Gives the function a batch; never rejects. */
  readonly invoke: (records: readonly DynamoDBRecord[]) => Promise<InvocationOutcome>;
  /** Everything up to this record is done with. On disk when it returns. */
  readonly checkpoint: (sequenceNumber: string) => void;
  /** Takes what failed for good. On disk when it returns. */
  readonly discard: (
    records: readonly DynamoDBRecord[],
    condition: FailedBatch['condition'],
    lastFailure: string | undefined,
  ) => void;
  /** Says what became of an attempt: how many records are done with, and why the rest is not. */
  readonly onAttempt: (done: readonly DynamoDBRecord[], failure: string | undefined) => void;
  /** Resolves after so long, or at once when there is to be no further attempt. */
  readonly pause: (milliseconds: number) => Promise<void>;
  /** No further attempt is to be made. */
  readonly isGivenUp: () => boolean;
  /** The real time, in milliseconds since the epoch, by which the age of a record is judged. */
  readonly nowMs: () => number;
}

/** Records that are given to the function together, and how often they failed. */
interface Part {
  readonly records: readonly DynamoDBRecord[];
  readonly failures: number;
  readonly lastFailure?: string;
}

/**
 * Brings every record to its end, in order; or, when it was given up, leaves the checkpoint before
 * the first record that is not done with.
 */
export async function deliver(
  records: readonly DynamoDBRecord[],
  rules: DeliveryRules,
  ports: DeliveryPorts,
): Promise<'done' | 'given up'> {
  let parts: readonly Part[] = [{ records, failures: 0 }];
  let pauseMs = FIRST_PAUSE_MS;
  for (;;) {
    const [first, ...others] = parts;
    if (first === undefined) {
      return 'done';
    }
    if (ports.isGivenUp()) {
      return 'given up';
    }
    const part = discardOld(first, rules, ports);
    const { left, failed } =
      part.records.length > 0 ? await attempt(part, rules, ports) : { left: [], failed: false };
    parts = [...left, ...others];
    if (failed && parts.length > 0) {
      await ports.pause(pauseMs);
    }
    pauseMs = failed ? Math.min(pauseMs * 2, LONGEST_PAUSE_MS) : FIRST_PAUSE_MS;
  }
}

/** Gives a part to the function once; answers what is left of it. */
async function attempt(
  part: Part,
  rules: DeliveryRules,
  ports: DeliveryPorts,
): Promise<{ readonly left: readonly Part[]; readonly failed: boolean }> {
  const { records } = part;
  const outcome = await ports.invoke(records);
  const { doneCount, failure } = judgeBatchResponse(records, outcome, rules.reportsFailures);
  const done = records.slice(0, doneCount);
  checkpointAfter(done, ports);
  ports.onAttempt(done, failure);
  if (failure === undefined) {
    return { left: [], failed: false };
  }
  // Halving uses up no attempt. Where the function names the record, the batch is cut there instead.
  if (!outcome.ok && rules.bisects && records.length > 1) {
    return { left: halve({ ...part, lastFailure: failure }), failed: true };
  }
  // After some were done with, the attempts of the rest are counted anew.
  const failures = doneCount > 0 ? 1 : part.failures + 1;
  const rest = { records: records.slice(doneCount), failures, lastFailure: failure };
  if (failures > rules.retryAttempts) {
    ports.discard(rest.records, 'RetryAttemptsExhausted', failure);
    checkpointAfter(rest.records, ports);
    return { left: [], failed: true };
  }
  return { left: [rest], failed: true };
}

function halve({ records, ...counts }: Part): Part[] {
  const middle = Math.ceil(records.length / 2);
  return [
    { ...counts, records: records.slice(0, middle) },
    { ...counts, records: records.slice(middle) },
  ];
}

/** The part without the records at its beginning that are too old to be given to the function. */
function discardOld(part: Part, { maxAgeMs }: DeliveryRules, ports: DeliveryPorts): Part {
  const oldestMs = ports.nowMs() - maxAgeMs;
  const firstYoung = part.records.findIndex((record) => createdAtMs(record) >= oldestMs);
  const oldCount = firstYoung < 0 ? part.records.length : firstYoung;
  if (oldCount === 0) {
    return part;
  }
  const old = part.records.slice(0, oldCount);
  ports.discard(old, 'RecordAgeExceeded', part.lastFailure);
  checkpointAfter(old, ports);
  return { ...part, records: part.records.slice(oldCount) };
}

const createdAtMs = ({ dynamodb }: DynamoDBRecord): number =>
  (dynamodb?.ApproximateCreationDateTime ?? Number.POSITIVE_INFINITY) * 1000;

function checkpointAfter(records: readonly DynamoDBRecord[], { checkpoint }: DeliveryPorts): void {
  const last = records.at(-1);
  if (last !== undefined) {
    checkpoint(sequenceOf(last));
  }
}

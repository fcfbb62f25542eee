/** One function on one shard of a stream: reads it in order, in batches, from where it stopped. */
import type { DynamoDBRecord } from 'aws-lambda';
import type { InvocationOutcome } from '../lambda.ts';
import type { Checkpoints } from './checkpoint.ts';
import { deliver } from './delivery.ts';
import type { FailedBatch } from './failed-records.ts';
import type { EventSourceMapping } from './mapping.ts';
import { Pauser } from './pauser.ts';
import { sequenceOf, type StreamRead, type StreamSource } from './stream-source.ts';

/** As many as `GetRecords` gives at once. */
const READ_LIMIT = 1000;
const MAX_BATCH_BYTES = 6 * 1024 * 1024;
/** Lambda asks a shard four times a second; so often at most, also while the table is written to. */
const SHORTEST_PAUSE_MS = 250;
const FIRST_IDLE_PAUSE_MS = 1000;
const LONGEST_IDLE_PAUSE_MS = 5000;
/** What counting looks through, at most. */
const COUNTED_READS = 10;

export interface ShardConsumerPorts {
  readonly source: StreamSource;
  readonly shardId: string;
  readonly mapping: EventSourceMapping;
  readonly checkpoints: Checkpoints;
  /** Gives the function a batch; never rejects. */
  readonly invoke: (records: readonly DynamoDBRecord[]) => Promise<InvocationOutcome>;
  /** Takes what failed for good. On disk when it returns. */
  readonly discard: (batch: Omit<FailedBatch, 'functionName' | 'failedAt'>) => void;
  /** What became of an attempt: the records that are done with, and why the rest is not. */
  readonly onAttempt: (done: readonly DynamoDBRecord[], failure: string | undefined) => void;
  /** The stream could not be read, or a file not be written; it is tried again. */
  readonly onStreamFailure: (error: unknown) => void;
  /** The real time, in milliseconds since the epoch. */
  readonly nowMs: () => number;
}

/** Runs from its making on, until its shard ends or it is told to. */
export class ShardConsumer {
  /** Resolves when the shard was read to its end, after `stop()`, or after a drain. */
  readonly finished: Promise<'ended' | 'stopped'>;
  readonly #ports: ShardConsumerPorts;
  readonly #pauser = new Pauser();
  #state: 'running' | 'draining' | 'stopped' = 'running';
  #readTo: string | undefined;
  #savedTo: string | undefined;
  /** Read, and not given to the function yet. */
  #waiting: DynamoDBRecord[] = [];
  #gatheringSinceMs = 0;
  /** Given to the function, and not done with. */
  #inHand: readonly DynamoDBRecord[] = [];
  #isBlocked = false;

  constructor(ports: ShardConsumerPorts) {
    this.#ports = ports;
    const { checkpoints, mapping, shardId } = ports;
    this.#readTo = checkpoints.read(mapping.functionName, shardId)?.sequenceNumber;
    this.#savedTo = this.#readTo;
    this.finished = this.#run();
  }

  /** There may be something new. */
  wake(): void {
    this.#pauser.wake();
  }

  /** Delivers what is there, without gathering and without a second attempt, then finishes. */
  drain(): void {
    if (this.#state === 'running') {
      this.#state = 'draining';
    }
    this.#pauser.end();
  }

  /** Finishes after the invocation in hand. */
  stop(): void {
    this.#state = 'stopped';
    this.#pauser.end();
  }

  /** Records that wait for the function, counted up to some ten thousand. */
  async countWaiting(): Promise<number> {
    const { source, shardId, mapping } = this.#ports;
    let count = this.#inHand.length + this.#waiting.length;
    // Behind what is read there is more only while the function does not take it.
    let from = this.#isBlocked ? this.#readTo : undefined;
    for (let reads = 0; from !== undefined && reads < COUNTED_READS; reads += 1) {
      const { records } = await source.read(shardId, from, READ_LIMIT);
      count += records.filter(mapping.filter).length;
      const last = records.at(-1);
      from = last && sequenceOf(last);
    }
    return count;
  }

  async #run(): Promise<'ended' | 'stopped'> {
    let idlePauseMs = FIRST_IDLE_PAUSE_MS;
    while (this.#state !== 'stopped') {
      const read = await this.#step();
      const isIdle = read?.records.length === 0 && this.#waiting.length === 0;
      if (isIdle && read.ended) {
        return 'ended';
      }
      if (this.#state === 'draining' && (isIdle || read === undefined)) {
        return 'stopped';
      }
      const hasMore = read?.records.length === READ_LIMIT;
      const isQuiet = isIdle || read === undefined;
      idlePauseMs = isQuiet
        ? Math.min(idlePauseMs * 2, LONGEST_IDLE_PAUSE_MS)
        : FIRST_IDLE_PAUSE_MS;
      if (!hasMore) {
        await this.#pauser.rest(SHORTEST_PAUSE_MS, this.#msUntilDue() ?? idlePauseMs);
      }
    }
    return 'stopped';
  }

  /** Reads once and delivers what is due. Undefined when the stream or a file failed. */
  async #step(): Promise<StreamRead | undefined> {
    try {
      const read = await this.#read();
      await this.#deliverWhatIsDue();
      if (read.records.length === 0 && this.#waiting.length === 0) {
        this.#saveSkipped(read.ended);
      }
      return read;
    } catch (error) {
      // Begins again where it was last on disk: what is delivered twice has the same id.
      this.#readTo = this.#savedTo;
      this.#waiting = [];
      this.#inHand = [];
      this.#ports.onStreamFailure(error);
      return undefined;
    }
  }

  async #read(): Promise<StreamRead> {
    const { source, shardId, mapping, nowMs } = this.#ports;
    const read = await source.read(shardId, this.#readTo, READ_LIMIT);
    const last = read.records.at(-1);
    this.#readTo = last === undefined ? this.#readTo : sequenceOf(last);
    if (this.#waiting.length === 0) {
      this.#gatheringSinceMs = nowMs();
    }
    this.#waiting.push(...read.records.filter(mapping.filter));
    return read;
  }

  async #deliverWhatIsDue(): Promise<void> {
    while (this.#state !== 'stopped' && this.#msUntilDue() === 0) {
      this.#inHand = takeBatch(this.#waiting, this.#ports.mapping.batchSize);
      this.#waiting = this.#waiting.slice(this.#inHand.length);
      this.#gatheringSinceMs = this.#ports.nowMs();
      await this.#deliverBatch();
    }
  }

  /** Until a batch is to be delivered; undefined: nothing waits. */
  #msUntilDue(): number | undefined {
    const { mapping, nowMs } = this.#ports;
    if (this.#waiting.length === 0) {
      return undefined;
    }
    const isFull = this.#waiting.length >= mapping.batchSize || this.#state === 'draining';
    const gatheredMs = nowMs() - this.#gatheringSinceMs;
    return isFull ? 0 : Math.max(0, mapping.windowMs - gatheredMs);
  }

  async #deliverBatch(): Promise<void> {
    const { mapping, invoke, discard, onAttempt, nowMs } = this.#ports;
    let hasFailed = false;
    const result = await deliver(this.#inHand, mapping, {
      invoke,
      checkpoint: (sequenceNumber) => this.#checkpoint(sequenceNumber),
      discard: (records, condition, lastFailure) =>
        discard({ records, condition, ...(lastFailure !== undefined && { lastFailure }) }),
      onAttempt: (done, failure) => {
        this.#isBlocked = failure !== undefined;
        hasFailed ||= this.#isBlocked;
        onAttempt(done, failure);
      },
      pause: (milliseconds) => this.#pauser.pause(milliseconds),
      isGivenUp: () => this.#state === 'stopped' || (this.#state === 'draining' && hasFailed),
      nowMs,
    });
    if (result === 'given up') {
      this.#state = 'stopped';
    }
  }

  #checkpoint(sequenceNumber: string): void {
    this.#save(sequenceNumber);
    const place = this.#inHand.findIndex((record) => sequenceOf(record) === sequenceNumber);
    this.#inHand = this.#inHand.slice(place + 1);
  }

  /** What the filter keeps back is done with too. Were this lost, it would be read again. */
  #saveSkipped(hasEnded: boolean): void {
    const { checkpoints, mapping, shardId } = this.#ports;
    if (hasEnded) {
      checkpoints.save(mapping.functionName, shardId, { ended: true });
    } else if (this.#readTo !== undefined && this.#readTo !== this.#savedTo) {
      this.#save(this.#readTo);
    }
  }

  #save(sequenceNumber: string): void {
    const { checkpoints, mapping, shardId } = this.#ports;
    checkpoints.save(mapping.functionName, shardId, { sequenceNumber });
    this.#savedTo = sequenceNumber;
  }
}

/** As many from the beginning as an invocation may have, by number and size; one at least. */
function takeBatch(
  records: readonly DynamoDBRecord[],
  batchSize: number,
): readonly DynamoDBRecord[] {
  let bytes = 0;
  const end = records.findIndex((record, index) => {
    bytes += record.dynamodb?.SizeBytes ?? 0;
    return index >= batchSize || (index > 0 && bytes > MAX_BATCH_BYTES);
  });
  return end < 0 ? records : records.slice(0, end);
}

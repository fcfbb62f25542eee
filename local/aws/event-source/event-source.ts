/**
 * Does with the table's stream what Lambda's event source mapping does: gives its records to the
 * functions that hang on it, at least once, and in order.
 */
import type { DynamoDBRecord } from 'aws-lambda';
import type { LocalFunction } from '../lambda.ts';
import { type Checkpoints, openCheckpoints } from './checkpoint.ts';
import { deliver } from './delivery.ts';
import { addFailedBatch, type FailedBatch } from './failed-records.ts';
import type { EventSourceMapping } from './mapping.ts';
import { ShardConsumer } from './shard-consumer.ts';
import type { Shard, StreamSource } from './stream-source.ts';
import { startTrimming } from './trimming.ts';
import { forgetUnreached } from './unreached.ts';

/** How often the stream is asked for new shards. */
const SHARDS_PAUSE_MS = 30_000;
const DRAIN_LIMIT_MS = 3000;
/** So many are kept to be given again on request. */
const REMEMBERED_RECORDS = 1000;
const REDELIVERY_ATTEMPTS = 5;
const REDELIVERY_PAUSE_MS = 100;

export interface EventSourceOptions {
  readonly source: StreamSource;
  readonly mappings: readonly EventSourceMapping[];
  readonly functions: ReadonlyMap<string, LocalFunction>;
  /** Where it is kept how far each function has got. */
  readonly checkpointFile: string;
  /** Where records go that fail for good. */
  readonly failedRecordsFile: string;
  /** The real time, in milliseconds since the epoch: by it the age of a record is judged. */
  readonly nowMs: () => number;
  /** A failure that somebody should see. */
  readonly onFailure: (message: string) => void;
}

/** Of one function on the stream. */
export interface EventSourceStatus {
  readonly functionName: string;
  /** Records that wait for it. */
  readonly behind: number;
  /** Of this run. */
  readonly delivered: number;
  readonly failedForGood: number;
  readonly lastFailure?: { readonly at: string; readonly message: string };
}

export interface EventSource {
  /** The table may have changed. */
  wake(): void;
  readStatus(): Promise<readonly EventSourceStatus[]>;
  /** Gives each function the last records of this run again; answers how many those were. */
  redeliver(count: number): Promise<number>;
  /** Delivers what is there, for a few seconds at most, then ends. */
  stop(): Promise<void>;
}

/** Starts at once, each function where it stopped. */
export async function startEventSource(options: EventSourceOptions): Promise<EventSource> {
  const { source, mappings, checkpointFile } = options;
  const checkpoints = openCheckpoints(checkpointFile, source.streamArn);
  await forgetUnreached(options, checkpoints);
  const consumers = mappings.map((mapping) => new StreamConsumer(options, mapping, checkpoints));
  let shards: readonly Shard[] = [];
  const lookForShards = async () => {
    shards = await source.listShards();
    checkpoints.keepOnly(shards.map(({ shardId }) => shardId));
    for (const consumer of consumers) {
      consumer.follow(shards);
    }
  };
  await lookForShards();
  const timer = setInterval(() => {
    lookForShards().catch((error: unknown) => options.onFailure(describeFailure(error)));
  }, SHARDS_PAUSE_MS);
  timer.unref();
  const stopTrimming = startTrimming({ ...options, checkpoints, listShards: () => shards });
  return {
    wake() {
      for (const consumer of consumers) {
        consumer.wake();
      }
    },
    readStatus: () => Promise.all(consumers.map((consumer) => consumer.readStatus())),
    async redeliver(count) {
      const counts = await Promise.all(consumers.map((consumer) => consumer.redeliver(count)));
      return Math.max(0, ...counts);
    },
    async stop() {
      clearInterval(timer);
      stopTrimming();
      await Promise.all(consumers.map((consumer) => consumer.stop()));
    },
  };
}

const describeFailure = (error: unknown): string =>
  `the table's stream is not followed, and tried again: ${error instanceof Error ? error.message : String(error)}`;

/** One function on every shard of the stream. */
class StreamConsumer {
  readonly #options: EventSourceOptions;
  readonly #mapping: EventSourceMapping;
  readonly #checkpoints: Checkpoints;
  readonly #running = new Map<string, ShardConsumer>();
  #shards: readonly Shard[] = [];
  #isStopping = false;
  #lastRecords: DynamoDBRecord[] = [];
  #delivered = 0;
  #failedForGood = 0;
  #lastFailure: EventSourceStatus['lastFailure'];

  constructor(options: EventSourceOptions, mapping: EventSourceMapping, checkpoints: Checkpoints) {
    this.#options = options;
    this.#mapping = mapping;
    this.#checkpoints = checkpoints;
  }

  /** Begins with every shard that is not read to its end and whose parent is. */
  follow(shards: readonly Shard[]): void {
    this.#shards = shards;
    const { functionName } = this.#mapping;
    const isOpen = (shardId: string | undefined) =>
      shards.some((shard) => shard.shardId === shardId) &&
      this.#checkpoints.read(functionName, shardId ?? '')?.ended !== true;
    for (const { shardId, parentShardId } of shards) {
      const isReady = isOpen(shardId) && !isOpen(parentShardId);
      if (isReady && !this.#running.has(shardId) && !this.#isStopping) {
        this.#start(shardId);
      }
    }
  }

  wake(): void {
    for (const consumer of this.#running.values()) {
      consumer.wake();
    }
  }

  async readStatus(): Promise<EventSourceStatus> {
    const counts = await Promise.all(
      [...this.#running.values()].map((consumer) => consumer.countWaiting()),
    );
    return {
      functionName: this.#mapping.functionName,
      behind: counts.reduce((sum, count) => sum + count, 0),
      delivered: this.#delivered,
      failedForGood: this.#failedForGood,
      ...(this.#lastFailure && { lastFailure: this.#lastFailure }),
    };
  }

  /** Beside the shards' own batches, and without a checkpoint: it has no end that could be lost. */
  async redeliver(count: number): Promise<number> {
    const records = this.#lastRecords.slice(-count || this.#lastRecords.length);
    if (count === 0 || records.length === 0) {
      return 0;
    }
    const rules = { ...this.#mapping, retryAttempts: REDELIVERY_ATTEMPTS };
    for (let start = 0; start < records.length; start += this.#mapping.batchSize) {
      await deliver(records.slice(start, start + this.#mapping.batchSize), rules, {
        invoke: (batch) => this.#invoke(batch),
        checkpoint: () => {},
        discard: () => {},
        onAttempt: (_done, failure) => this.#note(failure),
        pause: () => new Promise((resolve) => setTimeout(resolve, REDELIVERY_PAUSE_MS)),
        isGivenUp: () => this.#isStopping,
        nowMs: this.#options.nowMs,
      });
    }
    return records.length;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    const running = [...this.#running.values()];
    const ended = Promise.all(
      running.map((consumer) => {
        consumer.drain();
        return consumer.finished;
      }),
    );
    const limit = Promise.withResolvers<void>();
    const timer = setTimeout(limit.resolve, DRAIN_LIMIT_MS);
    await Promise.race([ended, limit.promise]);
    clearTimeout(timer);
    for (const consumer of running) {
      consumer.stop();
    }
  }

  #start(shardId: string): void {
    const { source, nowMs, onFailure } = this.#options;
    const consumer = new ShardConsumer({
      source,
      shardId,
      mapping: this.#mapping,
      checkpoints: this.#checkpoints,
      invoke: (records) => this.#invoke(records),
      discard: (batch) => this.#discard(batch),
      onAttempt: (done, failure) => {
        this.#delivered += done.length;
        this.#lastRecords = [...this.#lastRecords, ...done].slice(-REMEMBERED_RECORDS);
        this.#note(failure);
      },
      onStreamFailure: (error) => onFailure(describeFailure(error)),
      nowMs,
    });
    this.#running.set(shardId, consumer);
    void consumer.finished.then(() => {
      this.#running.delete(shardId);
      // Its children may begin now.
      this.follow(this.#shards);
    });
  }

  async #invoke(records: readonly DynamoDBRecord[]) {
    const { functions, source } = this.#options;
    const { functionName } = this.#mapping;
    const target = functions.get(functionName);
    if (target === undefined) {
      throw new Error(`no function "${functionName}"`);
    }
    const Records = records.map((record) => ({ ...record, eventSourceARN: source.streamArn }));
    return target.invoke({ Records });
  }

  #note(failure: string | undefined): void {
    if (failure !== undefined) {
      this.#lastFailure = { at: new Date().toISOString(), message: failure };
    }
  }

  #discard(batch: Omit<FailedBatch, 'functionName' | 'failedAt'>): void {
    const { failedRecordsFile, onFailure } = this.#options;
    const { functionName } = this.#mapping;
    addFailedBatch(failedRecordsFile, {
      functionName,
      failedAt: new Date().toISOString(),
      ...batch,
    });
    const count = batch.records.length;
    this.#failedForGood += count;
    onFailure(
      `${count} record${count === 1 ? '' : 's'} for ${functionName} failed for good (${batch.condition}): kept in ${failedRecordsFile}`,
    );
  }
}

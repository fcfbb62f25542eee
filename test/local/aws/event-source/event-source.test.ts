import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type EventSource,
  type EventSourceOptions,
  startEventSource,
} from '../../../../local/aws/event-source/event-source.ts';
import { countFailedRecords } from '../../../../local/aws/event-source/failed-records.ts';
import { compileFilters } from '../../../../local/aws/event-source/filter.ts';
import type { EventSourceMapping } from '../../../../local/aws/event-source/mapping.ts';
import type { Shard, StreamSource } from '../../../../local/aws/event-source/stream-source.ts';
import type { InvocationOutcome, LocalFunction } from '../../../../local/aws/lambda.ts';
import { eventually } from '../../../support/shop.ts';
import { MADE_AT_SECONDS, numbersOf, recordOf, recordsUpTo } from './records.ts';

const FACTS = { dynamodb: { NewImage: { factCount: { N: [{ exists: true }] } } } };
const MAPPING: EventSourceMapping = {
  functionName: 'publish',
  batchSize: 3,
  windowMs: 0,
  retryAttempts: Number.POSITIVE_INFINITY,
  maxAgeMs: Number.POSITIVE_INFINITY,
  bisects: false,
  reportsFailures: true,
  filter: compileFilters([FACTS]),
};
const SUCCEEDED: InvocationOutcome = { ok: true, result: null };
const BROKEN: InvocationOutcome = { ok: false, error: { errorType: 'E', errorMessage: 'away' } };
const SKIPPED = { NewImage: { checks: { N: '1' } } };

/** A stream in memory. */
class MemoryStream implements StreamSource {
  readonly streamArn: string = 'arn:stream-1';
  readonly shards: Shard[] = [{ shardId: 's1' }];
  readonly records = new Map<string, DynamoDBRecord[]>([['s1', []]]);
  readonly ended = new Set<string>();
  reads = 0;
  failure: Error | undefined;
  onRead = () => {};

  add(...records: DynamoDBRecord[]) {
    this.records.get('s1')?.push(...records);
  }
  async listShards() {
    return this.shards;
  }
  async read(shardId: string, after: string | undefined, limit: number) {
    this.reads += 1;
    if (this.failure) {
      throw this.failure;
    }
    const all = this.records.get(shardId) ?? [];
    const start = all.findIndex(({ dynamodb }) => dynamodb?.SequenceNumber === after) + 1;
    const records = all.slice(start, start + limit);
    const ended = this.ended.has(shardId) && start + records.length === all.length;
    this.onRead();
    return { records, ended };
  }
}

let directory: string;
let stream: MemoryStream;
let running: EventSource[];
let batches: string[];
let failures: string[];
let answer: (numbers: readonly unknown[]) => InvocationOutcome | Promise<InvocationOutcome>;

const fileOf = (name: string) => path.join(directory, name);
const start = async (
  mapping: Partial<EventSourceMapping> = {},
  options: Partial<EventSourceOptions> = {},
) => {
  const publish = {
    invoke: async (event: DynamoDBStreamEvent) => {
      batches.push(numbersOf(event.Records).join(' '));
      return answer(numbersOf(event.Records));
    },
  };
  const eventSource = await startEventSource({
    source: stream,
    mappings: [{ ...MAPPING, ...mapping }],
    functions: new Map([['publish', publish as unknown as LocalFunction]]),
    checkpointFile: fileOf('stream.json'),
    failedRecordsFile: fileOf('failed.jsonl'),
    nowMs: () => MADE_AT_SECONDS * 1000,
    onFailure: (message) => failures.push(message),
    ...options,
  });
  running.push(eventSource);
  return eventSource;
};
const delivered = (count: number) =>
  eventually(
    async () => batches.flatMap((batch) => batch.split(' ')),
    (numbers) => numbers.length >= count,
  );
/** Waits until so many more reads found what there was. */
const readAgain = async (count = 2) => {
  const goal = stream.reads + count;
  await eventually(
    async () => {
      running.at(-1)?.wake();
      return stream.reads;
    },
    (reads) => reads >= goal,
  );
};
const positionOf = (shardId = 's1') =>
  (
    JSON.parse(readFileSync(fileOf('stream.json'), 'utf8')) as {
      functions: Record<string, Record<string, object>>;
    }
  ).functions['publish']?.[shardId];

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'event-source-'));
  stream = new MemoryStream();
  running = [];
  batches = [];
  failures = [];
  answer = () => SUCCEEDED;
});
afterEach(async () => {
  await Promise.all(running.map((one) => one.stop()));
  rmSync(directory, { recursive: true });
});

describe('the records of a stream', () => {
  it('are given to the function in order, as many at once as it takes', async () => {
    stream.add(...recordsUpTo(7));
    await start();
    await delivered(7);
    expect(batches).toEqual(['1 2 3', '4 5 6', '7']);
    expect(positionOf()).toEqual({ sequenceNumber: '7' });
  });

  it('carry the ARN of their stream', async () => {
    stream.add(recordOf('1'));
    const events: DynamoDBStreamEvent[] = [];
    const invoke = async (event: DynamoDBStreamEvent) => {
      events.push(event);
      return SUCCEEDED;
    };
    const functions = new Map([['publish', { invoke } as unknown as LocalFunction]]);
    await start({}, { functions });
    await eventually(
      async () => events.length,
      (count) => count > 0,
    );
    expect(events[0]?.Records).toEqual([{ ...recordOf('1'), eventSourceARN: 'arn:stream-1' }]);
  });

  it('are no more at once than an invocation carries: 6 MB', async () => {
    const large = { SizeBytes: 4 * 1024 * 1024 };
    stream.add(recordOf('1', large), recordOf('2', large), recordOf('3', { SizeBytes: 10 }));
    await start();
    await delivered(3);
    expect(batches).toEqual(['1', '2 3']);
  });

  it('are kept back by the filter, and not looked at again', async () => {
    stream.add(recordOf('1', SKIPPED), recordOf('2'), recordOf('3', SKIPPED));
    await start();
    await delivered(1);
    await readAgain();
    expect(batches).toEqual(['2']);
    expect(positionOf()).toEqual({ sequenceNumber: '3' });
  });

  it('are gathered for the window, unless a batch is full before', async () => {
    let nowMs = MADE_AT_SECONDS * 1000;
    stream.add(recordOf('1'));
    await start({ windowMs: 60_000 }, { nowMs: () => nowMs });
    await readAgain();
    stream.add(recordOf('2'));
    await readAgain();
    expect(batches).toEqual([]);
    stream.add(recordOf('3'), recordOf('4'));
    await readAgain();
    expect(batches).toEqual(['1 2 3']);
    nowMs += 60_000;
    await readAgain();
    expect(batches).toEqual(['1 2 3', '4']);
  });

  describe('in time', () => {
    beforeEach(() => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    });
    afterEach(() => {
      vi.useRealTimers();
    });

    it('follow a quarter of a second after a wake, also after one that comes during a read', async () => {
      const eventSource = await start();
      stream.onRead = () => {
        stream.onRead = () => {};
        stream.add(recordOf('1'));
        eventSource.wake();
      };
      eventSource.wake();
      await vi.advanceTimersByTimeAsync(250);
      expect(batches).toEqual([]);
      await vi.advanceTimersByTimeAsync(250);
      expect(batches).toEqual(['1']);
      await vi.advanceTimersByTimeAsync(1000);
      stream.add(recordOf('2'));
      eventSource.wake();
      await vi.advanceTimersByTimeAsync(250);
      expect(batches).toEqual(['1', '2']);
    });

    it('are asked for four times a second at most, however often they are said to be there', async () => {
      const eventSource = await start();
      await vi.advanceTimersByTimeAsync(1000);
      const before = stream.reads;
      for (let elapsedMs = 0; elapsedMs < 10_000; elapsedMs += 10) {
        eventSource.wake();
        await vi.advanceTimersByTimeAsync(10);
      }
      expect(stream.reads - before).toBeGreaterThan(30);
      expect(stream.reads - before).toBeLessThanOrEqual(41);
    });

    it('are looked for every five seconds while nobody says that there are any', async () => {
      await start();
      await vi.advanceTimersByTimeAsync(60_000);
      expect(stream.reads).toBeLessThanOrEqual(15);
      stream.add(recordOf('1'));
      await vi.advanceTimersByTimeAsync(5000);
      expect(batches).toEqual(['1']);
    });
  });

  it('come again from the first that failed, and the ones before do not', async () => {
    stream.add(...recordsUpTo(3));
    answer = () =>
      batches.length === 1
        ? { ok: true, result: { batchItemFailures: [{ itemIdentifier: '2' }] } }
        : SUCCEEDED;
    await start();
    await delivered(5);
    expect(batches).toEqual(['1 2 3', '2 3']);
  });
});

describe('after the end of the process', () => {
  it('goes on behind the last record that was done with', async () => {
    stream.add(...recordsUpTo(3));
    await (await start()).stop();
    stream.add(recordOf('4'));
    await start();
    await delivered(4);
    expect(batches).toEqual(['1 2 3', '4']);
  });

  it('gives again what was given when it was killed before the checkpoint', async () => {
    stream.add(...recordsUpTo(4));
    const taken: unknown[] = [];
    answer = (numbers) => {
      taken.push(...numbers);
      // As the disk is when the process is killed here: the events are out, and nobody wrote it down.
      if (numbers.includes('4') && !existsSync(fileOf('killed.json'))) {
        copyFileSync(fileOf('stream.json'), fileOf('killed.json'));
      }
      return SUCCEEDED;
    };
    await (await start()).stop();
    expect(taken).toEqual(['1', '2', '3', '4']);

    await start({}, { checkpointFile: fileOf('killed.json') });
    await delivered(5);
    expect(taken).toEqual(['1', '2', '3', '4', '4']);
  });

  it('begins at the oldest record of a stream that is another one', async () => {
    stream.add(recordOf('1'));
    await (await start()).stop();
    const another = new MemoryStream();
    Object.assign(another, { streamArn: 'arn:stream-2' });
    another.add(recordOf('1'));
    await start({}, { source: another });
    await delivered(2);
    expect(batches).toEqual(['1', '1']);
  });

  it('refuses a file that holds something else', async () => {
    writeFileSync(fileOf('stream.json'), '{"streamArn":"arn:stream-1","functions":7}');
    await expect(start()).rejects.toThrow('holds no positions in a stream');
  });
});

describe('at its end', () => {
  it('delivers what is there, also what is only gathered', async () => {
    const eventSource = await start({ windowMs: 60_000 });
    await readAgain();
    stream.add(...recordsUpTo(5));
    await eventSource.stop();
    expect(batches).toEqual(['1 2 3', '4 5']);
  });

  it('makes no second attempt; what failed comes at the next start', async () => {
    const eventSource = await start();
    await readAgain();
    answer = () => BROKEN;
    stream.add(...recordsUpTo(2));
    await eventSource.stop();
    const attempts = batches.length;
    expect(attempts).toBeLessThanOrEqual(2);
    answer = () => SUCCEEDED;
    await start();
    await delivered(2 * (attempts + 1));
    expect(batches.at(-1)).toBe('1 2');
  });

  it('waits no longer than some seconds for a function', async () => {
    stream.add(recordOf('1'));
    const hanging = Promise.withResolvers<InvocationOutcome>();
    answer = () => hanging.promise;
    const eventSource = await start();
    await delivered(1);
    const startedAt = performance.now();
    await eventSource.stop();
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    hanging.resolve(SUCCEEDED);
  });
});

describe('shards', () => {
  it('wait for the one that they come from to be read to its end', async () => {
    stream.shards.push({ shardId: 's2', parentShardId: 's1' });
    stream.records.set('s2', [recordOf('8')]);
    stream.add(recordOf('1'));
    const eventSource = await start();
    await delivered(1);
    await readAgain();
    expect(batches).toEqual(['1']);
    stream.ended.add('s1');
    eventSource.wake();
    await delivered(2);
    expect(batches).toEqual(['1', '8']);
    expect(positionOf('s1')).toEqual({ ended: true });

    await eventSource.stop();
    stream.shards.shift();
    stream.records.get('s2')?.push(recordOf('9'));
    await start();
    await delivered(3);
    expect(batches).toEqual(['1', '8', '9']);
    expect(positionOf('s1')).toBeUndefined();
  });

  it('begin at once when their parent is not kept any more', async () => {
    stream.shards.splice(0, 1, { shardId: 's2', parentShardId: 's1' });
    stream.records.set('s2', [recordOf('8')]);
    await start();
    await delivered(1);
    expect(batches).toEqual(['8']);
  });
});

describe('what goes wrong', () => {
  it('is counted as behind, up to what was not even read, with the last failure', async () => {
    stream.add(...recordsUpTo(1005), recordOf('1006', SKIPPED));
    answer = () => BROKEN;
    const eventSource = await start();
    await delivered(1);
    const [status] = await eventSource.readStatus();
    expect(status).toEqual({
      functionName: 'publish',
      behind: 1005,
      delivered: 0,
      failedForGood: 0,
      lastFailure: { at: expect.any(String), message: 'E: away' },
    });
    answer = () => SUCCEEDED;
    await eventually(
      async () => (await eventSource.readStatus())[0],
      (seen) => seen?.behind === 0 && seen.delivered === 1005,
    );
  });

  it('is kept whole when it fails for good, and said', async () => {
    stream.add(...recordsUpTo(4));
    answer = (numbers) => (numbers.includes('1') ? BROKEN : SUCCEEDED);
    const eventSource = await start({ retryAttempts: 0 });
    await delivered(4);
    const [status] = await eventually(
      () => eventSource.readStatus(),
      ([seen]) => seen?.delivered === 1,
    );
    expect(status?.failedForGood).toBe(3);
    expect(countFailedRecords(fileOf('failed.jsonl'))).toBe(3);
    const [line = ''] = readFileSync(fileOf('failed.jsonl'), 'utf8').split('\n');
    expect(JSON.parse(line)).toEqual({
      functionName: 'publish',
      failedAt: expect.any(String),
      condition: 'RetryAttemptsExhausted',
      lastFailure: 'E: away',
      records: recordsUpTo(3),
    });
    expect(failures).toEqual([
      `3 records for publish failed for good (RetryAttemptsExhausted): kept in ${fileOf('failed.jsonl')}`,
    ]);
  });

  it('counts failed records of earlier runs, a line that was cut off too', () => {
    const file = fileOf('failed.jsonl');
    expect(countFailedRecords(file)).toBe(0);
    writeFileSync(file, '{"records":[{},{}]}\n{"records":[{}');
    expect(countFailedRecords(file)).toBe(3);
  });

  it('is tried again when the stream cannot be read', async () => {
    stream.failure = new Error('no engine');
    const eventSource = await start();
    await eventually(
      async () => failures.length,
      (count) => count > 0,
    );
    expect(failures[0]).toContain('no engine');
    stream.failure = undefined;
    stream.add(recordOf('1'));
    eventSource.wake();
    await delivered(1);
  });

  it('delivers again when the checkpoint could not be written', async () => {
    stream.add(recordOf('1'));
    answer = () => {
      // A file where its directory belongs.
      writeFileSync(fileOf('a'), '');
      return SUCCEEDED;
    };
    const checkpointFile = path.join(directory, 'a', 'stream.json');
    const eventSource = await start({}, { checkpointFile });
    await eventually(
      async () => failures.length,
      (count) => count > 0,
    );
    rmSync(fileOf('a'));
    answer = () => SUCCEEDED;
    eventSource.wake();
    await delivered(2);
    expect(batches.slice(0, 2)).toEqual(['1', '1']);
  });
});

describe('redelivery', () => {
  it('gives the last records again, in order, and moves nothing', async () => {
    stream.add(...recordsUpTo(5));
    const eventSource = await start();
    await delivered(5);
    expect(await eventSource.redeliver(4)).toBe(4);
    expect(batches).toEqual(['1 2 3', '4 5', '2 3 4', '5']);
    expect(await eventSource.redeliver(0)).toBe(0);
    expect(await eventSource.redeliver(99)).toBe(5);
    expect(positionOf()).toEqual({ sequenceNumber: '5' });
    stream.add(recordOf('6'));
    eventSource.wake();
    await delivered(15);
    expect(batches.at(-1)).toBe('6');
  });

  it('tries again what fails', async () => {
    stream.add(...recordsUpTo(2));
    const eventSource = await start();
    await delivered(2);
    answer = () => (batches.length < 4 ? BROKEN : SUCCEEDED);
    expect(await eventSource.redeliver(2)).toBe(2);
    expect(batches).toEqual(['1 2', '1 2', '1 2', '1 2']);
  });
});

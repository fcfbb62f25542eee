import { copyFileSync } from 'node:fs';
import type { DynamoDBStreamEvent } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LocalDynamoDb } from '../../../../local/aws/dynamodb.ts';
import {
  type EventSource,
  startEventSource,
} from '../../../../local/aws/event-source/event-source.ts';
import { openTableStream } from '../../../../local/aws/event-source/table-stream.ts';
import type { InvocationOutcome, LocalFunction } from '../../../../local/aws/lambda.ts';
import { eventually } from '../../../support/shop.ts';
import { dbPath, inFile, range, start, TABLE, useStreamFile } from '../stream-file.ts';

const positionsPath = () => `${dbPath()}.stream.json`;
const copyOf = (file: string) => `${file}.copy`;

let told: string[];
let failures: string[];
let isAway: boolean;
let running: EventSource[];

beforeEach(() => {
  told = [];
  failures = [];
  isAway = false;
  running = [];
});
afterEach(() => Promise.all(running.map((one) => one.stop())));

const follow = async (engine: LocalDynamoDb) => {
  const publish = {
    async invoke({ Records }: DynamoDBStreamEvent): Promise<InvocationOutcome> {
      if (isAway) {
        return { ok: false, error: { errorType: 'E', errorMessage: 'away' } };
      }
      told.push(
        ...Records.map(
          ({ dynamodb }) => `${dynamodb?.SequenceNumber} ${dynamodb?.Keys?.['PK']?.S}`,
        ),
      );
      return { ok: true, result: null };
    },
  };
  const source = await openTableStream(engine.endpoint, TABLE, engine);
  const eventSource = await startEventSource({
    source,
    mappings: [
      {
        functionName: 'publish',
        batchSize: 100,
        windowMs: 0,
        retryAttempts: Number.POSITIVE_INFINITY,
        maxAgeMs: Number.POSITIVE_INFINITY,
        bisects: false,
        reportsFailures: true,
        filter: () => true,
      },
    ],
    functions: new Map([['publish', publish as unknown as LocalFunction]]),
    checkpointFile: positionsPath(),
    failedRecordsFile: `${dbPath()}.failed.jsonl`,
    nowMs: () => 0,
    onFailure: (message) => failures.push(message),
  });
  running.push(eventSource);
  return eventSource;
};
const toldSoFar = (count: number) =>
  eventually(
    async () => {
      running.at(-1)?.wake();
      return told;
    },
    ({ length }) => length >= count,
  );
/** Brings the table to rows 1 to `rows`, all told, and ends. */
const runTo = async (from: number, to: number) => {
  const { engine, put } = await start();
  const eventSource = await follow(engine);
  await put(from, to);
  await toldSoFar(to - from + 1);
  await eventSource.stop();
  await engine.stop();
  told = [];
};
const copyTable = () => {
  inFile((database) => database.exec('PRAGMA wal_checkpoint(TRUNCATE)'));
  copyFileSync(dbPath(), copyOf(dbPath()));
};
const putTableBack = () => {
  inFile((database) => database.exec('PRAGMA wal_checkpoint(TRUNCATE)'));
  copyFileSync(copyOf(dbPath()), dbPath());
};

describe('a table and a position in its stream that are of different times', () => {
  useStreamFile();

  it('an earlier table: everything that it keeps is told, and everything new', async () => {
    await runTo(1, 3);
    copyTable();
    await runTo(4, 9);
    putTableBack();
    const { engine, put } = await start();
    await follow(engine);
    await put(4, 5);
    await toldSoFar(5);
    expect(told).toEqual(range(1, 5));
    expect(failures).toEqual([
      'the table is an earlier copy than the position of publish (9): all that its stream keeps is delivered again',
    ]);
  });

  it('an earlier table that outgrows the position while nobody takes its events', async () => {
    await runTo(1, 3);
    copyTable();
    await runTo(4, 5);
    putTableBack();
    isAway = true;
    const second = await start();
    const stopped = await follow(second.engine);
    await second.put(4, 9);
    await stopped.stop();
    await second.engine.stop();
    isAway = false;
    const third = await start();
    await follow(third.engine);
    await toldSoFar(9);
    expect(told).toEqual(range(1, 9));
  });

  it('an earlier position: what the stream still keeps after it is told again', async () => {
    await runTo(1, 3);
    copyFileSync(positionsPath(), copyOf(positionsPath()));
    await runTo(4, 9);
    copyFileSync(copyOf(positionsPath()), positionsPath());
    const { engine, put } = await start();
    expect(engine.trimStream(TABLE, '6')).toBe(6);
    await follow(engine);
    await put(10);
    await toldSoFar(4);
    expect(told).toEqual(range(7, 10));
    expect(failures).toEqual([]);
  });
});

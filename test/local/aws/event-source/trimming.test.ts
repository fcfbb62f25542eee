import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startTrimming } from '../../../../local/aws/event-source/trimming.ts';

let positions: Record<string, string | undefined>;
let trimmed: string[];
let failures: string[];
let end: () => void;
let failure: Error | undefined;

const start = (...functionNames: string[]) => {
  end = startTrimming({
    source: {
      trim: (shardId, upTo) => {
        if (failure) {
          throw failure;
        }
        trimmed.push(`${shardId} ${upTo}`);
      },
    },
    checkpoints: {
      read: (name, shardId) => {
        const sequenceNumber = positions[`${name} ${shardId}`];
        return sequenceNumber === undefined ? undefined : { sequenceNumber };
      },
    },
    mappings: functionNames.map((functionName) => ({ functionName })),
    listShards: () => [{ shardId: 's1' }, { shardId: 's2' }],
    onFailure: (message) => failures.push(message),
  });
};

beforeEach(() => {
  vi.useFakeTimers();
  positions = {};
  trimmed = [];
  failures = [];
  failure = undefined;
});
afterEach(() => {
  end();
  vi.useRealTimers();
});

describe('trimming what was delivered', () => {
  it('trims each shard to where its function is on disk, again and again', () => {
    start('publish');
    vi.advanceTimersByTime(5000);
    expect(trimmed).toEqual([]);
    positions = { 'publish s1': '9' };
    vi.advanceTimersByTime(1000);
    positions = { 'publish s1': '12', 'publish s2': '3' };
    vi.advanceTimersByTime(1000);
    expect(trimmed).toEqual(['s1 9', 's1 12', 's2 3']);
  });

  it('keeps what one of several functions has not got, by number and not by text', () => {
    start('publish', 'audit', 'third');
    positions = { 'publish s1': '100', 'third s1': '100' };
    vi.advanceTimersByTime(1000);
    positions = { 'publish s1': '100', 'audit s1': '99', 'third s1': '101', 'audit s2': '1' };
    vi.advanceTimersByTime(1000);
    positions = { 'publish s1': '8', 'audit s1': '10', 'third s1': '9' };
    vi.advanceTimersByTime(1000);
    expect(trimmed).toEqual(['s1 99', 's1 8']);
  });

  it('ends with what follows the stream', () => {
    start('publish');
    positions = { 'publish s1': '9' };
    end();
    vi.advanceTimersByTime(5000);
    expect(trimmed).toEqual([]);
  });

  it('says so once when the file cannot be written, and goes on without', () => {
    start('publish');
    positions = { 'publish s1': '9' };
    failure = new Error('database or disk is full');
    vi.advanceTimersByTime(5000);
    failure = undefined;
    vi.advanceTimersByTime(5000);
    expect(failures).toEqual([
      "delivered records stay in the table's file until the next start: database or disk is full",
    ]);
    expect(trimmed).toEqual([]);
  });
});

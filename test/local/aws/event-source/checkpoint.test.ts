import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openCheckpoints } from '../../../../local/aws/event-source/checkpoint.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'checkpoint-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

it('a position that could not be written is not told either', () => {
  const file = path.join(directory, 'sub', 'stream.json');
  const checkpoints = openCheckpoints(file, 'arn');
  checkpoints.save('publish', 's1', { sequenceNumber: '1' });
  rmSync(path.dirname(file), { recursive: true });
  // A file where its directory belongs.
  writeFileSync(path.dirname(file), '');
  expect(() => checkpoints.save('publish', 's1', { sequenceNumber: '2' })).toThrow(
    'cannot be used',
  );
  expect(checkpoints.read('publish', 's1')).toEqual({ sequenceNumber: '1' });
});

it('positions of shards that are gone are forgotten, each function keeps its others', () => {
  const file = path.join(directory, 'stream.json');
  const checkpoints = openCheckpoints(file, 'arn');
  checkpoints.save('publish', 's1', { ended: true });
  checkpoints.save('publish', 's2', { sequenceNumber: '5' });
  checkpoints.save('count', 's2', { sequenceNumber: '3' });
  checkpoints.keepOnly(['s2']);
  const again = openCheckpoints(file, 'arn');
  expect(again.read('publish', 's1')).toBeUndefined();
  expect(again.read('publish', 's2')).toEqual({ sequenceNumber: '5' });
  expect(again.read('count', 's2')).toEqual({ sequenceNumber: '3' });
});

it('one position is forgotten alone, and on disk', () => {
  const file = path.join(directory, 'stream.json');
  const checkpoints = openCheckpoints(file, 'arn');
  checkpoints.save('publish', 's1', { sequenceNumber: '5' });
  checkpoints.save('publish', 's2', { sequenceNumber: '6' });
  checkpoints.forget('publish', 's1');
  checkpoints.forget('count', 's1');
  const again = openCheckpoints(file, 'arn');
  expect(again.read('publish', 's1')).toBeUndefined();
  expect(again.read('publish', 's2')).toEqual({ sequenceNumber: '6' });
});

import { describe, expect, it } from 'vitest';
import type { LocalDynamoDb } from '../../../local/aws/dynamodb.ts';
import { TRIM_LIMIT } from '../../../local/aws/stream-records.ts';
import { inFile, range, readAfter, start, TABLE, useStreamFile } from './stream-file.ts';

/** Trims until nothing more goes. */
function trimAll(engine: LocalDynamoDb, upTo: number): number {
  let sum = 0;
  for (let count = -1; count !== 0; sum += count) {
    count = engine.trimStream(TABLE, String(upTo));
  }
  return sum;
}

describe('trimming a stream', () => {
  useStreamFile();

  it('takes away what was delivered, and nothing else', async () => {
    const { engine, put } = await start();
    await put(1, 12);
    expect(engine.trimStream(TABLE, '9')).toBe(9);
    expect(await readAfter(engine, 0)).toEqual(range(10, 12));
    expect(engine.trimStream(TABLE, '9')).toBe(0);
    expect(engine.trimStream('other', '11')).toBe(0);
    await put(13);
    expect(await readAfter(engine, 9)).toEqual(range(10, 13));
  });

  it('keeps the newest record, from which the engine counts on', async () => {
    const { engine, put } = await start();
    await put(1, 3);
    expect(trimAll(engine, 3)).toBe(2);
    await put(4);
    expect(await readAfter(engine, 0)).toEqual(range(3, 4));
  });

  it('takes nothing away for a position that this stream has not reached', async () => {
    const { engine, put } = await start();
    expect(engine.trimStream(TABLE, '3')).toBe(0);
    await put(1, 3);
    expect(engine.trimStream(TABLE, '4')).toBe(0);
    expect(await readAfter(engine, 0)).toEqual(range(1, 3));
  });

  it('leaves what was not delivered through a kill and a start', async () => {
    const first = await start();
    await first.put(1, 20);
    expect(first.engine.trimStream(TABLE, '8')).toBe(8);
    await first.kill();
    await first.engine.stop();
    const second = await start();
    expect(await readAfter(second.engine, 8)).toEqual(range(9, 20));
    expect(trimAll(second.engine, 12)).toBe(4);
    await second.put(21);
    expect(await readAfter(second.engine, 12)).toEqual(range(13, 21));
  });

  it('goes a little at a time, so that writes need not wait', async () => {
    const { engine, put } = await start();
    await put(1);
    inFile((database) =>
      database.exec(`
        WITH RECURSIVE more (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM more WHERE n < ${TRIM_LIMIT + 50})
        INSERT INTO _stream_records (table_name, event_name, keys_json, sequence_number, shard_id, created_at)
        SELECT table_name, event_name, keys_json, CAST(n AS TEXT), shard_id, created_at
        FROM _stream_records, more WHERE sequence_number = '1'`),
    );
    const upTo = String(TRIM_LIMIT + 20);
    expect(engine.trimStream(TABLE, upTo)).toBe(TRIM_LIMIT);
    expect(engine.trimStream(TABLE, upTo)).toBe(20);
    expect(engine.trimStream(TABLE, upTo)).toBe(0);
    const left = await readAfter(engine, 0);
    expect([left.length, left[0]]).toEqual([30, `${TRIM_LIMIT + 21} ORDER#1`]);
  });

  it('waits for nobody: while the file is written to, nothing goes', async () => {
    const { engine, put } = await start();
    await put(1, 5);
    inFile((database) => {
      database.exec('BEGIN IMMEDIATE');
      expect(engine.trimStream(TABLE, '3')).toBe(0);
      database.exec('COMMIT');
    });
    expect(engine.trimStream(TABLE, '3')).toBe(3);
  });

  it('lets every write through, and keeps few records however many there were', async () => {
    const { engine, put } = await start();
    let written = 0;
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let row = 0; row < 25; row += 1) {
        await put(writer * 100 + row);
        written += 1;
        engine.trimStream(TABLE, String(Math.max(1, written - 20)));
      }
    });
    await Promise.all(writers);
    trimAll(engine, 180);
    const left = await readAfter(engine, 0);
    expect(left.map((record) => Number.parseInt(record, 10))).toEqual(
      Array.from({ length: 20 }, (_, index) => 181 + index),
    );
  });

  it('is nothing to do for tables in memory, nor once the engine is stopped', async () => {
    const { engine, put } = await start('memory');
    await put(1, 3);
    expect(engine.trimStream(TABLE, '2')).toBe(0);
    expect(await readAfter(engine, 0)).toEqual(range(1, 3));
    const stored = await start();
    await stored.put(1, 3);
    await stored.engine.stop();
    expect(stored.engine.trimStream(TABLE, '2')).toBe(0);
  });
});

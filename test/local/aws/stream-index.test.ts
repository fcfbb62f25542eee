import { readFileSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { startDynamoDb } from '../../../local/aws/dynamodb.ts';
import { findEngine } from '../../../local/aws/engine.ts';
import { dbPath, inFile, range, readAfter, start, useStreamFile } from './stream-file.ts';

/** What the engine asks of its records at each write, at each GetRecords and at each DescribeStream. */
const STATEMENTS = {
  nextNumber:
    'SELECT COALESCE(MAX(CAST(sequence_number AS INTEGER)), 0) + 1 FROM _stream_records WHERE table_name = ?1',
  read: 'SELECT event_name, keys_json, new_image, old_image, sequence_number, created_at, user_identity FROM _stream_records WHERE table_name = ?1 AND shard_id = ?2 AND CAST(sequence_number AS INTEGER) > ?3 ORDER BY CAST(sequence_number AS INTEGER) ASC LIMIT ?4',
  range:
    'SELECT MIN(sequence_number), MAX(sequence_number) FROM _stream_records WHERE table_name = ?1 AND shard_id = ?2',
};

const explain = (statement: string): string =>
  inFile((database) =>
    database
      .prepare(`EXPLAIN QUERY PLAN ${statement}`)
      .all()
      .map(({ detail }) => detail)
      .join('; '),
  );

/** The steps of SQLite's own program for the statement. */
const compile = (statement: string): unknown[] =>
  inFile((database) =>
    database
      .prepare(`EXPLAIN ${statement}`)
      .all()
      .map(({ opcode }) => opcode),
  );

/** As a file of before the index. */
function dropIndex(database: DatabaseSync): void {
  const indexes = database
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = '_stream_records'")
    .all() as { name: string }[];
  for (const { name } of indexes) {
    database.exec(`DROP INDEX "${name}"`);
  }
}

describe('the stream records of the embedded engine', () => {
  useStreamFile();

  it('are asked for by statements that the index was made for', () => {
    const program = readFileSync(findEngine(), 'latin1');
    const spaced = program
      .split('_stream_records')
      .map(
        (part) =>
          part.slice(0, 400).replaceAll(/\s+/g, ' ') + part.slice(-400).replaceAll(/\s+/g, ' '),
      )
      .join('_stream_records');
    expect(Object.entries(STATEMENTS).filter(([, text]) => !spaced.includes(text))).toEqual([]);
  });

  function expectIndexed() {
    // From the end of the index, and no step to a further record.
    expect(explain(STATEMENTS.nextNumber)).toMatch(
      /^SEARCH _stream_records USING COVERING INDEX \w+ \(table_name=\?\)$/,
    );
    expect(compile(STATEMENTS.nextNumber)).toContain('SeekLE');
    expect(compile(STATEMENTS.nextNumber)).not.toContain('Next');
    // Straight to the position, and in order already.
    expect(explain(STATEMENTS.read)).toMatch(
      /^SEARCH _stream_records USING INDEX \w+ \(table_name=\? AND <expr>>\?\)$/,
    );
    // Through the index, but through no record.
    expect(explain(STATEMENTS.range)).toMatch(
      /^SEARCH _stream_records USING COVERING INDEX \w+ \(table_name=\?\)$/,
    );
  }

  it('are indexed in a new file before anybody writes', async () => {
    const { put, engine } = await start();
    expectIndexed();
    await put(1, 12);
    expect(await readAfter(engine, 3)).toEqual(range(4, 12));
  });

  it('are indexed in a file that was made without, and none of them is lost', async () => {
    const first = await start();
    await first.put(1, 5);
    await first.engine.stop();
    inFile(dropIndex);
    expect(explain(STATEMENTS.nextNumber)).not.toContain('INDEX');

    const second = await start();
    expectIndexed();
    await second.put(6, 7);
    expect(await readAfter(second.engine, 0)).toEqual(range(1, 7));
  });

  it('do not begin anew when the engine is killed and started on the indexed file', async () => {
    const first = await start();
    await first.put(1, 4);
    await first.kill();
    const second = await start();
    expectIndexed();
    await second.put(5, 6);
    expect(await readAfter(second.engine, 0)).toEqual(range(1, 6));
  });

  it('says which file cannot be indexed, and leaves no engine', async () => {
    const first = await start();
    await first.engine.stop();
    inFile((database) => {
      dropIndex(database);
      // A name may be taken only once.
      database.exec('CREATE TABLE wechatpay_stream_position (a)');
    });
    await expect(startDynamoDb({ dbPath: dbPath() })).rejects.toThrow(
      `the stream's records in ${dbPath()} cannot be indexed: there is already a table named`,
    );
    inFile((database) => database.exec('DROP TABLE wechatpay_stream_position'));
    await start();
    expectIndexed();
  });
});

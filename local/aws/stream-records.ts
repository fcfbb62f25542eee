/**
 * The stream records of the embedded engine. It keeps all of them for ever in one SQLite table
 * without an index, and reads that whole table for each write's sequence number, each `GetRecords`
 * and each `DescribeStream`. So it is given the index that its statements lack, and records that
 * were delivered are taken away. SQLite orders this process's statements and the engine's.
 */
import { DatabaseSync } from 'node:sqlite';

/** What the engine's statements look by, and whatever else `DescribeStream` reads of a record. */
const INDEX = `CREATE INDEX IF NOT EXISTS wechatpay_stream_position ON _stream_records
  (table_name, CAST(sequence_number AS INTEGER), shard_id, sequence_number)`;

const NEWEST = `
  SELECT MAX(CAST(sequence_number AS INTEGER)) AS position FROM _stream_records WHERE table_name = ?`;
const TRIM = `
  DELETE FROM _stream_records WHERE id IN (
    SELECT id FROM _stream_records
    WHERE table_name = ? AND CAST(sequence_number AS INTEGER) <= ?
    ORDER BY CAST(sequence_number AS INTEGER) LIMIT ?)`;

/** Deleting so many takes some ten milliseconds, in which neither this process nor the engine goes on. */
export const TRIM_LIMIT = 500;
const INDEX_WAIT_MS = 5000;
const SQLITE_BUSY = 5;

export interface StreamRecords {
  /**
   * Takes away the oldest records of a table's stream up to `upTo`, a sequence number that everybody
   * who reads the stream is done with: at most `TRIM_LIMIT`, and none while the engine writes.
   * Answers how many.
   */
  trim(tableName: string, upTo: string): number;
  /** Whether a table's stream has a record with this sequence number, or had one and goes beyond it. */
  hasReached(tableName: string, sequenceNumber: string): boolean;
  close(): void;
}

/**
 * Opens the file of a running engine that nobody writes to yet, and makes the index if it is not
 * there: at once in a new file, in seconds in one with some 100,000 records.
 *
 * @throws {Error} of SQLite.
 */
export function openStreamRecords(dbPath: string): StreamRecords {
  const database = new DatabaseSync(dbPath, { timeout: INDEX_WAIT_MS });
  try {
    database.exec(INDEX);
    // From now on nothing waits for the engine, nor for the disk: what is lost is trimmed again.
    database.exec(
      'PRAGMA busy_timeout = 0; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0',
    );
    const newest = database.prepare(NEWEST);
    const trim = database.prepare(TRIM);
    // The newest record is never taken away, so this is where the engine counts on.
    const readNewest = (tableName: string) =>
      (newest.get(tableName) as { position: number | null }).position ?? 0;
    return {
      trim: (tableName, upTo) =>
        unlessBusy(() => {
          const end = chooseEnd(Number(upTo), readNewest(tableName));
          return end === undefined ? 0 : Number(trim.run(tableName, end, TRIM_LIMIT).changes);
        }),
      hasReached: (tableName, sequenceNumber) => Number(sequenceNumber) <= readNewest(tableName),
      close: () => database.close(),
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * The newest record stays whatever was delivered: the engine counts on from it. A position beyond it
 * is one in another stream, so it says nothing about these records.
 */
function chooseEnd(upTo: number, newest: number): number | undefined {
  return upTo <= newest ? Math.min(upTo, newest - 1) : undefined;
}

function unlessBusy(work: () => number): number {
  try {
    return work();
  } catch (error) {
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) {
      return 0;
    }
    throw error;
  }
}

/**
 * Events on disk, in one SQLite file: adding one and reading after one stay quick however many there
 * are, and a `kill -9` at any moment leaves whole calls of `PutEvents` only.
 */
import { DatabaseSync } from 'node:sqlite';
import { explainFailure } from '../../explain-failure.ts';
import { START_FRESH } from '../../json-file.ts';

const SCHEMA = `
CREATE TABLE IF NOT EXISTS events (
  id INTEGER PRIMARY KEY AUTOINCREMENT, time TEXT NOT NULL, source TEXT NOT NULL,
  detail_type TEXT NOT NULL, detail TEXT NOT NULL, out_trade_no TEXT
);
CREATE INDEX IF NOT EXISTS events_of_order ON events (out_trade_no) WHERE out_trade_no IS NOT NULL;
`;
const COLUMNS = 'id, time, source, detail_type AS detailType, detail';
const WRITE_ATTEMPTS_MS = 5000;

/** What a rule of the bus would be given, under the id that it has here. */
export interface StoredEvent {
  /** From 1, in the order in which the events came. */
  readonly id: number;
  /** ISO 8601. */
  readonly time: string;
  readonly source: string;
  readonly detailType: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export type NewEvent = Omit<StoredEvent, 'id'>;

export interface EventStore {
  /** All or none of them; they are on disk when this returns. */
  add(events: readonly NewEvent[]): readonly StoredEvent[];
  /** In order, at most `limit`. */
  list(afterId: number, limit: number): readonly StoredEvent[];
  /** Whose `detail.outTradeNo` is this, in order. */
  listOfOrder(outTradeNo: string): readonly StoredEvent[];
  close(): void;
}

/** @throws {Error} naming a file that is no store of events. */
export function openEventStore(path: string): EventStore {
  const database = openDatabase(path);
  const insert = database.prepare(
    'INSERT INTO events (time, source, detail_type, detail, out_trade_no) VALUES (?, ?, ?, ?, ?)',
  );
  const selectAfter = database.prepare(
    `SELECT ${COLUMNS} FROM events WHERE id > ? ORDER BY id LIMIT ?`,
  );
  const selectOfOrder = database.prepare(
    `SELECT ${COLUMNS} FROM events WHERE out_trade_no = ? ORDER BY id`,
  );
  const addOne = (event: NewEvent): StoredEvent => {
    const { time, source, detailType, detail } = event;
    const { outTradeNo } = detail;
    const about = typeof outTradeNo === 'string' ? outTradeNo : null;
    const added = insert.run(time, source, detailType, JSON.stringify(detail), about);
    return { id: Number(added.lastInsertRowid), ...event };
  };
  return {
    add(events) {
      database.exec('BEGIN IMMEDIATE');
      try {
        const added = events.map(addOne);
        database.exec('COMMIT');
        return added;
      } catch (error) {
        database.exec('ROLLBACK');
        throw error;
      }
    },
    list: (afterId, limit) => selectAfter.all(afterId, limit).map(toEvent),
    listOfOrder: (outTradeNo) => selectOfOrder.all(outTradeNo).map(toEvent),
    close: () => database.close(),
  };
}

function openDatabase(path: string): DatabaseSync {
  try {
    const database = new DatabaseSync(path, { timeout: WRITE_ATTEMPTS_MS });
    // NORMAL: a killed process loses nothing. A power cut may lose the last moments, as with the table.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    database.exec(SCHEMA);
    return database;
  } catch (error) {
    const reason = explainFailure(error);
    throw new Error(`${path} cannot be read as events (${reason}): put it back, ${START_FRESH}`, {
      cause: error,
    });
  }
}

function toEvent(row: Readonly<Record<string, unknown>>): StoredEvent {
  const { id, time, source, detailType, detail } = row as Record<string, string>;
  return {
    id: Number(id),
    time: time ?? '',
    source: source ?? '',
    detailType: detailType ?? '',
    detail: JSON.parse(detail ?? '{}') as StoredEvent['detail'],
  };
}

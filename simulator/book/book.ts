/**
 * WeChat's book on disk: one SQLite file that a `kill -9` at any moment leaves consistent
 * (write-ahead log; every change of state is one transaction).
 */
import { DatabaseSync } from 'node:sqlite';

const SCHEMA = `
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS users (
  openid TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sub_openids (
  openid TEXT PRIMARY KEY, appid TEXT NOT NULL, name TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS codes (
  code TEXT PRIMARY KEY, openid TEXT NOT NULL, expires_at INTEGER NOT NULL, used_at INTEGER
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS orders (
  out_trade_no TEXT PRIMARY KEY, request TEXT NOT NULL, sign_type TEXT NOT NULL,
  total_fee INTEGER NOT NULL, trade_state TEXT NOT NULL,
  created_at INTEGER NOT NULL, pay_until INTEGER NOT NULL, closes_at INTEGER NOT NULL,
  closed_at INTEGER, paid_at INTEGER, payer_openid TEXT, transaction_id TEXT UNIQUE,
  names_public_key INTEGER NOT NULL DEFAULT 0, payment TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS prepays (
  prepay_id TEXT PRIMARY KEY, out_trade_no TEXT NOT NULL, expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS prepays_of_order ON prepays (out_trade_no);
CREATE TABLE IF NOT EXISTS refunds (
  refund_id TEXT PRIMARY KEY, out_refund_no TEXT NOT NULL UNIQUE, out_trade_no TEXT NOT NULL,
  refund_fee INTEGER NOT NULL, created_at INTEGER NOT NULL,
  status TEXT NOT NULL DEFAULT 'SUCCESS', settles_at INTEGER,
  settles_as TEXT NOT NULL DEFAULT 'SUCCESS', ended_at INTEGER, facts TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS refunds_of_order ON refunds (out_trade_no);
CREATE INDEX IF NOT EXISTS refunds_by_time ON refunds (created_at);
CREATE INDEX IF NOT EXISTS orders_by_payment ON orders (paid_at) WHERE paid_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS notifications (
  id INTEGER PRIMARY KEY, out_trade_no TEXT NOT NULL, notify_url TEXT NOT NULL,
  sign_type TEXT NOT NULL, fields TEXT NOT NULL, state TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0, max_attempts INTEGER NOT NULL, next_at INTEGER,
  postponed TEXT
);
CREATE INDEX IF NOT EXISTS notifications_due ON notifications (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS notifications_of_order ON notifications (out_trade_no);
CREATE TABLE IF NOT EXISTS attempts (
  id INTEGER PRIMARY KEY, notification_id INTEGER NOT NULL, attempt INTEGER NOT NULL,
  at INTEGER NOT NULL, outcome TEXT NOT NULL, detail TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS attempts_of_notification ON attempts (notification_id);
`;

const WAY_OUT =
  'end the program that has it open, or remove it, which forgets its orders (npm start -- --fresh removes it and all that belongs to it)';

export interface Book {
  readonly database: DatabaseSync;
  /** All or nothing, also when the process dies inside. */
  transaction<T>(work: () => T): T;
  readMeta(name: string): string | undefined;
  writeMeta(name: string, value: string): void;
  /** Next number of a counter that a reset does not touch. */
  nextSerial(): number;
  /** Forgets orders, codes and notifications; people keep their openids. */
  empty(): void;
  close(): void;
}

/** What a book lacks that was begun before API v3, coupons, or refunds by API. */
const ADDED_COLUMNS: readonly (readonly [table: string, column: string, type: string])[] = [
  ['orders', 'names_public_key', 'INTEGER NOT NULL DEFAULT 0'],
  ['orders', 'payment', 'TEXT'],
  ['refunds', 'status', "TEXT NOT NULL DEFAULT 'SUCCESS'"],
  ['refunds', 'settles_at', 'INTEGER'],
  ['refunds', 'settles_as', "TEXT NOT NULL DEFAULT 'SUCCESS'"],
  ['refunds', 'ended_at', 'INTEGER'],
  ['refunds', 'facts', 'TEXT'],
];

function addMissingColumns(database: DatabaseSync): void {
  const there = listColumns(database);
  for (const [table, column, type] of ADDED_COLUMNS) {
    if (!there.has(`${table}.${column}`)) {
      database.exec(`ALTER TABLE ${table} ADD COLUMN ${column} ${type}`);
    }
  }
}

function openFile(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path, { timeout: 5000 });
  } catch (error) {
    throw new Error(`cannot open the book ${path}: ${WAY_OUT}`, { cause: error });
  }
}

/** Damaged pages, and tables of another version, would otherwise show up in the middle of a payment. */
function assertWhole(database: DatabaseSync): void {
  const [first] = database.prepare('PRAGMA quick_check(1)').all();
  const found = String(first?.['quick_check']);
  if (found !== 'ok') {
    throw new Error(`it is damaged: ${found}`);
  }
  const wanted = new DatabaseSync(':memory:');
  wanted.exec(SCHEMA);
  const there = listColumns(database);
  const missing = [...listColumns(wanted)].find((column) => !there.has(column));
  wanted.close();
  if (missing !== undefined) {
    throw new Error(`it is of another version of the simulator: it has no ${missing}`);
  }
}

/** `orders.total_fee`, … */
function listColumns(database: DatabaseSync): Set<string> {
  const rows = database
    .prepare(
      "SELECT t.name || '.' || c.name AS name FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table'",
    )
    .all();
  return new Set(rows.map(({ name }) => String(name)));
}

/** Opens the book at `path`, or one in memory. */
export function openBook(path = ':memory:'): Book {
  // A predecessor that is just ending gets 5 seconds to let go.
  const database = openFile(path);
  try {
    // Two simulators must not write one book.
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;');
    database.exec(`PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE; ${SCHEMA} COMMIT;`);
    addMissingColumns(database);
    assertWhole(database);
  } catch (error) {
    database.close();
    throw new Error(`cannot open the book ${path}: ${WAY_OUT}`, { cause: error });
  }
  const select = database.prepare('SELECT value FROM meta WHERE name = ?');
  const upsert = database.prepare(
    'INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
  );
  const readMeta = (name: string) => select.get(name)?.['value']?.toString();
  const writeMeta = (name: string, value: string) => void upsert.run(name, value);

  return {
    database,
    transaction(work) {
      database.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        database.exec('COMMIT');
        return result;
      } catch (error) {
        database.exec('ROLLBACK');
        throw error;
      }
    },
    readMeta,
    writeMeta,
    nextSerial() {
      const serial = Number(readMeta('serial') ?? '0') + 1;
      writeMeta('serial', serial.toString());
      return serial;
    },
    empty() {
      database.exec(
        'BEGIN; DELETE FROM codes; DELETE FROM orders; DELETE FROM prepays; DELETE FROM refunds; DELETE FROM notifications; DELETE FROM attempts; COMMIT',
      );
    },
    close: () => database.close(),
  };
}

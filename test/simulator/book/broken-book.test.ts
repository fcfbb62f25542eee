import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openBook } from '../../../simulator/book/book.ts';

const PAGE_BYTES = 4096;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'broken-book-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const refusalOf = (path: string): { message: string; reason: string } => {
  try {
    openBook(path).close();
  } catch (error) {
    const { message, cause } = error as Error;
    return { message, reason: (cause as Error).message };
  }
  throw new Error('it was opened');
};

test('a book of another version is refused with the column that it lacks', () => {
  const path = join(directory, 'old.sqlite');
  const old = new DatabaseSync(path);
  old.exec('CREATE TABLE prepays (prepay_id TEXT PRIMARY KEY, out_trade_no TEXT NOT NULL)');
  old.close();
  const { message, reason } = refusalOf(path);

  expect(message).toBe(
    `cannot open the book ${path}: end the program that has it open, or remove it, which forgets its orders (npm start -- --fresh removes it and all that belongs to it)`,
  );
  expect(reason).toBe('it is of another version of the simulator: it has no prepays.expires_at');
});

test('a book that was begun before API v3 is brought up to date', () => {
  const path = join(directory, 'v2.sqlite');
  openBook(path).close();
  const old = new DatabaseSync(path);
  old.exec('ALTER TABLE orders DROP COLUMN names_public_key');
  old.close();

  expect(() => openBook(path).close()).not.toThrow();
});

test('a book with a damaged page is refused before it is used', () => {
  const path = join(directory, 'damaged.sqlite');
  openBook(path).close();
  const content = readFileSync(path);
  content.fill(0xff, content.length - PAGE_BYTES);
  writeFileSync(path, content);

  expect(refusalOf(path).reason).toMatch(/^it is damaged: /);
});

test.each(['a directory', 'nowhere'])('a book at %s is refused with the way out', (kind) => {
  const path = join(directory, kind, kind === 'nowhere' ? 'book.sqlite' : '');
  if (kind === 'a directory') {
    mkdirSync(path);
  }
  expect(refusalOf(path).message).toMatch(/^cannot open the book .*: end the program that has it/);
});

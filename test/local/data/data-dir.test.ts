import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeTemporaryDir, openDataDir } from '../../../local/data/data-dir.ts';
import { fileError, onFile } from '../../../local/file-error.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'data-dir-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const ELSEWHERE = 'or name another directory with LOCAL_DATA_DIR';
const at = (...parts: string[]) => path.join(root, ...parts);
const refusalOf = async (directory: string, fresh = false): Promise<string> => {
  try {
    (await openDataDir(directory, fresh)).close();
  } catch (error) {
    return (error as Error).message;
  }
  return 'it was opened';
};

describe('a data directory', () => {
  test('is made with those above it, and may be a link to one', async () => {
    const made = await openDataDir(at('a', 'b'), false);
    made.close();
    symlinkSync(at('a'), at('link'));
    const linked = await openDataDir(at('link', 'b'), false);
    linked.close();

    expect(existsSync(at('a', 'b'))).toBe(true);
  });

  test('that is a file, or below one, is refused', async () => {
    writeFileSync(at('file'), 'mine');
    const text = `${at('file')} cannot be used: it is a file where a directory belongs; move it away, ${ELSEWHERE}`;

    expect(await refusalOf(at('file'))).toBe(text);
    expect(await refusalOf(at('file', 'below'))).toBe(text);
    expect(readFileSync(at('file'), 'utf8')).toBe('mine');
  });

  test('that is a link to nothing, or in a circle, is refused', async () => {
    symlinkSync(at('nothing'), at('dangling'));
    symlinkSync(at('circle'), at('circle'));

    expect(await refusalOf(at('dangling'))).toContain('leads to a place that does not exist');
    expect(await refusalOf(at('circle'))).toContain('links lead in a circle');
  });

  test.skipIf(process.platform !== 'linux')(
    'where none can be is refused, and does not hang',
    async () => {
      expect(await refusalOf('/proc/no-directory')).toMatch(/^\/proc\/no-directory cannot be used/);
    },
  );

  test.each(['stack.lock', 'simulator.log', 'functions.log.1', 'dynamodb.sqlite', 'clock.json'])(
    'with a directory in the place of %s is refused, also with fresh',
    async (name) => {
      mkdirSync(at(name));
      const text = `${at(name)} cannot be used: it is a directory where a file belongs; move it away`;

      expect(await refusalOf(root)).toBe(text);
      expect(await refusalOf(root, true)).toBe(text);
    },
  );
});

test.each([
  ['EACCES', /no right to it; give it back to this user/],
  ['EROFS', /read-only file system/],
  ['ENOSPC', /the disk is full; make room/],
  ['EIO', /i\/o error; move it away/],
])('a file that fails with %s: the message says why, and what to do', (code, reason) => {
  const failed = Object.assign(new Error('i/o error'), { code, syscall: 'open' });
  const work = () =>
    onFile('/data/clock.json', () => {
      throw failed;
    });

  expect(work).toThrow(/^\/data\/clock\.json cannot be used: /);
  expect(work).toThrow(reason);
  expect(fileError('/x', failed).cause).toBe(failed);
});

test('a temporary directory that cannot be made names TMPDIR', () => {
  expect(() => makeTemporaryDir('no/such/parent-')).toThrow(
    `no temporary directory can be made in ${tmpdir()}: set TMPDIR to a directory that can be written`,
  );
});

import { mkdir, mkdtemp, readdir, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { openTemporaryFiles, type TemporaryFile } from '../../lib/runtime/temporary-files.ts';

let home: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'temporary-files-'));
  vi.stubEnv('TMPDIR', home);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(home, { recursive: true });
});

const root = () => join(home, 'wechatpay-serverless');

async function write(file: TemporaryFile, content: string): Promise<void> {
  const writable = file.openToWrite();
  writable.end(content);
  await finished(writable);
}

describe('temporary files', () => {
  test('of another run stay, also when the clock of this process is hours ahead', async () => {
    const other = await openTemporaryFiles();
    await write(other.file('a'), 'other');
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 36_000_000 });
    await openTemporaryFiles();
    vi.useRealTimers();

    expect(await text(other.file('a').openToRead())).toBe('other');
  });

  test('are read as they were written last', async () => {
    const file = (await openTemporaryFiles()).file('bill.csv.gz');
    await write(file, 'a long first text');
    await write(file, 'second');

    expect(await text(file.openToRead())).toBe('second');
  });

  test('are private, and gone with their directory', async () => {
    const files = await openTemporaryFiles();
    await write(files.file('a'), 'x');
    const [directory = ''] = await readdir(root());
    const { mode } = await stat(join(root(), directory, 'a'));
    await files.remove();

    expect(mode & 0o077).toBe(0);
    expect(await readdir(root())).toEqual([]);
  });

  test('that are not there hold no removal up', async () => {
    const files = await openTemporaryFiles();
    files.file('nothing').openToRead();
    await files.remove();

    expect(await readdir(root())).toEqual([]);
  });

  test('that are still being opened are gone with it', async () => {
    const files = await openTemporaryFiles();
    const streams = Array.from({ length: 64 }, (_, at) => files.file(`a-${at}`).openToWrite());
    await files.remove();

    expect(streams.every(({ closed }) => closed)).toBe(true);
    expect(await readdir(root())).toEqual([]);
  });

  test('of two runs do not meet', async () => {
    const [first, second] = [await openTemporaryFiles(), await openTemporaryFiles()];
    await write(first.file('a'), 'first');
    await write(second.file('a'), 'second');

    expect(await text(first.file('a').openToRead())).toBe('first');
  });

  test('of a run that was killed an hour ago are removed by the next, and no others', async () => {
    await mkdir(join(root(), 'run-old'), { recursive: true });
    await mkdir(join(root(), 'run-new'));
    const { mtimeMs } = await stat(root());
    await utimes(join(root(), 'run-old'), new Date(), new Date(mtimeMs - 3_601_000));
    await utimes(join(root(), 'run-new'), new Date(), new Date(mtimeMs - 3_000_000));
    const files = await openTemporaryFiles();

    const left = await readdir(root());
    expect(left).toContain('run-new');
    expect(left).not.toContain('run-old');
    expect(left).toHaveLength(2);
    await files.remove();
  });
});

import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { BUCKET_COUNT, type Buckets, openBuckets } from '../../lib/bill/buckets.ts';
import { allOf } from '../support/all-of.ts';
import { memoryFiles } from '../support/memory-files.ts';

async function readAll<T>(buckets: Buckets<T>): Promise<(readonly [string, T])[][]> {
  const all: (readonly [string, T])[][] = [];
  for (let bucket = 0; bucket < BUCKET_COUNT; bucket += 1) {
    all.push(await allOf(buckets.read(bucket)));
  }
  return all;
}

describe('buckets', () => {
  test('give everything back once, the equal together, in the order they came', async () => {
    const buckets = openBuckets<number>(memoryFiles(), 'here');
    const keys = Array.from({ length: 20_000 }, (_, n) => `42000000${n % 10_000}`);
    for (const [n, key] of keys.entries()) {
      await buckets.add(key, n);
    }
    await buckets.close();
    const all = await readAll(buckets);

    expect(all.flat()).toHaveLength(20_000);
    expect(new Set(all.flatMap((bucket, at) => bucket.map(([key]) => `${key} ${at}`))).size).toBe(
      10_000,
    );
    const first = all.find((bucket) => bucket.some(([key]) => key === '4200000042'));
    expect(first?.filter(([key]) => key === '4200000042').map(([, n]) => n)).toEqual([42, 10_042]);
    // None is much larger than the others.
    expect(Math.max(...all.map(({ length }) => length))).toBeLessThan((2 * 20_000) / BUCKET_COUNT);
  });

  test('keep texts of any kind', async () => {
    const buckets = openBuckets<string>(memoryFiles(), 'here');
    const odd = 'a"b\\c\nd\u2028e\t茶'.repeat(500);
    await buckets.add(odd, odd);
    await buckets.close();

    expect((await readAll(buckets)).flat()).toEqual([[odd, odd]]);
  });

  test.each([
    ['while it is added to', 20_000],
    ['when it is closed', 1],
  ])('on a disk that is full fail %s', async (_, count) => {
    const full = {
      file: () => ({
        openToWrite: () =>
          new Writable({ write: (_chunk, _encoding, done) => done(new Error('ENOSPC')) }),
        openToRead: () => {
          throw new Error('nothing was written');
        },
      }),
    };
    const buckets = openBuckets<number>(full, 'here');
    const fill = async () => {
      for (let n = 0; n < count; n += 1) {
        await buckets.add('the same', n);
      }
      await buckets.close();
    };

    await expect(fill()).rejects.toThrow('ENOSPC');
  });

  test('on a disk that fails at the end fail when they are closed', async () => {
    const failing = {
      file: () => ({
        openToWrite: () =>
          new Writable({
            write: (_chunk, _encoding, done) => done(),
            final: (done) => done(new Error('EIO')),
          }),
        openToRead: () => {
          throw new Error('nothing was written');
        },
      }),
    };

    await expect(openBuckets(failing, 'here').close()).rejects.toThrow('EIO');
  });
});

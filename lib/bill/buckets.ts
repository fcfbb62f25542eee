/**
 * Both sides of a comparison, cut into buckets on disk by the hash of what they are compared by: a
 * bucket of each side fits into memory when a day does not.
 */
import type { Readable, Writable } from 'node:stream';

/** Files to write and read again. */
export interface BucketFiles {
  readonly file: (name: string) => {
    readonly openToWrite: () => Writable;
    readonly openToRead: () => Readable;
  };
}

/** One side. Everything is added, then it is closed, then it is read. */
export interface Buckets<T> {
  /** Waits only now and then, when something goes to the disk. */
  readonly add: (key: string, entry: T) => Promise<void> | undefined;
  readonly close: () => Promise<void>;
  /** A bucket in the order in which it was added. */
  readonly read: (bucket: number) => AsyncGenerator<readonly [key: string, entry: T]>;
}

/** A million entries make some 16,000 each. */
export const BUCKET_COUNT = 64;
const FLUSH_LENGTH = 16 * 1024;

/** @param name of the files; letters. */
export function openBuckets<T>(files: BucketFiles, name: string): Buckets<T> {
  const buckets = Array.from({ length: BUCKET_COUNT }, (_, bucket) =>
    openBucket(files, `${name}-${bucket}`),
  );
  return {
    // Of an index below their number there is one.
    add: (key, entry) => buckets[bucketOf(key)]?.add(`${JSON.stringify([key, entry])}\n`),
    close: async () => {
      await Promise.all(buckets.map((bucket) => bucket.close()));
    },
    async *read(bucket) {
      for await (const line of linesOf(files.file(`${name}-${bucket}`).openToRead())) {
        yield JSON.parse(line) as [string, T];
      }
    },
  };
}

function openBucket(files: BucketFiles, name: string) {
  const writable = files.file(name).openToWrite();
  // Who writes is told; an event besides would end the process.
  writable.on('error', () => undefined);
  let pending = '';
  const flush = () =>
    new Promise<void>((resolve, reject) => {
      const text = pending;
      pending = '';
      writable.write(text, (error) => (error ? reject(error) : resolve()));
    });
  return {
    add(line: string) {
      pending += line;
      return pending.length < FLUSH_LENGTH ? undefined : flush();
    },
    async close() {
      await flush();
      await new Promise<void>((resolve, reject) => {
        writable.once('close', resolve);
        writable.once('error', reject);
        writable.end();
      });
    },
  };
}

/** FNV-1a, over numbers of payments and refunds. */
function bucketOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at += 1) {
    hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  }
  return (hash >>> 0) % BUCKET_COUNT;
}

/** Lines of JSON, which is written here and has every other line feed escaped. */
async function* linesOf(readable: Readable): AsyncGenerator<string> {
  let rest = '';
  readable.setEncoding('utf8');
  for await (const chunk of readable as AsyncIterable<string>) {
    const text = rest + chunk;
    const end = text.lastIndexOf('\n');
    rest = text.slice(end + 1);
    if (end >= 0) {
      yield* text.slice(0, end).split('\n');
    }
  }
}

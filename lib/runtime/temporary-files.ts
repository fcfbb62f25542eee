/** Files for the length of one run, in the machine's temporary directory. */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

export interface TemporaryFile {
  /** Opens it anew and empty. */
  readonly openToWrite: () => Writable;
  readonly openToRead: () => Readable;
}

/** A directory of one run. */
export interface TemporaryFiles {
  /** @param name letters, digits, points and dashes. */
  readonly file: (name: string) => TemporaryFile;
  /** Ends whatever is still open, too. */
  readonly remove: () => Promise<void>;
}

export type OpenTemporaryFiles = () => Promise<TemporaryFiles>;

/** No run of Lambda takes so long: what is older was left by one that was killed. */
const LEFT_BEHIND_MS = 3_600_000;

/** Only the owner of the process reads them: they say who paid what. */
const PRIVATE_FILE = 0o600;

/**
 * Makes a directory for a run, and removes those that killed runs left: Lambda may go on with the
 * same disk.
 */
export async function openTemporaryFiles(): Promise<TemporaryFiles> {
  const root = join(tmpdir(), 'wechatpay-serverless');
  await mkdir(root, { recursive: true, mode: 0o700 });
  const directory = await mkdtemp(join(root, 'run-'));
  // By the disk's own clock: a process may have its clock elsewhere, and others' files are not old by that.
  const { mtimeMs } = await stat(directory);
  await removeLeftBehind(root, mtimeMs);
  const open = new Set<Readable | Writable>();
  const keep = <Stream extends Readable | Writable>(stream: Stream): Stream => {
    open.add(stream);
    stream.once('close', () => open.delete(stream));
    return stream;
  };
  return {
    file: (name) => ({
      openToWrite: () => keep(createWriteStream(join(directory, name), { mode: PRIVATE_FILE })),
      openToRead: () => keep(createReadStream(join(directory, name))),
    }),
    async remove() {
      // A file that is just being opened would come into being beside its removal.
      await Promise.all([...open].map(close));
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const close = (stream: Readable | Writable) =>
  new Promise<void>((resolve) => {
    stream.once('close', resolve).on('error', () => undefined);
    stream.destroy();
  });

async function removeLeftBehind(root: string, nowMs: number): Promise<void> {
  for (const name of await readdir(root)) {
    const path = join(root, name);
    const found = await stat(path).catch(() => undefined);
    if (found && nowMs - found.mtimeMs > LEFT_BEHIND_MS) {
      await rm(path, { recursive: true, force: true });
    }
  }
}

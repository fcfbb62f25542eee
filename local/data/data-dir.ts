/** The directory in which a stack keeps everything between starts. */
import {
  accessSync,
  constants,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { lockDataDir } from '../process/stack-lock.ts';
import { fileError, inWords, onFile } from '../file-error.ts';

const FILES = {
  merchant: 'merchant.json',
  wechatpayKeys: 'wechatpay-keys.json',
  secrets: 'secrets.json',
  table: 'dynamodb.sqlite',
  simulator: 'wechat.sqlite',
  events: 'events.sqlite',
  streamPosition: 'stream.json',
  failedRecords: 'failed-records.jsonl',
  clock: 'clock.json',
  functionLog: 'functions.log',
  simulatorLog: 'simulator.log',
} as const;
const LOCK_FILE = 'stack.lock';
/** SQLite keeps its journal beside the file, and a log the one of the start before. */
const COMPANIONS = ['', '-wal', '-shm', '-journal', '.1'];

export interface DataDir {
  readonly path: string;
  readonly files: Readonly<Record<keyof typeof FILES, string>>;
  /** Gives the lock back; a temporary directory is gone afterwards. */
  close(): void;
}

/**
 * Takes the directory for this process; undefined makes a temporary one. `fresh` removes what earlier
 * stacks wrote, and nothing else that somebody may have put there.
 */
export async function openDataDir(dataDir: string | undefined, fresh: boolean): Promise<DataDir> {
  const root = dataDir === undefined ? makeTemporaryDir('wechatpay-stack-') : path.resolve(dataDir);
  makeDirectory(root);
  onFile(root, () => accessSync(root, constants.R_OK | constants.W_OK | constants.X_OK));
  for (const name of [LOCK_FILE, ...Object.values(FILES)]) {
    assertUsableFiles(path.join(root, name));
  }
  const lockFile = path.join(root, LOCK_FILE);
  const release = await lockDataDir(dataDir ?? root, lockFile).catch((error: unknown) => {
    throw inWords(lockFile, error);
  });
  const files = Object.fromEntries(
    Object.entries(FILES).map(([key, name]) => [key, path.join(root, name)]),
  ) as Record<keyof typeof FILES, string>;
  if (fresh) {
    for (const file of Object.values(files)) {
      removeWithCompanions(file);
    }
  }
  return {
    path: root,
    files,
    close: () => {
      release();
      if (dataDir === undefined) {
        // Windows lets go of an ended program's files a little later.
        rmSync(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
      }
    },
  };
}

/** A new directory for temporary files, to be removed by the caller. */
export function makeTemporaryDir(prefix: string): string {
  try {
    return mkdtempSync(path.join(tmpdir(), prefix));
  } catch (error) {
    const reason = `no temporary directory can be made in ${tmpdir()}`;
    throw new Error(`${reason}: set TMPDIR to a directory that can be written`, { cause: error });
  }
}

/** Node's own `recursive` never returns where a file system can hold no such directory (/proc). */
function makeDirectory(directory: string): void {
  const isThere = (one: string) => statSync(one, { throwIfNoEntry: false })?.isDirectory() ?? false;
  const parent = path.dirname(directory);
  if (!isThere(parent) && parent !== directory) {
    makeDirectory(parent);
  }
  onFile(directory, () => {
    try {
      mkdirSync(directory);
    } catch (error) {
      if (!isThere(directory)) {
        throw isDangling(directory) ? fileError(directory, { code: 'ENOENT' }) : error;
      }
    }
  });
}

function isDangling(link: string): boolean {
  return lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

/** Found now, with the name of the file, and not later inside a part that says less. */
function assertUsableFiles(file: string): void {
  for (const one of COMPANIONS.map((suffix) => file + suffix)) {
    const about = onFile(one, () => statSync(one, { throwIfNoEntry: false }));
    if (about?.isDirectory()) {
      throw fileError(one, { code: 'EISDIR' });
    }
    if (about !== undefined) {
      onFile(one, () => accessSync(one, constants.R_OK | constants.W_OK));
    }
  }
}

function removeWithCompanions(file: string): void {
  for (const one of COMPANIONS.map((suffix) => file + suffix)) {
    onFile(one, () => rmSync(one, { force: true }));
  }
}

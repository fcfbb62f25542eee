/** The directory in which a stack keeps everything between starts. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { lockDataDir } from '../process/stack-lock.ts';

const FILES = {
  merchant: 'merchant.json',
  wechatpayKeys: 'wechatpay-keys.json',
  secrets: 'secrets.json',
  table: 'dynamodb.sqlite',
  simulator: 'wechat.sqlite',
  clock: 'clock.json',
  functionLog: 'functions.log',
  simulatorLog: 'simulator.log',
} as const;
const LOCK_FILE = 'stack.lock';

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
  const root =
    dataDir === undefined
      ? mkdtempSync(path.join(tmpdir(), 'wechatpay-stack-'))
      : path.resolve(dataDir);
  mkdirSync(root, { recursive: true });
  const release = await lockDataDir(dataDir ?? root, path.join(root, LOCK_FILE));
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

/** SQLite keeps its journal beside the file. */
function removeWithCompanions(file: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal', '.1']) {
    rmSync(file + suffix, { force: true });
  }
}

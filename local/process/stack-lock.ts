/** One stack per data directory: two would write to the same files. */
import { rmSync } from 'node:fs';
import { readJsonFile, writeJsonFile } from '../json-file.ts';
import { describeProcess } from './supervised-process.ts';

interface Lock {
  pid: number;
  process: string;
}

/** Thrown when another, living stack holds the directory. */
class StackRunningError extends Error {
  constructor(pid: number, dataDir: string) {
    super(
      `a stack is already running on ${dataDir} (pid ${pid}): end it first (Ctrl-C in its terminal, or kill ${pid})`,
    );
    this.name = 'StackRunningError';
  }
}

/** Takes the lock, also over from a stack that was killed. Returns how to give it back. */
export function lockDataDir(dataDir: string, file: string): () => void {
  const held = readJsonFile(file) as Partial<Lock> | undefined;
  if (held?.pid !== undefined && held.process === describeProcess(held.pid)) {
    throw new StackRunningError(held.pid, dataDir);
  }
  writeJsonFile(file, { pid: process.pid, process: describeProcess(process.pid) });
  const release = () => {
    process.off('exit', release);
    const now = readJsonFile(file) as Partial<Lock> | undefined;
    if (now?.pid === process.pid) {
      rmSync(file, { force: true });
    }
  };
  process.on('exit', release);
  return release;
}

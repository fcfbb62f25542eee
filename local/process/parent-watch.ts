/** Notices when `npm start` itself is killed with -9: npm cannot pass that on to what it runs. */
import { readFileSync } from 'node:fs';

const CHECK_EVERY_MS = 500;

/**
 * Calls `onGone` once npm is gone. Only under npm: a program started by hand may well outlive the
 * shell it came from.
 */
export function watchNpm(onGone: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) {
    return;
  }
  const parent = process.ppid;
  const grandparent = readParentPid(parent);
  const timer = setInterval(() => {
    // npm may run the script through a shell, which then is the parent and stays.
    if (process.ppid === parent && readParentPid(parent) === grandparent) {
      return;
    }
    clearInterval(timer);
    onGone();
  }, CHECK_EVERY_MS);
  timer.unref();
}

/** The parent of a process; undefined where there is no /proc to ask. */
function readParentPid(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
  } catch {
    return undefined;
  }
}

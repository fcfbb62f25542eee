/** Notices when `npm start` itself is killed with -9: npm cannot pass that on to what it runs. */
import { describeProcess, isAlive } from './running-process.ts';

const CHECK_EVERY_MS = 500;
/** `sh -c node …`, as npm runs a script where the shell does not make way for it. */
const SHELL_OF_NPM = /^(?:\S*\/)?(?:ba|da|z|k|a)?sh -c /;

/**
 * Calls `onGone` once npm is gone. Only under npm: a program started by hand may well outlive the
 * shell it came from, and so may npm itself.
 */
export function watchNpm(onGone: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) {
    return;
  }
  const parent = process.ppid;
  const npm = findNpm(parent);
  const timer = setInterval(() => {
    // A parent that ended is replaced by another at once; a shell between npm and this process stays.
    if (process.ppid === parent && (npm === parent || isAlive(npm))) {
      return;
    }
    clearInterval(timer);
    onGone();
  }, CHECK_EVERY_MS);
  timer.unref();
}

/** The parent, or the parent's parent when only a shell stands between. */
function findNpm(parent: number): number {
  const shell = describeProcess(parent);
  return shell !== undefined && SHELL_OF_NPM.test(shell.command) ? shell.parentPid : parent;
}

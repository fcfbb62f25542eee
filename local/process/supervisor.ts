/**
 * `node local/process/supervisor.ts <pidFile> <command> [argument…]` runs one program and ends it when
 * its own stdin closes. The parent holds the other end of that pipe, and the kernel closes it however
 * the parent dies, so that even `kill -9` of the stack leaves no program behind. The program's pid is
 * sent over the IPC channel, for a parent that survives this process.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

const GRACE_MS = 3000;
const WINDOWS = process.platform === 'win32';
const [pidFile = '', command = '', ...args] = process.argv.slice(2);

const child = spawn(command, args, {
  stdio: ['ignore', 'inherit', 'inherit'],
  // Its own process group, so that a program which starts others ends with all of them. On Windows
  // a program that is not detached ends with whoever started it, also by force.
  detached: !WINDOWS,
  windowsHide: true,
});
const childPid = `${child.pid}\n`;
if (pidFile !== '' && child.pid !== undefined) {
  writePidFile();
}
if (child.pid !== undefined && process.connected) {
  process.send?.({ pid: child.pid }, () => process.disconnect());
}

child.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(127);
});
child.on('exit', (code, signal) => {
  // What the program itself started may still run.
  signalChild('SIGKILL');
  removePidFile();
  process.exit(code ?? (signal === 'SIGTERM' ? 0 : 1));
});

/** To end here would leave the program alone; it says itself what it cannot do without. */
function writePidFile(): void {
  try {
    writeFileSync(pidFile, childPid);
  } catch (error) {
    process.stderr.write(`${String(error)}\n`);
  }
}

/** The next stack may have started its own engine by now: that one's file stays. */
function removePidFile(): void {
  if (pidFile === '' || !existsSync(pidFile)) {
    return;
  }
  if (readFileSync(pidFile, 'utf8') === childPid) {
    rmSync(pidFile, { force: true });
  }
}

function signalChild(signal: NodeJS.Signals): void {
  if (child.pid === undefined) {
    return;
  }
  try {
    if (WINDOWS) {
      child.kill(signal);
    } else {
      process.kill(-child.pid, signal);
    }
  } catch {
    // Already gone: its exit event follows.
  }
}

function endChild(): void {
  signalChild('SIGTERM');
  setTimeout(() => signalChild('SIGKILL'), GRACE_MS).unref();
}

process.stdin.on('end', endChild);
process.stdin.on('error', endChild);
process.stdin.resume();
// A terminal's Ctrl-C is the parent's business: it closes stdin when it is ready.
process.on('SIGINT', () => {});
process.on('SIGHUP', () => {});
process.on('SIGTERM', endChild);

/**
 * `node local/process/supervisor.ts <pidFile> <command> [argument…]` runs one program and ends it when its
 * own stdin closes. The parent holds the other end of that pipe, and the kernel closes it however
 * the parent dies, so that even `kill -9` of the stack leaves no program behind.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

const GRACE_MS = 3000;
const [pidFile = '', command = '', ...args] = process.argv.slice(2);

// Windows starts a script (npx.cmd) only through a shell, which splits at blanks.
const shell = process.platform === 'win32' && command.endsWith('.cmd');
// Its own process group, because `npx` is a tree of processes that must end as one.
const child = spawn(command, shell ? args.map((arg) => `"${arg}"`) : args, {
  stdio: ['ignore', 'inherit', 'inherit'],
  detached: true,
  shell,
});
const childPid = `${child.pid}\n`;
if (pidFile !== '' && child.pid !== undefined) {
  writePidFile();
}

child.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(127);
});
child.on('exit', (code, signal) => {
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
    process.kill(process.platform === 'win32' ? child.pid : -child.pid, signal);
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

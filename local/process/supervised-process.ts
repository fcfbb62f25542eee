/** Starts a program under `supervisor.ts`, so that it never outlives this process. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const SUPERVISOR = fileURLToPath(new URL('./supervisor.ts', import.meta.url));

export interface SupervisedProcess {
  /** Resolves when the program has ended, with its exit code. */
  readonly exited: Promise<number>;
  /** The end of what the program printed, for an error message. */
  output(): string;
  /** Ends the program and waits until it is gone. */
  stop(): Promise<void>;
}

/** Runs `command` until `stop()` or until this process ends, however it ends. */
export function startSupervised(
  command: string,
  args: readonly string[],
  options: { pidFile?: string } = {},
): SupervisedProcess {
  const child = spawn(process.execPath, [SUPERVISOR, options.pidFile ?? '', command, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // Its own process group: Ctrl-C must reach the stack first, not the engine under it.
    detached: true,
  });
  const output = keepOutput(child);
  // Writing nothing still reports a closed pipe as an error event; the exit code says the same.
  child.stdin?.on('error', () => {});
  const exited = new Promise<number>((resolve) => {
    child.on('error', () => resolve(127));
    child.on('exit', (code) => resolve(code ?? 1));
  });
  const stop = async () => {
    child.stdin?.end();
    await exited;
  };
  return { exited, output, stop };
}

/** Collects the last lines of a child's stdout and stderr. */
function keepOutput(child: ChildProcess): () => string {
  let text = '';
  const keep = (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-2000);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  return () => text.trim();
}

/**
 * Ends a program that an earlier, killed stack left behind, and waits until it is gone. `marker`
 * must be in its command line: the pid may belong to somebody else by now.
 */
export async function endLeftover(pidFile: string, marker: string): Promise<void> {
  const pid = readPid(pidFile);
  if (pid === undefined) {
    return;
  }
  while (readCommandLine(pid).includes(marker)) {
    killQuietly(pid);
    await delay(20);
  }
  rmSync(pidFile, { force: true });
}

/** The pid in a pid file, or undefined without a file or a number in it. */
function readPid(pidFile: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(pidFile, 'utf8'), 10);
    return pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** A running process's command line, or '' when there is none. */
function readCommandLine(pid: number): string {
  if (process.platform === 'linux') {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    } catch {
      return '';
    }
  }
  return (
    spawnSync('ps', ['-p', String(pid), '-o', 'lstart=,command='], { encoding: 'utf8' }).stdout ??
    ''
  );
}

/** Tells a process from a later one with the same pid: its start time and command; '' without one. */
export function describeProcess(pid: number): string {
  const command = readCommandLine(pid);
  if (process.platform !== 'linux' || command === '') {
    return command;
  }
  try {
    // Field 22, counted after the command's name, which may hold spaces and parentheses.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const startTicks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
    return `${startTicks} ${command}`;
  } catch {
    return '';
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended between the look and the signal.
  }
}

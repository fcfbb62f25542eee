/** Starts a program under `supervisor.ts`, so that it never outlives this process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describeProcess } from './running-process.ts';

const LEFTOVER_LIMIT_MS = 5000;
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
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
    // Its own process group: Ctrl-C must reach the stack first, not the engine under it.
    detached: true,
    windowsHide: true,
  });
  let programPid: number | undefined;
  child.on('message', (message: { pid: number }) => {
    programPid = message.pid;
  });
  const output = keepOutput(child);
  // Writing nothing still reports a closed pipe as an error event; the exit code says the same.
  child.stdin?.on('error', () => {});
  const exited = new Promise<number>((resolve) => {
    child.on('error', () => resolve(127));
    child.on('exit', (code, signal) => {
      if (signal !== null && programPid !== undefined) {
        killQuietly(programPid);
      }
      resolve(code ?? 1);
    });
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
 * must be in its command line: the pid may belong to somebody else by now. On Windows no program
 * outlives its supervisor.
 *
 * @throws {Error} when it cannot be ended.
 */
export async function endLeftover(pidFile: string, marker: string): Promise<void> {
  const pid = readPid(pidFile);
  if (pid === undefined) {
    return;
  }
  const pattern = toPattern(marker);
  const deadline = performance.now() + LEFTOVER_LIMIT_MS;
  while (pattern.test(describeProcess(pid)?.command ?? '')) {
    if (performance.now() > deadline) {
      throw new Error(`a program of an earlier start still runs and cannot be ended (pid ${pid})`);
    }
    killQuietly(pid);
    await delay(20);
  }
  rmSync(pidFile, { force: true });
}

/** `ps` may write escapes of its own for what is not ASCII, so there anything fits. */
function toPattern(marker: string): RegExp {
  return new RegExp(
    marker
      .split(/[^\x20-\x7e]+/)
      .map((part) => RegExp.escape(part))
      .join('.+'),
    's',
  );
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

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended between the look and the signal.
  }
}

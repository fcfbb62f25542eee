/**
 * One stack per data directory: two would write to the same files. The holder listens on a port of
 * its own and answers with the lock's token. The kernel closes that port with the process, however it
 * ends, so a lock can be told from one left behind without asking what a pid means by now.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { endProcess } from '../shell.ts';
import { isAlive } from './running-process.ts';

const ANSWER_LIMIT_MS = 3000;
/** Between the creation of a lock and its content. */
const WRITING_MS = 100;
const ATTEMPTS = 5;

interface Lock {
  pid: number;
  port: number;
  token: string;
}

/** Thrown when another, living stack holds the directory. */
class StackRunningError extends Error {
  constructor(pid: number, dataDir: string) {
    super(
      `a stack is already running on ${dataDir} (pid ${pid}): end it first (Ctrl-C in its terminal, or ${endProcess(pid)})`,
    );
    this.name = 'StackRunningError';
  }
}

/**
 * Takes the lock, also over from a stack that was killed. Returns how to give it back.
 *
 * @throws {StackRunningError} when a living stack holds it.
 */
export async function lockDataDir(dataDir: string, file: string): Promise<() => void> {
  const token = randomUUID();
  const beacon = await startBeacon(token);
  try {
    await take(dataDir, file, { pid: process.pid, port: beacon.port, token });
  } catch (error) {
    beacon.stop();
    throw error;
  }
  const release = () => {
    process.off('exit', release);
    beacon.stop();
    if (parseLock(readLock(file))?.token === token) {
      rmSync(file, { force: true });
    }
  };
  process.on('exit', release);
  return release;
}

async function take(dataDir: string, file: string, lock: Lock): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    try {
      writeFileSync(file, `${JSON.stringify(lock)}\n`, { flag: 'wx', mode: 0o600 });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
        throw error;
      }
    }
    const text = readLock(file);
    const held = parseLock(text);
    if (held === undefined) {
      await delay(WRITING_MS);
    } else if (await isHeld(held)) {
      throw new StackRunningError(held.pid, dataDir);
    }
    // Another start may have taken it over meanwhile.
    if (readLock(file) === text) {
      rmSync(file, { force: true });
    }
  }
  throw new Error(`${file} cannot be taken: other stacks start on ${dataDir} at the same time`);
}

function readLock(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function parseLock(text: string): Lock | undefined {
  try {
    const { pid, port, token } = JSON.parse(text) as Partial<Lock>;
    return pid === undefined || port === undefined || token === undefined
      ? undefined
      : { pid, port, token };
  } catch {
    return undefined;
  }
}

/** Says the token to whoever connects. It does not keep the process alive. */
async function startBeacon(token: string): Promise<{ port: number; stop: () => void }> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end(token);
  });
  server.unref();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return { port: (server.address() as AddressInfo).port, stop: () => server.close() };
}

/** A holder that is stopped (in a debugger, by Ctrl-Z) is connected to and does not answer. */
async function isHeld({ pid, port, token }: Lock): Promise<boolean> {
  const answer = await new Promise<string | undefined>((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('close', () => resolve(text));
    socket.on('error', () => {});
    socket.on('connect', () => {
      setTimeout(() => {
        resolve(undefined);
        socket.destroy();
      }, ANSWER_LIMIT_MS).unref();
    });
  });
  return answer === token || (answer === undefined && isAlive(pid));
}

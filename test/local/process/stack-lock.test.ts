import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { lockDataDir } from '../../../local/process/stack-lock.ts';
import { fakePlatform, restorePlatform } from '../../support/platform.ts';

const LOCK = new URL('../../../local/process/stack-lock.ts', import.meta.url).href;

let directory: string;
let file: string;
const releases: (() => void)[] = [];

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'lock-'));
  file = path.join(directory, 'stack.lock');
});
afterEach(() => {
  for (const release of releases.splice(0)) {
    release();
  }
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true });
});

const lock = async () => {
  const release = await lockDataDir(directory, file);
  releases.push(release);
  return release;
};

const readHolder = () => (JSON.parse(readFileSync(file, 'utf8')) as { pid: number }).pid;

/** Another process that holds the lock. */
const startHolder = async () => {
  const code = `
    const { lockDataDir } = await import(${JSON.stringify(LOCK)});
    await lockDataDir(${JSON.stringify(directory)}, ${JSON.stringify(file)});
    console.log('held');
    setInterval(() => {}, 1000);
  `;
  const holder = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  return holder;
};

describe('the lock of a data directory', () => {
  it('is refused while its holder lives, and free once it gives it back', async () => {
    const release = await lock();
    await expect(lock()).rejects.toThrow(`already running on ${directory} (pid ${process.pid})`);
    release();
    expect(existsSync(file)).toBe(false);
    await lock();
    expect(readHolder()).toBe(process.pid);
  });

  it.each(['linux', 'darwin', 'win32'])(
    'of another process holds on %s without ps, and ends with it, also by kill -9',
    async (platform) => {
      const holder = await startHolder();
      vi.stubEnv('PATH', directory);
      fakePlatform(platform);
      try {
        await expect(lock()).rejects.toThrow(`(pid ${holder.pid})`);
        holder.kill('SIGKILL');
        await once(holder, 'exit');
        await lock();
        expect(readHolder()).toBe(process.pid);
      } finally {
        restorePlatform();
      }
    },
  );

  it('says how to end the holder in the words of the platform', async () => {
    await lock();
    fakePlatform('win32');
    try {
      await expect(lock()).rejects.toThrow(`taskkill /T /F /PID ${process.pid}`);
    } finally {
      restorePlatform();
    }
  });

  it('is taken over when the pid means somebody else by now', async () => {
    const other = createServer((socket) => socket.end('something else'));
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    writeFileSync(file, JSON.stringify({ pid: process.pid, port, token: 'of a killed stack' }));
    await lock();
    expect(readFileSync(file, 'utf8')).not.toContain('of a killed stack');
    other.close();
  });

  it('is held by a process that is stopped and cannot answer', async () => {
    const holder = await startHolder();
    holder.kill('SIGSTOP');
    await expect(lock()).rejects.toThrow(`(pid ${holder.pid})`);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
  });

  it.each(['', '{"pid":1', '{"pid":1,"process":"of an earlier version"}'])(
    'is taken over when it says nothing usable (%s)',
    async (text) => {
      writeFileSync(file, text);
      await lock();
      expect(readHolder()).toBe(process.pid);
    },
  );

  it('is taken by one of many that start at once over a killed one', async () => {
    const holder = await startHolder();
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, lock));

    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('is not taken away from the next holder', async () => {
    const release = await lock();
    rmSync(file);
    await lock();
    const held = readFileSync(file, 'utf8');
    release();
    expect(readFileSync(file, 'utf8')).toBe(held);
  });
});

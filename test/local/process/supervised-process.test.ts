import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { describeProcess, isAlive } from '../../../local/process/running-process.ts';
import {
  endLeftover,
  type SupervisedProcess,
  startSupervised,
} from '../../../local/process/supervised-process.ts';
import { fakePlatform, PROCESS_PLATFORMS, restorePlatform } from '../../support/platform.ts';

let directory: string;
let pidFile: string;
const started: SupervisedProcess[] = [];

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), '中文 supervised-'));
  pidFile = path.join(directory, 'program.pid');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const one of started.splice(0)) {
    await one.stop();
  }
  rmSync(directory, { recursive: true });
});

const waitUntil = async (what: string, look: () => boolean) => {
  for (let attempt = 0; attempt < 500 && !look(); attempt += 1) {
    await delay(20);
  }
  expect(look(), what).toBe(true);
};
const readPid = (file: string) => {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return 0;
  }
};

/** A program that waits, with the directory in its command line. */
const WAIT = 'setInterval(() => {}, 1000)';
const startProgram = async (code = WAIT) => {
  const program = startSupervised(process.execPath, ['--eval', code, directory], { pidFile });
  started.push(program);
  await waitUntil('a pid', () => readPid(pidFile) > 0);
  return { program, pid: readPid(pidFile) };
};

describe('a supervised program', () => {
  it('ends with stop(), and its pid file goes', async () => {
    const { program, pid } = await startProgram();
    await program.stop();
    expect(isAlive(pid)).toBe(false);
    expect(readPid(pidFile)).toBe(0);
  });

  it('ends when its supervisor is killed, and the parent learns of it', async () => {
    const { program, pid } = await startProgram();
    const supervisor = describeProcess(pid)?.parentPid ?? 0;
    expect(supervisor).toBeGreaterThan(1);
    process.kill(supervisor, 'SIGKILL');
    await program.exited;
    await waitUntil('the end of the program', () => !isAlive(pid));
  });

  it('takes with it what it started itself', async () => {
    const childFile = path.join(directory, 'child.pid');
    const code = `
      const { spawn } = require('node:child_process');
      const child = spawn(process.execPath, ['--eval', ${JSON.stringify(WAIT)}], { stdio: 'ignore' });
      require('node:fs').writeFileSync(${JSON.stringify(childFile)}, String(child.pid));
      ${WAIT}
    `;
    const { pid } = await startProgram(code);
    await waitUntil('a child', () => readPid(childFile) > 0);
    process.kill(pid, 'SIGKILL');
    await waitUntil('the end of its child', () => !isAlive(readPid(childFile)));
    expect(readPid(pidFile)).toBe(0);
  });
});

describe('a program that an earlier start left behind', () => {
  const leave = async () => {
    const child = spawn(process.execPath, ['--eval', WAIT, directory], {
      stdio: 'ignore',
      detached: true,
    });
    await once(child, 'spawn');
    writeFileSync(pidFile, `${child.pid}\n`);
    return child;
  };

  it.each(PROCESS_PLATFORMS)('is ended on %s', async (platform) => {
    const child = await leave();
    const gone = once(child, 'exit');
    fakePlatform(platform);
    try {
      await endLeftover(pidFile, directory);
    } finally {
      restorePlatform();
    }
    await gone;
    expect(readPid(pidFile)).toBe(0);
  });

  it.runIf(PROCESS_PLATFORMS.includes('darwin'))('is ended where PATH lacks ps', async () => {
    const child = await leave();
    const gone = once(child, 'exit');
    vi.stubEnv('PATH', directory);
    fakePlatform('darwin');
    try {
      await endLeftover(pidFile, directory);
    } finally {
      restorePlatform();
    }
    await gone;
    expect(readPid(pidFile)).toBe(0);
  });

  it('is ended where ps writes what is not ASCII in escapes of its own', async () => {
    const child = await leave();
    const gone = once(child, 'exit');
    const escaped = directory.replaceAll('中文', String.raw`\M-d\M-8\M--`);
    const ps = `#!/bin/sh\nkill -0 "$3" && echo '1 program ${escaped}'\n`;
    writeFileSync(path.join(directory, 'ps'), ps, { mode: 0o755 });
    vi.stubEnv('PATH', directory);
    fakePlatform('darwin');
    try {
      expect(describeProcess(child.pid ?? 0)?.command).toContain('M-d');
      await endLeftover(pidFile, directory);
    } finally {
      restorePlatform();
    }
    await gone;
    expect(readPid(pidFile)).toBe(0);
  });

  it('is left alone when its pid is somebody else by now', async () => {
    const child = await leave();
    await endLeftover(pidFile, path.join(directory, 'another.db'));
    expect(isAlive(child.pid ?? 0)).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
});

describe('what is known of a process', () => {
  it.each(PROCESS_PLATFORMS)('on %s is its parent and its whole command', (platform) => {
    fakePlatform(platform);
    try {
      expect(describeProcess(process.pid)).toMatchObject({
        parentPid: process.ppid,
        command: expect.stringContaining('vitest'),
      });
      expect(describeProcess(2 ** 22 + 1)).toBeUndefined();
    } finally {
      restorePlatform();
    }
  });

  it('asks ps in a language and time zone of its own', () => {
    writeFileSync(path.join(directory, 'ps'), '#!/bin/sh\necho "7 $LC_ALL $TZ"\n', { mode: 0o755 });
    vi.stubEnv('PATH', directory);
    fakePlatform('darwin');
    try {
      expect(describeProcess(1)).toEqual({ parentPid: 7, command: 'C UTC' });
    } finally {
      restorePlatform();
    }
  });

  it('is nothing on Windows, where no program outlives its supervisor', () => {
    fakePlatform('win32');
    try {
      expect(describeProcess(process.pid)).toBeUndefined();
    } finally {
      restorePlatform();
    }
  });
});

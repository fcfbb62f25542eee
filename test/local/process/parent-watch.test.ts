import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isAlive } from '../../../local/process/running-process.ts';
import { PROCESS_PLATFORMS } from '../../support/platform.ts';

const WATCH = new URL('../../../local/process/parent-watch.ts', import.meta.url).href;
/** Longer than one look of the watch. */
const LOOKS_MS = 1200;

let directory: string;
let chain: ChildProcess | undefined;

const file = (name: string) => path.join(directory, name);
const readPid = (name: string) => Number(readFileSync(file(name), 'utf8'));
const waitUntil = async (what: string, look: () => boolean) => {
  for (let attempt = 0; attempt < 500 && !look(); attempt += 1) {
    await delay(20);
  }
  expect(look(), what).toBe(true);
};

/** Watches npm as the stack does; `platform` is the one it takes itself to be on. */
const writeProgram = (platform: string) =>
  writeFileSync(
    file('program.mjs'),
    `import { writeFileSync } from 'node:fs';
    Object.defineProperty(process, 'platform', { value: ${JSON.stringify(platform)} });
    const { watchNpm } = await import(${JSON.stringify(WATCH)});
    watchNpm(() => { writeFileSync(${JSON.stringify(file('gone'))}, ''); process.exit(0); });
    writeFileSync(${JSON.stringify(file('program.pid'))}, String(process.pid));
    setInterval(() => {}, 1000);`,
  );

/** A terminal's shell, npm in its background, and the program under npm: directly, or in a shell. */
const startChain = async (platform: string, between: 'nothing' | 'sh') => {
  writeProgram(platform);
  const run =
    between === 'nothing'
      ? `spawn(process.execPath, [program], options)`
      : `spawn('sh', ['-c', '"' + process.execPath + '" "' + program + '"; true'], options)`;
  writeFileSync(
    file('npm.cjs'),
    `const { spawn } = require('node:child_process');
    const program = ${JSON.stringify(file('program.mjs'))};
    const options = { stdio: 'ignore' };
    require('node:fs').writeFileSync(${JSON.stringify(file('npm.pid'))}, String(process.pid));
    ${run};
    setInterval(() => {}, 1000);`,
  );
  chain = spawn('sh', ['-c', `"${process.execPath}" "${file('npm.cjs')}" & wait`], {
    stdio: 'ignore',
    env: { ...process.env, npm_lifecycle_event: 'start' },
  });
  await waitUntil('a program', () => existsSync(file('program.pid')));
  // It writes its pid after it looked who its parents are.
  await delay(50);
};

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'watch-'));
});
afterEach(() => {
  chain?.kill('SIGKILL');
  for (const name of ['npm.pid', 'program.pid']) {
    if (existsSync(file(name)) && isAlive(readPid(name))) {
      process.kill(readPid(name), 'SIGKILL');
    }
  }
  rmSync(directory, { recursive: true });
});

describe.each(PROCESS_PLATFORMS)('a stack under npm on %s', (platform) => {
  it.each(['nothing', 'sh'] as const)(
    'goes on when the shell of npm start & is closed, with %s between npm and it',
    async (between) => {
      await startChain(platform, between);
      const closed = once(chain ?? process, 'exit');
      chain?.kill('SIGKILL');
      await closed;
      await delay(LOOKS_MS);
      expect(existsSync(file('gone'))).toBe(false);
      expect(isAlive(readPid('program.pid'))).toBe(true);
    },
  );

  it.each(['nothing', 'sh'] as const)(
    'ends when npm is killed, with %s between npm and it',
    async (between) => {
      await startChain(platform, between);
      process.kill(readPid('npm.pid'), 'SIGKILL');
      await waitUntil('the end', () => existsSync(file('gone')));
      expect(isAlive(readPid('npm.pid'))).toBe(false);
    },
  );
});

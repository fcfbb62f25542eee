import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startSimulator } from '../../../local/process/simulator-process.ts';
import { fakePlatform, restorePlatform } from '../../support/platform.ts';

/** Says how it was ended: by the end of its stdin after it finished something, or by a signal. */
const PROGRAM = `
import { writeFileSync } from 'node:fs';
const end = (how) => { writeFileSync(process.env.SIMULATOR_DB, how); process.exit(0); };
process.on('SIGTERM', () => end('signal'));
process.stdin.on('end', () => setTimeout(end, 200, 'stdin')).resume();
console.log(JSON.stringify({ event: 'ready', url: 'http://a', backupUrl: 'http://b', seed: 's' }));
`;

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'simulator-'));
  writeFileSync(path.join(directory, 'simulator.mjs'), PROGRAM);
});
afterEach(() => {
  restorePlatform();
  rmSync(directory, { recursive: true });
});

const start = () =>
  startSimulator({
    entry: path.join(directory, 'simulator.mjs'),
    port: 0,
    merchantFile: '',
    dbPath: path.join(directory, 'end'),
    apiUrl: '',
  });

describe('the end of the simulator', () => {
  it.each([
    ['linux', 'signal'],
    ['win32', 'stdin'],
  ])('lets it finish on %s, by %s', async (platform, how) => {
    fakePlatform(platform);
    const simulator = await start();
    expect(existsSync(path.join(directory, 'end'))).toBe(false);
    await simulator.stop();
    expect(readFileSync(path.join(directory, 'end'), 'utf8')).toBe(how);
  });
});

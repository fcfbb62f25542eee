import { mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readJsonFile, writeJsonFile } from '../../local/json-file.ts';
import { fakePlatform, restorePlatform } from '../support/platform.ts';

vi.mock('node:fs', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:fs')>();
  return { ...original, renameSync: vi.fn<typeof original.renameSync>(original.renameSync) };
});

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'json-'));
  file = path.join(directory, 'clock.json');
  writeJsonFile(file, { offsetSeconds: 1 });
});
afterEach(() => {
  restorePlatform();
  vi.mocked(renameSync).mockReset();
  rmSync(directory, { recursive: true });
});

/** As Windows answers while another program has the file open. */
const holdFile = (times: number) => {
  for (let time = 0; time < times; time += 1) {
    vi.mocked(renameSync).mockImplementationOnce(() => {
      throw Object.assign(new Error('EPERM: rename'), { code: 'EPERM', syscall: 'rename' });
    });
  }
};

describe('a JSON file that somebody reads', () => {
  it('is replaced on Windows as soon as it is let go', () => {
    fakePlatform('win32');
    holdFile(3);
    writeJsonFile(file, { offsetSeconds: 2 });
    expect(readJsonFile(file)).toEqual({ offsetSeconds: 2 });
    expect(readdirSync(directory)).toEqual(['clock.json']);
  });

  it('is said to be held when that never happens, and keeps its content', () => {
    fakePlatform('win32');
    holdFile(20);
    expect(() => writeJsonFile(file, { offsetSeconds: 2 })).toThrow(`${file} cannot be used`);
    expect(readJsonFile(file)).toEqual({ offsetSeconds: 1 });
  });

  it('is not waited for elsewhere, where the refusal means something else', () => {
    fakePlatform('linux');
    holdFile(1);
    expect(() => writeJsonFile(file, { offsetSeconds: 2 })).toThrow(`${file} cannot be used`);
  });
});

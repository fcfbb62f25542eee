import { execFileSync } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { curl, describeFirstSteps, endProcess, setVariable } from '../../local/shell.ts';
import { fakePlatform, restorePlatform } from '../support/platform.ts';

const URLS = { apiUrl: 'http://127.0.0.1:3000', simulatorUrl: 'http://127.0.0.1:3900' };

afterEach(restorePlatform);

describe('what a developer is told to type', () => {
  it('is sh on macOS', () => {
    fakePlatform('darwin');
    expect([setVariable('PORT', 3001), endProcess(7), curl()]).toEqual([
      'PORT=3001',
      'kill 7',
      'curl',
    ]);
    const steps = describeFirstSteps(URLS);
    expect(() => execFileSync('sh', ['-n', '-c', steps.replaceAll(/<\w+>/g, 'x')])).not.toThrow();
  });

  it('is PowerShell on Windows, without what its version 5.1 takes differently', () => {
    fakePlatform('win32');
    expect([setVariable('PORT', 3001), endProcess(7), curl()]).toEqual([
      '$env:PORT = 3001',
      'taskkill /T /F /PID 7',
      'curl.exe',
    ]);
    const steps = describeFirstSteps(URLS);
    expect(steps).not.toMatch(/\bcurl\b|\\$|&&|"\w+" *:[^']*$/m);
    expect(steps.split('\n').every((line) => /^ {2}(?:irm http|\$headers = )/.test(line))).toBe(
      true,
    );
  });

  it('makes the same calls in both', () => {
    const urls = (platform: string) => {
      fakePlatform(platform);
      return describeFirstSteps(URLS).match(/http:[^\s']+/g);
    };
    expect(urls('win32')).toEqual(urls('linux'));
  });
});

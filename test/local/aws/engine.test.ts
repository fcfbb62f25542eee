import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINE_PACKAGES, findEngine } from '../../../local/aws/engine.ts';
import { readProjectFile } from '../../repo/project.ts';

interface LockEntry {
  version?: string;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
}

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), '引擎 engine-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const on = (platform: string, arch: string) =>
  findEngine({ platform, arch, resolve: createRequire(path.join(directory, 'a.js')).resolve });

describe('the engine of a machine', () => {
  it.each([
    ['darwin', 'arm64', 'dynoxide'],
    ['darwin', 'x64', 'dynoxide'],
    ['linux', 'arm64', 'dynoxide'],
    ['linux', 'x64', 'dynoxide'],
    ['win32', 'x64', 'dynoxide.exe'],
  ])('on %s %s is the program of its package', (platform, arch, program) => {
    const installed = path.join(directory, 'node_modules/@dynoxide', `${platform}-${arch}`);
    mkdirSync(installed, { recursive: true });
    writeFileSync(path.join(installed, 'package.json'), '{}');

    expect(on(platform, arch)).toBe(path.join(installed, program));
  });

  it('is named, with how to get it, when npm did not install it', () => {
    expect(() => on('darwin', 'arm64')).toThrow(
      /^the DynamoDB engine @dynoxide\/darwin-arm64 is not installed: run npm ci again .*DYNAMODB_ENDPOINT='http:\/\/127\.0\.0\.1:8000'$/s,
    );
  });

  it('is one of your own where none is published', () => {
    expect(() => on('win32', 'arm64')).toThrow(
      /^there is no DynamoDB engine for win32-arm64 \(there is for darwin-arm64, .*DYNAMODB_ENDPOINT=/s,
    );
  });
});

describe('npm ci', () => {
  const manifest = JSON.parse(readProjectFile('package.json')) as {
    optionalDependencies: Record<string, string>;
  };
  const { packages } = JSON.parse(readProjectFile('package-lock.json')) as {
    packages: Record<string, LockEntry>;
  };

  it('knows every package of the engine, all in one version', () => {
    const names = [...ENGINE_PACKAGES.values()];

    expect(Object.keys(manifest.optionalDependencies).toSorted()).toEqual(names.toSorted());
    expect(new Set(Object.values(manifest.optionalDependencies)).size).toBe(1);
  });

  it.each([...ENGINE_PACKAGES])(
    'installs the one for %s there, and nowhere else',
    (machine, name) => {
      const [platform, arch] = machine.split('-');

      expect(packages[`node_modules/${name}`]).toMatchObject({
        version: manifest.optionalDependencies[name],
        optional: true,
        os: [platform],
        cpu: [arch],
      });
    },
  );
});

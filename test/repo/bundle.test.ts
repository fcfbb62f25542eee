import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Metafile } from 'esbuild';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Bundle,
  bundleFunctions,
  findForbiddenInputs,
  formatTable,
} from '../../build/bundle.ts';
import { projectDirectory } from './project.ts';

const directory = mkdtempSync(join(tmpdir(), 'bundle-'));
let bundles: Bundle[];

beforeAll(async () => {
  bundles = await bundleFunctions(join(directory, 'first'));
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

const inputsOf = ({ metafile }: Bundle) => Object.keys(metafile.inputs);

describe('every bundle', () => {
  test('has the same bytes from another directory and in another time zone', async () => {
    const second = join(directory, 'second');
    await promisify(execFile)(
      process.execPath,
      [join(projectDirectory, 'build/bundle.ts'), second],
      { cwd: directory, env: { PATH: process.env['PATH'], TZ: 'America/Los_Angeles' } },
    );

    for (const { name, path } of bundles) {
      expect(readFileSync(join(second, `${name}.zip`)).equals(readFileSync(path)), name).toBe(true);
    }
  });

  test('holds index.mjs alone, readable by everyone, below 205 kB', () => {
    for (const { name, path, zipBytes } of bundles) {
      const zip = readFileSync(path);
      expect(Object.keys(unzipSync(zip)), name).toEqual(['index.mjs']);
      // External attributes of the only entry of the central directory: a file with mode 644.
      const centralDirectory = zip.indexOf(Buffer.from('PK\u0001\u0002', 'latin1'));
      expect((zip.readUInt32LE(centralDirectory + 38) >>> 16).toString(8)).toBe('100644');
      // For the start of `bill` nobody waits: it reads a bill and has all that the others have besides.
      const most = name === 'bill' ? 210_000 : 205_000;
      expect(zipBytes, formatTable(bundles)).toBeLessThan(most);
    }
  });

  test('is made of our production code and production dependencies', () => {
    const ours = new Set(
      bundles.flatMap(inputsOf).filter((path) => !path.includes('node_modules')),
    );
    const strangers = [...ours].filter((path) => !/^(functions|lib)\//.test(path));

    expect(strangers.filter((path) => path !== 'build/credential-provider.ts')).toEqual([]);
  });

  test('leaves out the credential chain and the C runtime of AWS', () => {
    const packages = bundles.flatMap(inputsOf).filter((path) => path.includes('node_modules'));
    const unwanted =
      /aws-crt|undici|credential-provider-(node|ini|sso|imds|process|http)|client-sso/;

    expect(packages.filter((path) => unwanted.test(path))).toEqual([]);
  });

  test('starts without undici, which costs about 45 ms', async () => {
    for (const { name, path } of bundles) {
      const code = join(directory, `${name}.mjs`);
      writeFileSync(code, unzipSync(readFileSync(path))['index.mjs'] ?? '');
      const script = `
        await import('${code}');
        console.log('undici:' + process.moduleLoadList.some((name) => name.includes('undici')));
      `;
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['--input-type=module', '--eval', script],
        { env: {}, timeout: 10_000 },
      );

      expect(stdout, name).toContain('undici:false');
    }
  });
});

describe('a bundle is refused', () => {
  const metafileOf = (path: string, imported?: string): Metafile => ({
    inputs: {
      [path]: {
        bytes: 1,
        imports: imported === undefined ? [] : [{ path: imported, kind: 'import-statement' }],
      },
    },
    outputs: {},
  });
  const lockFile = {
    packages: {
      'node_modules/@aws-sdk/client-dynamodb': {},
      'node_modules/vitest': { dev: true },
      'node_modules/a/node_modules/@b/c': { dev: true },
    },
  };

  test.each([
    ['simulator/book/book.ts', 'simulator/book/book.ts is not production code'],
    ['local/aws/api-server.ts', 'local/aws/api-server.ts is not production code'],
    ['test/repo/project.ts', 'test/repo/project.ts is not production code'],
    ['build/bundle.ts', 'build/bundle.ts is not production code'],
    [
      'node_modules/vitest/dist/index.js',
      'node_modules/vitest/dist/index.js is from a development dependency',
    ],
    [
      'node_modules/a/node_modules/@b/c/index.js',
      'node_modules/a/node_modules/@b/c/index.js is from a development dependency',
    ],
  ])('for holding %s', (path, problem) => {
    expect(findForbiddenInputs(metafileOf(path), lockFile)).toEqual([problem]);
  });

  test.each(['node:http', 'http', 'undici'])('for importing %s in our code', (imported) => {
    expect(findForbiddenInputs(metafileOf('lib/http/handler.ts', imported), lockFile)).toEqual([
      `lib/http/handler.ts imports ${imported}, which loads undici`,
    ]);
  });

  test('for nothing else', () => {
    for (const path of [
      'functions/notify.ts',
      'lib/runtime/config.ts',
      'build/credential-provider.ts',
      'node_modules/@aws-sdk/client-dynamodb/dist-es/index.js',
    ]) {
      expect(findForbiddenInputs(metafileOf(path, 'node:https'), lockFile)).toEqual([]);
    }
  });
});

import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { listProjectFiles, projectDirectory, readProjectFile } from './project.ts';

/** A promise of a boolean, also as one part of a union; not a promise of an object that has one. */
const PROMISED_BOOLEAN =
  /Promise(?:Like)?<(?:[^<>{}()]*\|)?\s*(?:boolean|true|false)\s*(?:\|[^<>{}()]*)?>/;

describe('asynchronous functions of production code', () => {
  // `if (!verify(x))` with a forgotten `await` passes every forged message.
  test('name no promise of a boolean', () => {
    const files = listProjectFiles('lib/**/*.ts', 'functions/*.ts');

    expect(files).toContain('lib/runtime/config.ts');
    expect(files.filter((path) => PROMISED_BOOLEAN.test(readProjectFile(path)))).toEqual([]);
  });

  test('return no boolean where the type is inferred', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'declarations-'));
    try {
      await promisify(execFile)(
        process.execPath,
        [
          join(projectDirectory, 'node_modules/typescript/bin/tsc'),
          '--project',
          'tsconfig.production.json',
          '--outDir',
          directory,
          '--declaration',
          '--emitDeclarationOnly',
          '--noEmit',
          'false',
          '--composite',
          'false',
        ],
        { cwd: projectDirectory },
      );
      const declarations = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter(
        (path) => path.endsWith('.d.ts'),
      );

      expect(declarations).toContain(join('lib', 'runtime', 'config.d.ts'));
      expect(
        declarations.filter((path) =>
          PROMISED_BOOLEAN.test(readFileSync(join(directory, path), 'utf8')),
        ),
      ).toEqual([]);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  test.each([
    ['Promise<boolean>', true],
    ['Promise<Order | false>', true],
    ['Promise<true | undefined>', true],
    ['Promise<Order>', false],
    ['Promise<{ open: boolean }>', false],
    ['Promise<Map<string, boolean>>', false],
  ])('%s: promised boolean is %s', (type, isPromisedBoolean) => {
    expect(PROMISED_BOOLEAN.test(type)).toBe(isPromisedBoolean);
  });
});

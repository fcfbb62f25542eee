import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { listProjectFiles, projectDirectory, readProjectFile } from './project.ts';

const packageJson = JSON.parse(readProjectFile('package.json'));
const lockFile = JSON.parse(readProjectFile('package-lock.json'));

describe('files', () => {
  test('name no directory of the machine they were written on', () => {
    const paths = listProjectFiles().filter((path) => !/\.(png|gif|jpg|webp|ico)$/.test(path));
    const machinePath = /(?<![\w.@~}])\/(work|root|home\/\w+)\//;

    expect(paths.filter((path) => machinePath.test(readProjectFile(path)))).toEqual([]);
  });

  test('that are documentation name no temporary directory', () => {
    const documents = listProjectFiles('**/*.md');

    expect(documents.filter((path) => readProjectFile(path).includes('/tmp/'))).toEqual([]);
  });
});

describe('dependencies', () => {
  const { dependencies, devDependencies, optionalDependencies } = packageJson;

  test('are exact versions', () => {
    const versions = { ...dependencies, ...devDependencies, ...optionalDependencies };
    const exact = /^(npm:[\w-]+@)?\d+\.\d+\.\d+$/;

    expect(Object.entries<string>(versions).filter(([, version]) => !exact.test(version))).toEqual(
      [],
    );
  });

  test('are those of the lock file', () => {
    expect(lockFile.packages['']).toMatchObject({
      dependencies,
      devDependencies,
      optionalDependencies,
    });
  });

  test('come from whatever registry the reader uses', () => {
    const packages = Object.values<{ resolved?: string }>(lockFile.packages);

    expect(packages.filter(({ resolved }) => resolved !== undefined)).toEqual([]);
  });
});

describe('scripts', () => {
  test('run files that exist', () => {
    const files = Object.values<string>(packageJson.scripts).flatMap((script) =>
      [...script.matchAll(/node (?:--import \S+ )?(\S+\.ts)/g)].map(([, file = '']) => file),
    );

    expect(files).toContain('build/bundle.ts');
    expect(files.filter((file) => !existsSync(join(projectDirectory, file)))).toEqual([]);
  });

  test('name only scripts that exist', () => {
    const named = Object.values<string>(packageJson.scripts).flatMap((script) =>
      [...script.matchAll(/npm run (\S+)/g)].map(([, name = '']) => name),
    );

    expect(named.filter((name) => !(name in packageJson.scripts))).toEqual([]);
  });
});

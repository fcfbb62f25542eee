import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path/posix';
import { describe, expect, test } from 'vitest';
import { listProjectFiles, readProjectFile } from './project.ts';

interface Import {
  from: string;
  /** A path in the project, or the name of a package or built-in module. */
  to: string;
}

const IMPORT = /^\s*(?:import|export)\s[^'";]*?from\s*'([^']+)'|\bimport\s*\(?\s*'([^']+)'/gm;

const importsOf = (from: string): Import[] =>
  [...readProjectFile(from).matchAll(IMPORT)].map(([, named, bare]) => {
    const specifier = named ?? bare ?? '';
    return { from, to: specifier.startsWith('.') ? join(dirname(from), specifier) : specifier };
  });

const importsIn = (...directories: string[]) =>
  directories.flatMap((directory) => listProjectFiles(`${directory}/**/*.ts`)).flatMap(importsOf);

const isOurs = ({ to }: Import) => /\.(ts|js|mjs)$/.test(to);

const packageOf = (specifier: string) => /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;

const describeImports = (imports: Import[]) => imports.map(({ from, to }) => `${from} → ${to}`);

describe('imports', () => {
  test('are found at all', () => {
    const found = importsIn('lib', 'functions', 'simulator').filter(isOurs);

    expect(found).toContainEqual({ from: 'lib/runtime/config.ts', to: 'lib/errors.ts' });
    expect(found).toContainEqual({ from: 'functions/notify.ts', to: 'lib/deployment.ts' });
    expect(found.length).toBeGreaterThan(20);
  });

  test('of functions/ go to lib/ only', () => {
    const others = importsIn('functions')
      .filter(isOurs)
      .filter(({ to }) => !to.startsWith('lib/'));

    expect(describeImports(others)).toEqual([]);
  });

  test('of lib/ stay in lib/', () => {
    const others = importsIn('lib')
      .filter(isOurs)
      .filter(({ to }) => !to.startsWith('lib/'));

    expect(describeImports(others)).toEqual([]);
  });

  test('of lib/order go to lib/errors.ts, and to nothing that does I/O', () => {
    const others = importsIn('lib/order').filter(
      ({ to }) =>
        !to.startsWith('lib/order/') && !['lib/errors.ts', 'node:crypto', 'valibot'].includes(to),
    );

    expect(describeImports(others)).toEqual([]);
  });

  test('never cross between the versions of the WeChat Pay API', () => {
    const crossing = importsIn('lib/wechatpay').filter(
      ({ from, to }) =>
        (from.includes('/v2/') && to.includes('/v3/')) ||
        (from.includes('/v3/') && to.includes('/v2/')),
    );

    expect(describeImports(crossing)).toEqual([]);
  });

  test('of the DynamoDB SDK are in lib/table only', () => {
    const others = importsIn('lib', 'functions').filter(
      ({ from, to }) => to.startsWith('@aws-sdk/client-dynamodb') && !from.startsWith('lib/table/'),
    );

    expect(describeImports(others)).toEqual([]);
  });

  test('of the simulator never reach the code that it is to judge', () => {
    const others = importsIn('simulator').filter(({ to }) => /^(lib|functions|local)\//.test(to));

    expect(describeImports(others)).toEqual([]);
  });

  test('of production code name production dependencies only', () => {
    const { dependencies } = JSON.parse(readProjectFile('package.json'));
    const allowed = new Set([...Object.keys(dependencies), 'aws-lambda']);
    const others = importsIn('lib', 'functions').filter(
      (each) => !isOurs(each) && !isBuiltin(each.to) && !allowed.has(packageOf(each.to)),
    );

    expect(describeImports(others)).toEqual([]);
    // Types only, from a development dependency: nothing of it is left in a bundle.
    const lambda = listProjectFiles('lib/**/*.ts', 'functions/*.ts')
      .map(readProjectFile)
      .flatMap((text) => text.match(/^import .*'aws-lambda'/gm) ?? []);
    expect(lambda.filter((line) => !line.startsWith('import type '))).toEqual([]);
  });
});

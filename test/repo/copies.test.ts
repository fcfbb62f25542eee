/** Other ways to have the sources than a git clone in a plain directory, and other machines to be on. */
import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listProjectFiles, projectDirectory, readProjectFile, walk } from './project.ts';

const { findProblem } = (await import(
  pathToFileURL(path.join(projectDirectory, 'build/require-node.mjs')).href
)) as { findProblem: (version: string, installed: boolean) => string | undefined };

const directory = mkdtempSync(path.join(tmpdir(), 'copies-'));
/** As a ZIP file is unpacked: no git, and a name that a shell would split. */
const copy = path.join(directory, '微信 支付 (1)', 'wechatpay-serverless main');

beforeAll(() => {
  for (const file of listProjectFiles()) {
    mkdirSync(path.dirname(path.join(copy, file)), { recursive: true });
    cpSync(path.join(projectDirectory, file), path.join(copy, file));
  }
  symlinkSync(path.join(projectDirectory, 'node_modules'), path.join(copy, 'node_modules'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const run = (args: string[], environment: Record<string, string> = {}, cwd = copy) =>
  new Promise<{ code: number | string | null | undefined; output: string }>((resolve) => {
    execFile(
      process.execPath,
      args,
      { cwd, env: { ...process.env, ...environment }, timeout: 60_000 },
      (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : error.code, output: stdout + stderr }),
    );
  });

describe('a copy from a ZIP file, in a directory with blanks and Chinese characters', () => {
  test('has the files that git would have', () => {
    expect(walk(copy).filter((file) => file !== 'node_modules')).toEqual(walk(projectDirectory));
    expect(walk(projectDirectory).toSorted()).toEqual(listProjectFiles());
  });

  test('passes the tests that look at its files', async () => {
    const { code, output } = await run([
      'node_modules/vitest/vitest.mjs',
      'run',
      'test/repo/hygiene.test.ts',
      'test/repo/imports.test.ts',
    ]);

    expect(code, output).toBe(0);
    expect(output).toMatch(/Test Files .*2 passed/);
  });

  test('pays in the demo, and keeps its data beside it', async () => {
    const { code, output } = await run(
      ['--import', './build/require-node.mjs', 'local/demo.ts', '--api', 'v3'],
      { TMPDIR: path.join(directory, '微信 支付 (1)') },
    );

    expect(code, output).toBe(0);
    expect(output).toMatch(/paid\n$/);
  });
});

describe('.gitignore and .gitattributes', () => {
  test('leave out what belongs to one machine', () => {
    const project = path.join(directory, 'ignoring');
    for (const folder of ['.local', 'miniprogram', 'local', 'node_modules/a']) {
      mkdirSync(path.join(project, folder), { recursive: true });
    }
    writeFileSync(path.join(project, '.gitignore'), readProjectFile('.gitignore'));
    for (const file of [
      '.local/merchant.json',
      'node_modules/a/index.js',
      'npm.log',
      'miniprogram/app.js',
      'miniprogram/project.private.config.json',
      'local/start.ts',
    ]) {
      writeFileSync(path.join(project, file), '');
    }

    expect(walk(project).toSorted()).toEqual([
      '.gitignore',
      'local/start.ts',
      'miniprogram/app.js',
    ]);
  });

  test('make every checkout one with line feeds, whatever git is set to', () => {
    expect(readProjectFile('.gitattributes')).toMatch(/^\* text=auto eol=lf$/m);
    const withReturns = listProjectFiles()
      .filter((file) => !/\.(?:png|gif|jpg|webp|ico)$/.test(file))
      .filter((file) => readFileSync(path.join(projectDirectory, file)).includes('\r\n'));

    expect(withReturns).toEqual([]);
  });
});

describe('a Node that cannot run the project', () => {
  test.each([
    ['20.20.2', true],
    ['22.23.3', true],
    ['24.1.0', true],
    ['24.2.0', false],
    ['24.21.0', false],
    ['26.9.0', false],
    ['100.0.0', false],
  ])('%s: refused %s', (version, refused) => {
    expect(findProblem(version, true) !== undefined).toBe(refused);
  });

  /** Makes the program believe that it runs on another Node. */
  const pretend = (version: string) => {
    const file = path.join(directory, 'pretend.mjs');
    writeFileSync(
      file,
      `const versions = { ...process.versions, node: '${version}' };
       globalThis.process = new Proxy(process, {
         get: (target, name) => (name === 'versions' ? versions : Reflect.get(target, name)),
       });`,
    );
    return pathToFileURL(file).href;
  };

  test.each(['local/start.ts', 'local/demo.ts', 'build/bundle.ts', 'bench/run.ts'])(
    'is told so before %s, in one sentence',
    async (script) => {
      const { code, output } = await run([
        '--import',
        pretend('20.20.2'),
        '--import',
        './build/require-node.mjs',
        script,
      ]);

      expect(code).toBe(1);
      expect(output).toBe(`${findProblem('20.20.2', true)}\n`);
      expect(output).toContain('npm rebuild node --ignore-scripts=false');
    },
  );

  test('is told so before npm test', async () => {
    const { code, output } = await run([
      '--import',
      pretend('22.23.3'),
      'node_modules/vitest/vitest.mjs',
      'run',
      'test/errors.test.ts',
    ]);

    expect(code).toBe(1);
    expect(output).toBe(`${findProblem('22.23.3', true)}\n`);
  });

  test('never gets as far as TypeScript: every script looks first', () => {
    const { scripts } = JSON.parse(readProjectFile('package.json')) as {
      scripts: Record<string, string>;
    };
    const typescript = Object.values(scripts).filter((script) => /node .*\.ts\b/.test(script));

    expect(typescript.length).toBeGreaterThan(3);
    for (const script of typescript) {
      expect(script).toMatch(/^node --import \.\/build\/require-node\.mjs \S+\.ts$/);
    }
  });

  test('or without npm ci is told to run it', async () => {
    const bare = path.join(directory, 'bare');
    cpSync(path.join(projectDirectory, 'build'), path.join(bare, 'build'), { recursive: true });
    const { code, output } = await run(
      ['--import', './build/require-node.mjs', 'build/bundle.ts'],
      {},
      bare,
    );

    expect(code).toBe(1);
    expect(output).toBe('The packages of this project are not installed: run "npm ci" first.\n');
    expect(existsSync(path.join(bare, '.build'))).toBe(false);
  });
});

test.each(['README.md', 'README.zh-CN.md'])(
  '%s has commands that PowerShell 5.1 takes as sh does',
  (page) => {
    const commands = [...readProjectFile(page).matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(
      ([, block = '']) => block.trimEnd().split('\n'),
    );

    expect(commands.length).toBeGreaterThan(2);
    expect(commands.filter((command) => /[&|;<>$"'\\(){}]|^\w+=/.test(command))).toEqual([]);
  },
);

describe('scripts of npm', () => {
  test('use no syntax of one shell only', () => {
    const { scripts } = JSON.parse(readProjectFile('package.json')) as {
      scripts: Record<string, string>;
    };
    // `&&` is the same in sh and in cmd.exe, which is what npm runs scripts with on Windows.
    const special = Object.values(scripts).filter((script) =>
      /[$;|<>*'"`]|(?<!&)&(?!&)|^\w+=/.test(script),
    );

    expect(special).toEqual([]);
  });
});

/** The files that are carried into a mini-program: types, size, and that they fit together. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { listProjectFiles } from '../repo/project.ts';

const directory = resolve(import.meta.dirname, '../../miniprogram');
const read = (path: string) => readFileSync(join(directory, path), 'utf8');
const scripts = listProjectFiles('miniprogram/**/*.js')
  .map((path) => path.slice('miniprogram/'.length))
  .sort();
const { pages } = JSON.parse(read('app.json'));

const clientFiles = scripts.filter((path) => path.startsWith('pay/'));

describe('the client', () => {
  test('is smaller than 8 kB, minified, all its files together', async () => {
    const { outputFiles, metafile } = await build({
      entryPoints: [join(directory, 'pay/pay.js')],
      absWorkingDir: directory,
      bundle: true,
      minify: true,
      charset: 'utf8',
      // With no package and no built-in module of Node.
      platform: 'neutral',
      format: 'cjs',
      metafile: true,
      write: false,
    });

    expect(Object.keys(metafile.inputs).sort()).toEqual(clientFiles);
    expect(outputFiles[0]?.contents.byteLength).toBeLessThan(8000);
  });

  test('needs no file outside of its folder', () => {
    const required = clientFiles.flatMap((path) =>
      [...read(path).matchAll(/\b(?:require|import)\b\(([^)]*)\)/g)].map(([, name]) => name),
    );

    expect(required.length).toBeGreaterThan(5);
    expect(required.filter((name) => !/^'\.\/[a-z-]+\.js'$/.test(name ?? ''))).toEqual([]);
  });

  test.each(clientFiles)('%s logs nothing and touches no global but wx', (path) => {
    expect(read(path)).not.toMatch(/^(import|export) /m);
    expect(read(path)).not.toMatch(
      /\b(console|getApp|window|document|process|fetch|crypto|Buffer|globalThis|__dirname)\b/,
    );
  });
});

test('the mini-program passes the type check against the API of WeChat', async () => {
  const tsc = resolve(directory, '../node_modules/typescript/bin/tsc');

  await expect(
    promisify(execFile)(process.execPath, [tsc, '--project', directory]),
  ).resolves.toMatchObject({ stdout: '' });
});

describe('the sample', () => {
  test.each(pages as string[])('has every file of the page %s', (page) => {
    const missing = ['.js', '.json', '.wxml', '.wxss'].filter(
      (extension) => !existsSync(join(directory, page + extension)),
    );

    expect(missing).toEqual([]);
  });

  test.each(['app.json', 'theme.json', 'sitemap.json', 'project.config.json'])(
    '%s is JSON',
    (path) => {
      expect(JSON.parse(read(path))).toBeTypeOf('object');
    },
  );

  test('names only pages and colours that exist', () => {
    const { light, dark } = JSON.parse(read('theme.json'));
    const colours = [...read('app.json').matchAll(/"@(\w+)"/g)].map(([, name = '']) => name);
    const linked = scripts.flatMap((path) => [...read(path).matchAll(/\/(pages\/[\w/]+)/g)]);

    expect(Object.keys(light)).toEqual(expect.arrayContaining(colours));
    expect(Object.keys(dark)).toEqual(Object.keys(light));
    expect(linked.map(([, page]) => page).filter((page) => !pages.includes(page))).toEqual([]);
    expect(linked).not.toEqual([]);
  });

  test('requires only files of its own', () => {
    const required = scripts.flatMap((from) =>
      [...read(from).matchAll(/require\('([^']+)'\)/g)].map(([, to = '']) =>
        resolve(directory, from, '..', to),
      ),
    );

    expect(required.length).toBeGreaterThan(5);
    expect(required.filter((path) => !path.startsWith(directory) || !existsSync(path))).toEqual([]);
  });

  test.each(pages as string[])('%s binds only what its script has', (page) => {
    const script = read(`${page}.js`);
    const handlers = [...read(`${page}.wxml`).matchAll(/\bbind\w+="(\w+)"/g)].map(
      ([, name = '']) => name,
    );

    expect(handlers).not.toEqual([]);
    expect(handlers.filter((name) => !new RegExp(`^ {2}${name}\\(`, 'm').test(script))).toEqual([]);
  });

  test.each([
    ['pages/catalogue/catalogue', 'CatalogueData'],
    ['pages/order/order', 'OrderData'],
  ])('%s shows only what %s and the texts have', (page, type) => {
    const declared = new RegExp(`interface ${type} \\{([^}]*)\\}`).exec(
      read('shop/shop.d.ts'),
    )?.[1];
    const fields = [...(declared ?? '').matchAll(/readonly (\w+):/g)].map(([, name]) => name);
    const texts = new Set(
      [...read('shop/shop.d.ts').matchAll(/^ {2}\| '(\w+)'/gm)].map(([, name]) => name),
    );
    const shown = [...read(`${page}.wxml`).matchAll(/\{\{([a-z]\w*)(?:\.(\w+))?/g)];

    const known = (name: string, member: string | undefined) =>
      name === 'texts' ? texts.has(member) : name === 'item' || fields.includes(name);

    expect(fields.length).toBeGreaterThan(5);
    expect(shown.filter(([, name = '', member]) => !known(name, member))).toEqual([]);
  });
});

describe.each(['client.md', 'client.zh-CN.md'])('docs/%s', (page) => {
  test('shows every result, and the interface that there is', () => {
    const text = readFileSync(resolve(directory, '../docs', page), 'utf8');
    const rows = { paid: 2, cancelled: 1, failed: 2, unknown: 1, closed: 1, closing: 1 };

    // A payment and a close can both end as paid or failed.
    for (const [status, count] of Object.entries(rows)) {
      expect(text.split(`| \`${status}\` |`)).toHaveLength(count + 1);
    }
    for (const [, method = ''] of text.matchAll(/\bpay\.([a-z]\w+)\(/g)) {
      expect(read('pay/pay.d.ts')).toMatch(new RegExp(`^ {2}${method}\\(`, 'm'));
    }
  });
});

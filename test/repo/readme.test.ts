import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../lib/runtime/config.ts';
import { ERROR_TEXTS } from '../../lib/http/error-texts.ts';
import { listProjectFiles, projectDirectory, readProjectFile } from './project.ts';

const READMES = ['README.md', 'README.zh-CN.md'];

const template = parse(readProjectFile('serverless.yml'));
const { scripts } = JSON.parse(readProjectFile('package.json'));

/** Names of the variables that a function reads. */
function readVariables(): string[] {
  const read = new Set<string>();
  const values: Record<string, string> = { STAGE: 'production', PUBLIC_BASE_URL: 'https://a.b' };
  loadConfig(
    new Proxy(values, {
      get: (target, name) => {
        read.add(String(name));
        return Reflect.get(target, name) ?? (/^(TABLE_NAME|.*_ID)$/.test(String(name)) ? 'x' : '');
      },
    }),
  );
  return [...read];
}

/** Lines of the shell blocks that begin a command; comments and continuations left out. */
const commandsOf = (text: string) =>
  [...text.matchAll(/^```(?:sh|bash|shell|console)\n(.*?)^```/gms)]
    .flatMap(([, block = '']) => block.replaceAll('\\\n', ' ').split('\n'))
    .map((line) =>
      line
        .replace(/^\$ /, '')
        .replace(/\s+#.*$/, '')
        .replaceAll(/\s+/g, ' ')
        .trim(),
    )
    .filter((line) => line !== '' && !line.startsWith('#'));

/** First cells (one code span each) of the table that has a row for `row`, with their whole row. */
function tableWith(text: string, row: string): Record<string, string> {
  const tables = text.split(/\n(?!\|)/).filter((block) => block.trimStart().startsWith('|'));
  const table = tables.find((block) => block.includes(`| \`${row}\` |`));
  return Object.fromEntries(
    [...(table ?? '').matchAll(/^\| `([^`]+)` \|.*$/gm)].map(([line, name]) => [name, line]),
  );
}

describe.each(READMES)('%s', (path) => {
  const read = () => readProjectFile(path);

  test('uses only npm scripts that exist', () => {
    const used = [...read().matchAll(/npm (?:run )([\w:-]+)|npm (start|test)\b/g)].map(
      ([, run, short]) => run ?? short ?? '',
    );

    expect(used).toEqual(expect.arrayContaining(['start', 'test', 'demo']));
    expect(used.filter((name) => !(name in scripts))).toEqual([]);
  });

  test('lists the functions with their routes and schedules as deployed', () => {
    const rows = tableWith(read(), 'login');

    expect(Object.keys(rows).toSorted()).toEqual(Object.keys(template.functions).toSorted());
    const routes = Object.entries<{ events: { httpApi?: string }[] }>(template.functions).flatMap(
      ([name, { events }]) => events.flatMap(({ httpApi }) => (httpApi ? [{ name, httpApi }] : [])),
    );
    expect(routes).not.toEqual([]);
    for (const { name, httpApi } of routes) {
      expect(rows[name]).toContain(`\`${httpApi}\``);
    }
  });

  test('lists the parameters of a deployment with their defaults', () => {
    const rows = tableWith(read(), 'signType');

    expect(Object.keys(rows).toSorted()).toEqual(Object.keys(template.params.default).toSorted());
    for (const [name, value] of Object.entries(template.params.default)) {
      expect(rows[name]).toContain(String(value));
    }
  });

  test('lists the variables that the functions read', () => {
    const names = Object.keys(tableWith(read(), 'TABLE_NAME'));

    expect(names.filter((name) => !name.startsWith('POWERTOOLS_')).toSorted()).toEqual(
      readVariables().toSorted(),
    );
  });
});

describe.each([
  ['README.md', 'en'],
  ['README.zh-CN.md', 'zh'],
] as const)('%s', (path, language) => {
  test('lists every error with its status and text', () => {
    const rows = tableWith(readProjectFile(path), 'INVALID_JSON');
    const expected = Object.entries(ERROR_TEXTS).map(([code, text]) => {
      const shown = text[language].replaceAll(/\{(\w+)\}/g, '*$1*').replaceAll('<', '\\<');
      return [code, `| \`${code}\` | ${text.status} | ${shown} |`];
    });

    expect(rows).toEqual(Object.fromEntries(expected));
  });
});

describe('both READMEs', () => {
  test('give the same commands in the same order', () => {
    const [english = [], chinese = []] = READMES.map((path) => commandsOf(readProjectFile(path)));

    expect(english.length).toBeGreaterThan(5);
    expect(chinese).toEqual(english);
  });
});

describe('documents', () => {
  test('link to files that exist', () => {
    const broken = listProjectFiles('**/*.md').flatMap((path) =>
      [...readProjectFile(path).matchAll(/\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"/g)]
        .map(([, link, attribute]) => (link ?? attribute ?? '').replace(/#.*$/, ''))
        .filter((link) => link !== '' && !/^[a-z]+:/.test(link))
        .filter((link) => !existsSync(join(projectDirectory, dirname(path), decodeURI(link))))
        .map((link) => `${path}: ${link}`),
    );

    expect(broken).toEqual([]);
  });
});

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ERROR_TEXTS } from '../../lib/http/error-texts.ts';
import { loadConfig } from '../../lib/runtime/config.ts';
import { loadBillConfig } from '../../lib/runtime/bill-config.ts';
import { loadPublishConfig } from '../../lib/runtime/publish-config.ts';
import { anchorsOf, codeSpansOf, commandsOf, linksOf, sectionsOf, tableWith } from './markdown.ts';
import { listProjectFiles, projectDirectory, readProjectFile } from './project.ts';
import { compareTranslation } from './translation.ts';

/** Kept in English: a log of what was decided, and one of what changed. */
const ENGLISH_ONLY = new Set(['CHANGELOG.md', 'docs/decisions.md']);

const chineseOf = (path: string) => path.replace(/\.md$/, '.zh-CN.md');
const englishOf = (path: string) => path.replace(/\.zh-CN\.md$/, '.md');

const documents = listProjectFiles('**/*.md');
const pages = documents.filter((path) => path === englishOf(path) && !ENGLISH_ONLY.has(path));
const bothLanguages = (page: string) => [page, chineseOf(page)];

const template = parse(readProjectFile('serverless.yml'));
const { scripts } = JSON.parse(readProjectFile('package.json'));

/** Names of the variables that a function reads. */
function readVariables(): string[] {
  const read = new Set<string>();
  const values: Record<string, string> = { STAGE: 'production', PUBLIC_BASE_URL: 'https://a.b' };
  const environment = new Proxy(values, {
    get: (target, name) => {
      read.add(String(name));
      return Reflect.get(target, name) ?? (/_NAME$|_ID$/.test(String(name)) ? 'x' : '');
    },
  });
  loadConfig(environment);
  loadPublishConfig(environment);
  loadBillConfig(environment);
  return [...read];
}

describe('documents', () => {
  test('are there in both languages', () => {
    const chinese = documents.filter((path) => path !== englishOf(path));

    expect(chinese).toEqual(pages.map(chineseOf).toSorted());
    expect(pages).toEqual(expect.arrayContaining(['README.md', 'docs/README.md']));
  });

  test.each(pages)('%s says the same in both languages', (page) => {
    const [english = '', chinese = ''] = bothLanguages(page).map(readProjectFile);

    expect(compareTranslation(english, chinese)).toEqual([]);
  });

  test('link to files and headings that exist', () => {
    const broken = documents.flatMap((path) =>
      linksOf(readProjectFile(path))
        .filter((link) => !/^[a-z]+:/.test(link))
        .filter((link) => !resolves(path, link))
        .map((link) => `${path}: ${link}`),
    );

    expect(broken).toEqual([]);
  });

  test('link to pages of their own language, and once to the other', () => {
    const switched = bothLanguagesOfAll().map(([path, other]) => {
      const links = linksOf(readProjectFile(path)).map((link) =>
        join(dirname(path), link.replace(/#.*$/, '')),
      );
      const foreign = links.filter(
        (link) => documents.includes(link) && isChinese(link) !== isChinese(path),
      );
      return [path, foreign.filter((link) => !ENGLISH_ONLY.has(link)), [other]];
    });

    expect(switched.map(([path, foreign]) => [path, foreign])).toEqual(
      switched.map(([path, , other]) => [path, other]),
    );
  });

  test('name files of the project that exist', () => {
    const directory =
      /^(build|deploy|docs|examples|functions|lib|local|miniprogram|ops|simulator|test)\/[\w./-]+$/;
    const gone = documents
      .filter((path) => !ENGLISH_ONLY.has(path))
      .flatMap((path) =>
        codeSpansOf(readProjectFile(path))
          .filter((code) => directory.test(code) && !existsSync(join(projectDirectory, code)))
          .map((code) => `${path}: ${code}`),
      );

    expect(gone).toEqual([]);
  });

  test('use only npm scripts that exist', () => {
    const used = documents.flatMap((path) =>
      [...readProjectFile(path).matchAll(/npm (?:run )([\w:-]+)|npm (start|test)\b/g)].map(
        ([, run, short]) => run ?? short ?? '',
      ),
    );

    expect(used).toEqual(expect.arrayContaining(['start', 'test', 'demo']));
    expect(used.filter((name) => !(name in scripts))).toEqual([]);
  });
});

const isChinese = (path: string) => path !== englishOf(path);

const bothLanguagesOfAll = () =>
  pages.flatMap((page): [string, string][] => [
    [page, chineseOf(page)],
    [chineseOf(page), page],
  ]);

function resolves(from: string, link: string): boolean {
  const [file = '', anchor] = decodeURI(link).split('#');
  const path = file === '' ? from : join(dirname(from), file);
  if (!existsSync(join(projectDirectory, path))) {
    return false;
  }
  return anchor === undefined || anchorsOf(readProjectFile(path)).includes(anchor);
}

describe.each(bothLanguages('README.md'))('%s', (path) => {
  test('has 150 lines at most', () => {
    expect(readProjectFile(path).split('\n').length - 1).toBeLessThanOrEqual(150);
  });

  test('begins with the commands that start and pay', () => {
    const commands = commandsOf(readProjectFile(path));

    expect(commands.slice(0, 3)).toEqual(['npm ci', 'npm start', 'npm run demo']);
  });
});

describe.each(bothLanguages('docs/README.md'))('%s', (path) => {
  test('leads to every page, and so does README to it', () => {
    const linked = new Set(linksOf(readProjectFile(path)).map((link) => join(dirname(path), link)));
    const wanted = documents.filter(
      (page) => /^(docs|simulator)\//.test(page) && isChinese(page) === isChinese(path),
    );

    expect(wanted.filter((page) => page !== path && !linked.has(page))).toEqual([]);
    expect(linksOf(readProjectFile(path.replace('docs/', '')))).toContain(path);
  });
});

type Route = string | { readonly method: string; readonly path: string };

const keyOf = (route: Route) =>
  typeof route === 'string' ? route : `${route.method} ${route.path}`;

describe.each(bothLanguages('docs/http-api.md'))('%s', (path) => {
  test('lists the functions with their routes and schedules as deployed', () => {
    const rows = tableWith(readProjectFile(path), 'login');

    expect(Object.keys(rows).toSorted()).toEqual(Object.keys(template.functions).toSorted());
    const routes = Object.entries<{ events?: { httpApi?: Route }[] }>(template.functions).flatMap(
      ([name, { events = [] }]) =>
        events.flatMap(({ httpApi }) => (httpApi ? [{ name, key: keyOf(httpApi) }] : [])),
    );
    expect(routes).not.toEqual([]);
    for (const { name, key } of routes) {
      expect(rows[name]).toContain(`\`${key}\``);
    }
  });

  test('lists every error with its status and text', () => {
    const rows = tableWith(readProjectFile(path), 'INVALID_JSON');
    const expected = Object.entries(ERROR_TEXTS).map(([code, text]) => {
      const words = text[isChinese(path) ? 'zh' : 'en'];
      const shown = words.replaceAll(/\{(\w+)\}/g, '*$1*').replaceAll('<', '\\<');
      return [code, `| \`${code}\` | ${text.status} | ${shown} |`];
    });

    expect(rows).toEqual(Object.fromEntries(expected));
  });
});

describe.each(bothLanguages('docs/configuration.md'))('%s', (path) => {
  test('lists the parameters of a deployment with their defaults', () => {
    const rows = tableWith(readProjectFile(path), 'signType');

    expect(Object.keys(rows).toSorted()).toEqual(Object.keys(template.params.default).toSorted());
    for (const [name, value] of Object.entries<string | number | boolean | object>(
      template.params.default,
    )) {
      // No region and no tags have no text.
      expect(rows[name]).toContain(typeof value === 'object' ? name : `${value}`);
    }
  });

  test('lists the variables that the functions read', () => {
    const names = Object.keys(tableWith(readProjectFile(path), 'TABLE_NAME'));

    expect(names.filter((name) => !name.startsWith('POWERTOOLS_')).toSorted()).toEqual(
      readVariables().toSorted(),
    );
  });
});

/** The distinct first groups of a pattern in a source file. */
const namesIn = (path: string, pattern: RegExp) =>
  [
    ...new Set([...readProjectFile(path).matchAll(pattern)].map(([, name = '']) => name)),
  ].toSorted();

describe.each(bothLanguages('docs/configuration.md'))('%s', (path) => {
  test.each([
    ['mini-program', 'appSecret'],
    ['merchant', 'mchid'],
  ])('lists the fields of the secret %s', (name, field) => {
    const fields = namesIn(`lib/secrets/${name}.ts`, /^ {2}readonly (\w+)\??: string/gm);

    expect(fields.length).toBeGreaterThan(3);
    expect(Object.keys(tableWith(readProjectFile(path), field)).toSorted()).toEqual(fields);
  });
});

describe('the variables', () => {
  test.each(bothLanguages('docs/local-stack.md'))('of npm start are in %s', (path) => {
    const names = namesIn('local/start.ts', /^ {2}([A-Z_]{4,}) {2,}/gm);

    expect(names).toContain('DYNAMODB_ENDPOINT');
    expect(Object.keys(tableWith(readProjectFile(path), 'PORT'))).toEqual(
      expect.arrayContaining(names),
    );
  });

  test.each(bothLanguages('simulator/README.md'))('of the simulator are in %s', (path) => {
    const names = namesIn('simulator/main.ts', /\b(SIMULATOR_[A-Z_]+|SEED)\b/g);

    expect(names).toEqual(expect.arrayContaining(['SEED', 'SIMULATOR_PORT']));
    expect(Object.keys(tableWith(readProjectFile(path), 'SIMULATOR_PORT')).toSorted()).toEqual(
      names,
    );
  });
});

describe.each(bothLanguages('docs/costs.md'))('%s', (path) => {
  test('counts the alarms that are deployed', () => {
    const alarms = listProjectFiles('deploy/*.yml').flatMap(
      (file) => readProjectFile(file).match(/Type: AWS::CloudWatch::Alarm/g) ?? [],
    );
    const [, counted] = /\| CloudWatch [^|]*\| (\d+)/.exec(readProjectFile(path)) ?? [];

    expect(Number(counted)).toBe(alarms.length);
  });
});

describe('the comparison of two languages', () => {
  const [english = '', chinese = ''] = bothLanguages('docs/local-stack.md').map(readProjectFile);
  const without = (text: string, part: string) => text.replace(part, '');
  const lines = (text: string, pattern: RegExp) => text.match(pattern) ?? [];

  test.each([
    ['heading', /^#{2,} .*$/gm],
    ['command', /^(npm|curl|docker|NUMBER=).*$/gm],
    ['code span', /`[A-Z]+_[A-Z_]+`/g],
    ['row of a table', /^\| `.*\n/gm],
    ['link', /\[[^\]]+\]\(\.\.[^)]+\)/g],
  ])('finds every missing %s', (_, pattern) => {
    const parts = lines(chinese, pattern);
    const unnoticed = parts.filter(
      (part) => compareTranslation(english, without(chinese, part)).length === 0,
    );

    expect(parts.length).toBeGreaterThan(1);
    expect(unnoticed).toEqual([]);
  });

  test('finds commands in another order and headings of another level', () => {
    const swapped = '```sh\nb\na\n```';

    expect(compareTranslation('```sh\na\nb\n```', swapped)).not.toEqual([]);
    expect(compareTranslation('# A\n\n## B\n', '# 甲\n\n### 乙\n')).not.toEqual([]);
  });

  test('lets words, comments, drawings and placeholders differ', () => {
    const en = '# A\n\n`<your key>`\n\n```sh\nls   # files\n```\n\n```text\na ─▶ b\n```\n';
    const zh = '# 甲\n\n`<密钥>`\n\n```sh\nls   # 文件\n```\n\n```text\n甲 ─▶ 乙\n```\n';

    expect(compareTranslation(en, zh)).toEqual([]);
  });
});

describe('anchors', () => {
  // As GitHub renders these headings.
  test.each([
    ['## Why did a v3 signature fail?', 'why-did-a-v3-signature-fail'],
    ['## GET /orders/{outTradeNo}', 'get-ordersouttradeno'],
    ['## Changing `signType`', 'changing-signtype'],
    ['## 签名为什么失败？', '签名为什么失败'],
    ['## 机密（Secrets Manager）', '机密secrets-manager'],
    ['## API v3：哪个密钥签什么', 'api-v3哪个密钥签什么'],
  ])('of %s', (heading, anchor) => {
    expect(anchorsOf(`${heading}\n`)).toEqual([anchor]);
  });

  test('of equal headings are numbered', () => {
    expect(anchorsOf('# 费用\n\n## 费用\n\n## 费用\n')).toEqual(['费用', '费用-1', '费用-2']);
  });

  test('ignore what only looks like a heading', () => {
    expect(sectionsOf('# A\n\n```sh\n# a comment\n```\n').map(({ title }) => title)).toEqual(['A']);
  });
});

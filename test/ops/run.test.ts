/** What the operator's tool says before it does anything, and by which exit code. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { freePort } from '../support/stack-process.ts';
import { commandsOf } from '../repo/markdown.ts';
import { listProjectFiles, readProjectFile } from '../repo/project.ts';
import { operate } from '../support/operator.ts';

const COMMANDS = [
  ['bill', 'run'],
  ['bill', 'show'],
  ['bill', 'explain'],
  ['events', 'list'],
  ['events', 'rebuild'],
  ['events', 'replay'],
  ['notifications', 'list'],
  ['notifications', 'redrive'],
];

/** Where no stack is. */
const directory = mkdtempSync(join(tmpdir(), 'wechatpay-nowhere-'));
const nowhere = { PORT: String(await freePort()), LOCAL_DATA_DIR: directory };
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('help', () => {
  test('names every group of commands, in the language of the shell or the flag', async () => {
    const english = await operate(['--help'], { LANG: 'C.UTF-8' });
    const chinese = await operate(['--help'], { LANG: 'zh_CN.UTF-8' });

    expect(english).toMatchObject({ code: 0, err: '' });
    expect(english.out).toMatch(/^Usage: npm run ops -- .*^ {2}events /ms);
    expect(chinese.out).toMatch(/^用法： npm run ops -- .*^ {2}notifications +微信发来了什么/ms);
    expect(await operate(['--help', '--lang', 'zh'])).toEqual(chinese);
    expect(await operate(['--lang=en', '--help'], { LC_ALL: 'zh_CN' })).toEqual(english);
  });

  test.each(COMMANDS)('of %s %s is all Chinese but for names', async (...command) => {
    const { code, out } = await operate([...command, '--help', '--lang', 'zh']);

    expect(code).toBe(0);
    expect(out).toContain('通用选项：');
    const descriptions = out
      .split('\n')
      .filter((line) => /^\S/.test(line) && !line.startsWith('用法'));
    expect(descriptions.length).toBeGreaterThan(2);
    expect(descriptions.filter((line) => !/[\u4e00-\u9fff]/.test(line))).toEqual([]);
  });
});

describe('a command that is used wrongly', () => {
  test.each([
    [['evnts'], 'unknown command evnts'],
    [['events', 'list', '--al'], 'unknown option --al'],
    [['events', 'list', 'x'], 'too many arguments'],
    [['events', 'list', '--order'], 'the option --order <outTradeNo> needs a value'],
    [['notifications', 'redrive', 'a'], 'the argument id is missing'],
    [['events', 'list', '--lang', 'fr'], "argument 'fr' is invalid"],
    [['events', 'list', '--local', '--stage', 'x'], '--local and --stage exclude each other'],
  ])('%j is refused with what is wrong', async (args, reason) => {
    const seen = await operate(args, nowhere);

    expect(seen).toMatchObject({ code: 2, out: '' });
    expect(seen.err).toContain(reason);
  });

  test('is refused in Chinese, too, and to a program as JSON', async () => {
    const seen = await operate(['events', 'list', 'x', '--lang', 'zh', '--json'], nowhere);

    expect(seen.code).toBe(2);
    expect(JSON.parse(seen.out)).toEqual({ error: '参数过多; 用 --help 查看全部用法' });
  });

  test('without a command shows which there are', async () => {
    const seen = await operate(['events']);

    expect(seen).toMatchObject({ code: 2, out: '' });
    expect(seen.err).toContain('rebuild');
  });

  test('or where no stack runs is told how to name one', async () => {
    expect(await operate(['events', 'list'], nowhere)).toMatchObject({
      code: 2,
      err: 'no local stack runs here: start one with npm start, or name a stage with --stage',
    });
    expect(await operate(['events', 'list', '--local'], nowhere)).toMatchObject({
      code: 2,
      err: 'no local stack runs here: start one with npm start',
    });
  });
});

describe('a command of the documents', () => {
  const documented = listProjectFiles('**/*.md')
    .flatMap((page) => commandsOf(readProjectFile(page)))
    .filter((command) => command.startsWith('npm run ops -- '));

  test.each([...new Set(documented)])('%s is one', async (command) => {
    const args = command.replace('--stage production', '--local').split(' ').slice(4);

    // It got as far as looking for what it works on.
    expect(await operate(args, nowhere)).toMatchObject({
      code: 2,
      err: expect.stringContaining('no local stack runs here'),
    });
  });

  test('is there for each that there is', () => {
    for (const words of COMMANDS) {
      expect(documented.filter((command) => command.includes(words.join(' ')))).not.toEqual([]);
    }
  });
});

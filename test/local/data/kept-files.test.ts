import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { explainFailure } from '../../../local/explain-failure.ts';
import { startStack } from '../../../local/stack.ts';

let directory: string;
const at = (name: string) => path.join(directory, name);
const start = () =>
  startStack({ dataDir: directory, port: 0, simulatorPort: 0, schedule: false, log: 'silent' });

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'kept-files-'));
  await (await start()).stop();
});
afterAll(() => rmSync(directory, { recursive: true }));

const refusalOf = async (): Promise<string> => {
  const error: unknown = await start().then(
    async (stack) => stack.stop(),
    (reason: unknown) => reason,
  );
  return explainFailure(error);
};

const cutOff = (text: string) => text.slice(0, text.length / 2);
const withoutField = (field: string) => (text: string) =>
  JSON.stringify({ ...(JSON.parse(text) as object), [field]: undefined });
const withBrokenPem = (field: string) => (text: string) =>
  JSON.stringify({
    ...(JSON.parse(text) as object),
    [field]: '-----BEGIN PRIVATE KEY-----\nMIIE\n',
  });

test.each<[string, string, (text: string) => string, string]>([
  ['merchant.json', 'cut off', cutOff, 'is not valid JSON'],
  ['merchant.json', 'empty', () => '', 'is not valid JSON'],
  ['merchant.json', 'null', () => 'null', 'has no text "appid"'],
  ['merchant.json', 'of an older form', withoutField('platformSerialNo'), '"platformSerialNo"'],
  [
    'merchant.json',
    'with half a key',
    withBrokenPem('merchantPrivateKey'),
    'is cut off or not PEM',
  ],
  ['wechatpay-keys.json', 'cut off', cutOff, 'is not valid JSON'],
  ['wechatpay-keys.json', 'with half a key', withBrokenPem('platformPrivateKey'), 'is cut off'],
  ['secrets.json', 'cut off', cutOff, 'is not valid JSON'],
  ['secrets.json', 'an object', () => '{}', 'is not a list of secrets'],
  ['secrets.json', 'of another form', () => '[{"name":"x"}]', 'is not a list of secrets'],
  ['clock.json', 'cut off', cutOff, 'is not valid JSON'],
  ['clock.json', 'of another form', () => '{"offsetSeconds":"1"}', 'no number of seconds'],
  ['clock.json', 'beyond all dates', () => '{"offsetSeconds":1e300}', 'no number of seconds'],
  ['dynamodb.sqlite', 'no database', () => 'x'.repeat(4096), 'cannot be read: put a copy back'],
  ['wechat.sqlite', 'no database', () => 'x'.repeat(4096), 'cannot open the book'],
])('%s, %s: the error names file, fault and way out', async (name, _, damage, fault) => {
  const sound = readFileSync(at(name));
  writeFileSync(at(name), damage(sound.toString('utf8')));
  const text = await refusalOf();
  writeFileSync(at(name), sound);

  expect(text).toContain(at(name));
  expect(text).toContain(fault);
  expect(text).toContain('npm start -- --fresh');
});

test('wechatpay-keys.json that is gone is named', async () => {
  const sound = readFileSync(at('wechatpay-keys.json'));
  rmSync(at('wechatpay-keys.json'));
  const text = await refusalOf();
  writeFileSync(at('wechatpay-keys.json'), sound);

  expect(text).toContain(`${at('wechatpay-keys.json')} is gone, with which the simulator signs`);
  await (await start()).stop();
});

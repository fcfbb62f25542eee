import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { readMerchantSecret } from '../../lib/secrets/merchant.ts';
import { startSecretsManager } from '../../local/aws/secrets-manager.ts';
import { projectDirectory } from '../repo/project.ts';
import { CLIENT_P12 } from '../support/client-certificate.ts';
import { type CertifiedKey, newCertifiedKey, newKeyPair } from '../support/rsa-keys.ts';

const MCHID = '1900000109';
const SERVICE = 'wechatpay-serverless';

let merchant: CertifiedKey;
let wechat: { publicKey: string };
let directory: string;
let secretsManager: Awaited<ReturnType<typeof startSecretsManager>>;
let client: SecretsManagerClient;

beforeAll(() => {
  merchant = newCertifiedKey(Date.now(), { commonName: MCHID });
  wechat = newKeyPair();
});

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'setup-'));
  await mkdir(join(directory, 'certificates'));
  secretsManager = await startSecretsManager();
  client = new SecretsManagerClient({
    region: 'us-east-1',
    endpoint: secretsManager.endpoint,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  putFiles({
    'apiclient_key.pem': merchant.privateKey,
    'apiclient_cert.pem': merchant.certificate,
    'pub_key.pem': wechat.publicKey,
  });
});

afterEach(async () => {
  client.destroy();
  await secretsManager.stop();
  rmSync(directory, { recursive: true, force: true });
});

const putFiles = (files: Record<string, string | Buffer>) => {
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(directory, 'certificates', name), content);
  }
};

const ANSWERS = {
  stage: 'shop',
  region: 'ap-southeast-1',
  apiVersion: 'v3',
  appid: 'wx0123456789abcdef',
  appSecret: '0123456789abcdef0123456789ABCDEF',
  mchid: MCHID,
  apiV2Key: 'v2v2v2v2v2v2v2v2v2v2v2v2v2v2v2v2',
  apiV3Key: 'v3v3v3v3v3v3v3v3v3v3v3v3v3v3v3v3',
  wechatpayPublicKeyId: 'PUB_KEY_ID_0119000001092024112100001234567890',
  alarmEmail: 'me@example.com',
};

interface Run {
  readonly status: number | null;
  readonly output: string;
}

/** The command as CI runs it: no terminal, the answers in a file. */
async function setup(
  answers: Record<string, string | undefined>,
  ...flags: string[]
): Promise<Run> {
  const file = join(directory, 'answers.yml');
  const folder = join(directory, 'certificates');
  writeFileSync(file, stringify({ certificateFolder: folder, ...answers }));
  return runSetup('--file', file, ...flags);
}

function runSetup(...flags: string[]): Promise<Run> {
  const child = spawn(process.execPath, ['setup/main.ts', ...flags], {
    cwd: projectDirectory,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: directory,
      SETTINGS_DIRECTORY: directory,
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsManager.endpoint,
    },
  });
  let output = '';
  child.stdout.on('data', (text: Buffer) => (output += text.toString()));
  child.stderr.on('data', (text: Buffer) => (output += text.toString()));
  return new Promise((done) => child.on('close', (status) => done({ status, output })));
}

const stored = async (name: string) => {
  const SecretId = `${SERVICE}/shop/${name}`;
  const { SecretString = '', ARN } = await client.send(new GetSecretValueCommand({ SecretId }));
  return { fields: JSON.parse(SecretString) as Record<string, string>, arn: ARN };
};

const settings = () => parse(readFileSync(join(directory, 'params.shop.yml'), 'utf8'));

const expectNothingWritten = async () => {
  await expect(stored('merchant')).rejects.toThrow("can't find");
  expect(settings).toThrow('ENOENT');
};

describe('setup with a file of answers', () => {
  test('makes both secrets and the settings that name them, and shows no key', async () => {
    const { status, output } = await setup(ANSWERS, '--yes');

    expect(output).toContain('npx serverless deploy --stage shop');
    expect(status).toBe(0);
    const secret = await stored('merchant');
    const miniProgram = await stored('mini-program');
    expect(secret.fields).toEqual({
      mchid: MCHID,
      apiV2Key: ANSWERS.apiV2Key,
      apiV3Key: ANSWERS.apiV3Key,
      merchantPrivateKey: merchant.privateKey,
      merchantCertificate: merchant.certificate,
      merchantSerialNo: merchant.serialNo,
      wechatpayPublicKeyId: ANSWERS.wechatpayPublicKeyId,
      wechatpayPublicKey: wechat.publicKey,
    });
    expect(() => readMerchantSecret('m', JSON.stringify(secret.fields), 'v3')).not.toThrow();
    expect(miniProgram.fields).toEqual({
      appid: ANSWERS.appid,
      appSecret: ANSWERS.appSecret,
      sessionKey: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(settings()).toEqual({
      region: 'ap-southeast-1',
      apiVersion: 'v3',
      alarmEmail: 'me@example.com',
      merchantSecretArn: secret.arn,
      miniProgramSecretArn: miniProgram.arn,
    });
    const { appSecret, apiV2Key, apiV3Key } = ANSWERS;
    const keyLines = merchant.privateKey.split('\n').filter((line) => line.length > 20);
    const { sessionKey = '' } = miniProgram.fields;
    for (const key of [appSecret, apiV2Key, apiV3Key, sessionKey, ...keyLines.slice(1, -1)]) {
      expect(output).not.toContain(key);
    }
  });

  test('puts a new version where there is one, and keeps what was not answered', async () => {
    await setup(ANSWERS, '--yes');
    const before = await stored('mini-program');
    writeFileSync(
      join(directory, 'params.shop.yml'),
      `# mine\nlogLevel: WARN\n${stringify(settings())}`,
    );
    const newKey = 'w3w3w3w3w3w3w3w3w3w3w3w3w3w3w3w3';
    const { appSecret: _, apiV2Key: __, ...rest } = ANSWERS;

    expect(await setup({ ...rest, apiV3Key: newKey }, '--yes')).toMatchObject({ status: 0 });
    expect((await stored('mini-program')).fields).toEqual(before.fields);
    expect((await stored('merchant')).fields).toMatchObject({
      apiV3Key: newKey,
      apiV2Key: ANSWERS.apiV2Key,
    });
    expect(readFileSync(join(directory, 'params.shop.yml'), 'utf8')).toMatch(/^# mine\n/);
    expect(settings()).toMatchObject({ logLevel: 'WARN', region: 'ap-southeast-1' });
  });

  test('fills a secret that a deployment made without a value', async () => {
    await client.send(new CreateSecretCommand({ Name: `${SERVICE}/shop/merchant` }));

    expect(await setup(ANSWERS, '--yes')).toMatchObject({ status: 0 });
    expect((await stored('merchant')).fields).toMatchObject({ mchid: MCHID });
  });

  test('only checks when that is all that is wanted, without AWS', async () => {
    const { status, output } = await setup(ANSWERS, '--check');

    expect(status).toBe(0);
    expect(output).toContain(merchant.serialNo);
    await expectNothingWritten();
  });

  test('speaks Chinese', async () => {
    const { output } = await setup(ANSWERS, '--check', '--lang', 'zh');

    expect(output).toContain('检查通过，尚未发送任何东西');
  });

  test('needs a terminal or the answers', async () => {
    expect(await runSetup()).toMatchObject({
      status: 1,
      output: expect.stringContaining('There is no terminal to ask in'),
    });
    expect(await runSetup('--file', join(directory, 'none.yml'), '--yes')).toMatchObject({
      status: 1,
      output: expect.stringContaining('none.yml is not there'),
    });
  });
});

describe('setup sends nothing', () => {
  const another = () => newCertifiedKey(Date.now(), { commonName: MCHID });

  test.each([
    [
      "a key that is not the certificate's",
      () => putFiles({ 'apiclient_key.pem': newKeyPair().privateKey }),
      {},
      'merchantPrivateKey is not the key of merchantCertificate',
    ],
    [
      "a serial number that is not the certificate's",
      () => undefined,
      { merchantSerialNo: '4AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' },
      'merchantSerialNo is not the serial number of merchantCertificate',
    ],
    [
      'the serial number of another key and another certificate',
      () => putFiles({ 'apiclient_cert.pem': another().certificate }),
      { merchantSerialNo: '4AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' },
      'merchantSerialNo is not the serial number of apiclient_cert.pem',
    ],
    [
      'a certificate of another merchant',
      () => {
        const { privateKey, certificate } = newCertifiedKey(Date.now(), {
          commonName: '1900000110',
        });
        putFiles({ 'apiclient_key.pem': privateKey, 'apiclient_cert.pem': certificate });
      },
      {},
      'it is that of merchant 1900000110, not of 1900000109',
    ],
    [
      'a certificate that has ended',
      () => {
        const { privateKey, certificate } = newCertifiedKey(Date.now(), {
          notBeforeMs: Date.parse('2020-01-01'),
          notAfterMs: Date.parse('2025-01-01'),
          commonName: MCHID,
        });
        putFiles({ 'apiclient_key.pem': privateKey, 'apiclient_cert.pem': certificate });
      },
      {},
      'it expired at 2025-01-01T00:00:00.000Z',
    ],
    [
      'a .p12 of another merchant',
      () => putFiles({ 'apiclient_cert.p12': Buffer.from(CLIENT_P12, 'base64') }),
      { mchid: '1900000110' },
      'merchantP12 does not open with the mchid as its password',
    ],
    [
      'a .p12 that is none',
      () => putFiles({ 'apiclient_cert.p12': 'nothing' }),
      {},
      'merchantP12 is not a .p12 file',
    ],
    [
      'the id of a certificate where that of the public key belongs',
      () => undefined,
      { wechatpayPublicKeyId: '4AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' },
      'wechatpayPublicKeyId is the serial number of a certificate',
    ],
    [
      'a public key without its id',
      () => undefined,
      { wechatpayPublicKeyId: undefined },
      'wechatpayPublicKeyId is missing',
    ],
    ['a short key', () => undefined, { apiV3Key: 'v3' }, 'apiV3Key has 2 characters'],
    ['no key of v3', () => undefined, { apiV3Key: undefined }, 'apiV3Key is missing'],
    ['an appid that is none', () => undefined, { appid: 'gh_1' }, 'is the original id'],
    [
      'a domain without a certificate',
      () => undefined,
      { domainName: 'pay.example.com' },
      'The parameter domainName needs certificateArn as well.',
    ],
    [
      'a question that nobody asks',
      () => undefined,
      { apiv3key: 'x' },
      'missing, misspelt or malformed: apiv3key',
    ],
    [
      'a folder without any of the files',
      () => undefined,
      { certificateFolder: tmpdir() },
      'has none of apiclient_key.pem',
    ],
  ] as [string, () => void, Record<string, string | undefined>, string][])(
    'with %s, and says so',
    async (_, spoil, answers, reason) => {
      spoil();
      const { status, output } = await setup({ ...ANSWERS, ...answers }, '--yes');

      // Lines are broken and framed for a terminal.
      expect(output.replaceAll(/\s*│?\s+/g, ' ')).toContain(reason);
      expect(status).toBe(1);
      await expectNothingWritten();
    },
  );
});

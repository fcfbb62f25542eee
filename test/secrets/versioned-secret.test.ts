import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startSecretsManager } from '../../local/aws/secrets-manager.ts';
import { ConfigError } from '../../lib/errors.ts';
import { openSecretsClient } from '../../lib/secrets/client.ts';
import { openMerchantSecret as openMerchant } from '../../lib/secrets/merchant.ts';
import { openMiniProgramSecret as openMiniProgram } from '../../lib/secrets/mini-program.ts';
import { openSecret, type VersionedSecret } from '../../lib/secrets/versioned-secret.ts';

const { keys } = JSON.parse(readFileSync(new URL('../vectors/v3.json', import.meta.url), 'utf8'));

const SECRET_ID = 'wechatpay-serverless/test/merchant';
const schema = v.object({ key: v.pipe(v.string(), v.regex(/^k\d$/)) });
const version = (key: string) => JSON.stringify({ key });

type Stage = 'AWSCURRENT' | 'AWSPREVIOUS';
type Stored = Partial<Record<Stage, string | Error>>;

/** A secret over a store that a test changes, a clock that it moves, and the reads that were made. */
function openTest(stored: Stored) {
  const reads: Stage[] = [];
  const clock = { nowMs: 1_000_000_000 };
  let gate: Promise<void> = Promise.resolve();
  const send = async (command: GetSecretValueCommand) => {
    expect(command.input.SecretId).toBe(SECRET_ID);
    const stage = command.input.VersionStage as Stage;
    reads.push(stage);
    await gate;
    const value = stored[stage];
    if (value instanceof Error) {
      throw value;
    }
    if (value === undefined) {
      throw new ResourceNotFoundException({ message: 'no such version', $metadata: {} });
    }
    return { SecretString: value, $metadata: {} };
  };
  const secret = openSecret({ send: send as never }, SECRET_ID, schema, {
    nowMs: () => clock.nowMs,
  });
  /** Holds every read back until the returned function is called. */
  const holdReads = () => {
    let release = () => {};
    gate = new Promise((resolve) => {
      release = () => resolve();
    });
    return release;
  };
  return { secret, reads, clock, holdReads };
}

async function allOf(secret: VersionedSecret<{ key: string }>): Promise<string[]> {
  const keys: string[] = [];
  for await (const candidate of secret.candidates()) {
    keys.push(candidate.key);
  }
  return keys;
}

describe('the current version of a secret', () => {
  test('is fetched once and kept for 5 minutes', async () => {
    const stored: Stored = { AWSCURRENT: version('k1') };
    const { secret, reads, clock } = openTest(stored);

    expect(await secret.current()).toEqual({ key: 'k1' });
    stored.AWSCURRENT = version('k2');
    clock.nowMs += 5 * 60_000 - 1;
    expect(await secret.current()).toEqual({ key: 'k1' });
    expect(reads).toEqual(['AWSCURRENT']);
    clock.nowMs += 1;
    expect(await secret.current()).toEqual({ key: 'k2' });
    expect(reads).toEqual(['AWSCURRENT', 'AWSCURRENT']);
  });

  test('is fetched again when the clock was moved back', async () => {
    const { secret, reads, clock } = openTest({ AWSCURRENT: version('k1') });
    await secret.current();
    clock.nowMs -= 1;
    await secret.current();

    expect(reads).toHaveLength(2);
  });

  test('is fetched once for all who ask at the same time', async () => {
    const { secret, reads } = openTest({ AWSCURRENT: version('k1') });

    const values = await Promise.all(Array.from({ length: 20 }, () => secret.current()));

    expect(new Set(values.map(({ key }) => key))).toEqual(new Set(['k1']));
    expect(reads).toEqual(['AWSCURRENT']);
  });

  test('that could not be fetched is fetched again by the next caller', async () => {
    const stored: Stored = { AWSCURRENT: new Error('network') };
    const { secret, reads } = openTest(stored);

    const failed = await Promise.allSettled([secret.current(), secret.current()]);
    stored.AWSCURRENT = version('k1');

    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await secret.current()).toEqual({ key: 'k1' });
    expect(reads).toHaveLength(2);
  });

  test('serves up to an hour while it cannot be fetched, and is asked for every 10 seconds', async () => {
    const stored: Stored = { AWSCURRENT: version('k1') };
    const { secret, clock, reads } = openTest(stored);
    await secret.current();
    stored.AWSCURRENT = new Error('network');
    clock.nowMs += 5 * 60_000;

    expect(await secret.current()).toEqual({ key: 'k1' });
    expect(await secret.current()).toEqual({ key: 'k1' });
    expect(reads).toHaveLength(2);
    clock.nowMs += 10_000;
    expect(await secret.current()).toEqual({ key: 'k1' });
    expect(reads).toHaveLength(3);
    clock.nowMs += 55 * 60_000;
    await expect(secret.current()).rejects.toThrow('network');
  });

  test('that was made unusable is an error at once, whatever was good before', async () => {
    const stored: Stored = { AWSCURRENT: version('k1') };
    const { secret, clock } = openTest(stored);
    await secret.current();
    stored.AWSCURRENT = 'no JSON';
    clock.nowMs += 5 * 60_000;

    await expect(secret.current()).rejects.toThrow('is not JSON');
  });

  test('that does not exist is a mistake of the deployment', async () => {
    const { secret } = openTest({});

    await expect(secret.current()).rejects.toThrow(
      new ConfigError(`the secret ${SECRET_ID} does not exist or has no value yet`),
    );
  });

  test.each([
    ['no JSON', 'k1-s3cret', 'is not JSON'],
    ['half of a JSON', '{"key":"s3cret', 'is not JSON'],
    ['nothing', '', 'is not JSON'],
    ['a text', '"s3cret"', 'has a missing or malformed field: (the whole)'],
    ['a list', '["s3cret"]', 'has a missing or malformed field: key'],
    ['an object without the field', '{"Key":"s3cret"}', 'has a missing or malformed field: key'],
    ['a malformed field', '{"key":"s3cret"}', 'has a missing or malformed field: key'],
    ['a field of another type', '{"key":["s3cret"]}', 'has a missing or malformed field: key'],
  ])('that holds %s is refused without a word of it', async (_, text, problem) => {
    const { secret } = openTest({ AWSCURRENT: text });

    const error = await secret.current().then(
      () => undefined,
      (cause: unknown) => cause,
    );

    expect(error).toEqual(new ConfigError(`the secret ${SECRET_ID} ${problem}`));
    expect((error as Error).cause).toBeUndefined();
    expect((error as Error).stack).not.toContain('s3cret');
  });
});

describe('the versions to verify with', () => {
  test('cost nothing when the current one fits', async () => {
    const { secret, reads } = openTest({
      AWSCURRENT: version('k2'),
      AWSPREVIOUS: version('k1'),
    });
    const candidates = secret.candidates();

    expect((await candidates.next()).value).toEqual({ key: 'k2' });
    await candidates.return(undefined);
    expect(reads).toEqual(['AWSCURRENT']);
  });

  test('are the current one, then the previous one', async () => {
    const { secret, reads } = openTest({
      AWSCURRENT: version('k2'),
      AWSPREVIOUS: version('k1'),
    });

    expect(await allOf(secret)).toEqual(['k2', 'k1']);
    expect(reads).toEqual(['AWSCURRENT', 'AWSCURRENT', 'AWSPREVIOUS']);
  });

  test('include a key that was put after the last fetch', async () => {
    const stored: Stored = { AWSCURRENT: version('k1') };
    const { secret } = openTest(stored);
    await secret.current();
    stored.AWSPREVIOUS = version('k1');
    stored.AWSCURRENT = version('k2');

    expect(await allOf(secret)).toEqual(['k1', 'k2']);
    expect(await secret.current()).toEqual({ key: 'k2' });
  });

  test('include both when two keys were put after the last fetch', async () => {
    const stored: Stored = { AWSCURRENT: version('k1') };
    const { secret } = openTest(stored);
    await secret.current();
    stored.AWSPREVIOUS = version('k2');
    stored.AWSCURRENT = version('k3');

    expect(await allOf(secret)).toEqual(['k1', 'k3', 'k2']);
  });

  test('keep the previous one at hand for 5 minutes, and do not look for more within 2 seconds', async () => {
    const { secret, reads, clock } = openTest({
      AWSCURRENT: version('k2'),
      AWSPREVIOUS: version('k1'),
    });
    await allOf(secret);
    const before = reads.length;

    clock.nowMs += 1_999;
    expect(await allOf(secret)).toEqual(['k2', 'k1']);
    expect(reads).toHaveLength(before);
    clock.nowMs += 1;
    expect(await allOf(secret)).toEqual(['k2', 'k1']);
    expect(reads).toHaveLength(before + 2);
  });

  test('forget the previous one when it is replaced, so that a leaked key can be retired', async () => {
    const stored: Stored = { AWSCURRENT: version('k2'), AWSPREVIOUS: version('k1') };
    const { secret, clock } = openTest(stored);
    await allOf(secret);
    stored.AWSPREVIOUS = version('k2');
    clock.nowMs += 5 * 60_000;

    expect(await allOf(secret)).toEqual(['k2']);
    expect(await allOf(secret)).toEqual(['k2']);
  });

  test('no longer include a previous one that is 5 minutes old while it cannot be read again', async () => {
    const stored: Stored = { AWSCURRENT: version('k2'), AWSPREVIOUS: version('k1') };
    const { secret, clock } = openTest(stored);
    await allOf(secret);
    stored.AWSPREVIOUS = new Error('network');
    clock.nowMs += 5 * 60_000;

    await expect(allOf(secret)).rejects.toThrow('network');
    expect(await allOf(secret)).toEqual(['k2']);
  });

  test('are looked for once by a flood of messages that fit none', async () => {
    const { secret, reads } = openTest({ AWSCURRENT: version('k1') });
    await secret.current();

    await Promise.all(Array.from({ length: 50 }, () => allOf(secret)));

    expect(reads).toEqual(['AWSCURRENT', 'AWSCURRENT', 'AWSPREVIOUS']);
  });

  test('are there for everyone who asks while they are being looked for', async () => {
    const stored: Stored = { AWSCURRENT: version('k1') };
    const { secret, holdReads } = openTest(stored);
    await secret.current();
    stored.AWSPREVIOUS = version('k1');
    stored.AWSCURRENT = version('k2');

    const release = holdReads();
    const asked = [allOf(secret), allOf(secret), allOf(secret)];
    await vi.waitFor(() => undefined);
    release();

    expect(await Promise.all(asked)).toEqual([
      ['k1', 'k2'],
      ['k1', 'k2'],
      ['k1', 'k2'],
    ]);
  });

  test.each([
    ['does not exist', undefined],
    ['was never usable', '{"key":"s3cret"}'],
    ['is no JSON', 's3cret'],
  ])('are the current one alone when the previous one %s', async (_, previous) => {
    const { secret } = openTest({
      AWSCURRENT: version('k2'),
      ...(previous !== undefined && { AWSPREVIOUS: previous }),
    });

    expect(await allOf(secret)).toEqual(['k2']);
  });

  test('fail when they cannot be fetched, which is not the same as "forged"', async () => {
    const stored: Stored = { AWSCURRENT: version('k2'), AWSPREVIOUS: new Error('network') };
    const { secret, clock } = openTest(stored);

    await expect(allOf(secret)).rejects.toThrow('network');
    stored.AWSPREVIOUS = version('k1');
    clock.nowMs += 2_000;

    expect(await allOf(secret)).toEqual(['k2', 'k1']);
  });
});

const merchant = { mchid: '1900000109', apiV2Key: '0123456789abcdefghijklmnopqrstuv' };
const miniProgram = {
  appid: 'wx8888888888888888',
  appSecret: '0a1b2c3d4e5f60718293a4b5c6d7e8f9',
  sessionKey: 's'.repeat(32),
};

describe('the two secrets, read over HTTP', () => {
  let server: Awaited<ReturnType<typeof startSecretsManager>>;
  let client: SecretsManagerClient;
  let count = 0;

  beforeAll(async () => {
    server = await startSecretsManager();
    vi.stubEnv('AWS_REGION', 'us-east-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
    vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', server.endpoint);
    client = new SecretsManagerClient({});
  });

  afterAll(async () => {
    client.destroy();
    await server.stop();
    vi.unstubAllEnvs();
  });

  const openMerchantSecret = (config: { merchantSecretId: string; apiVersion: 'v2' | 'v3' }) =>
    openMerchant(openSecretsClient(), config, () => Date.now());
  const openMiniProgramSecret = (config: { miniProgramSecretId: string }) =>
    openMiniProgram(openSecretsClient(), config, () => Date.now());

  /** A new secret with that content; its name. */
  async function stored(content: object): Promise<string> {
    count += 1;
    const Name = `wechatpay-serverless/test/${count}`;
    await client.send(new CreateSecretCommand({ Name, SecretString: JSON.stringify(content) }));
    return Name;
  }

  test('are taken with what must be there', async () => {
    expect(
      await openMerchantSecret({
        merchantSecretId: await stored(merchant),
        apiVersion: 'v2',
      }).current(),
    ).toEqual(merchant);
    expect(
      await openMiniProgramSecret({ miniProgramSecretId: await stored(miniProgram) }).current(),
    ).toEqual(miniProgram);
  });

  test('are taken with all that may be there, and without what nobody knows', async () => {
    const full = {
      ...merchant,
      apiV3Key: 'a'.repeat(32),
      merchantSerialNo: '5157F09EFDC096DE15EBE81A47057A72',
      merchantPrivateKey: keys.java_merchant.pem_private,
      merchantCertificate: keys.java_merchant.pem_certificate,
      wechatpayPublicKeyId: 'PUB_KEY_ID_0119000001092024000000000000000000',
      wechatpayPublicKey: keys.doc_wechatpay_public_key.pem_public,
    };
    const merchantSecretId = await stored({ ...full, note: 'from the console' });
    const quoted = { ...miniProgram, quoteKey: 'q'.repeat(32) };
    const miniProgramSecretId = await stored(quoted);

    expect(await openMerchantSecret({ merchantSecretId, apiVersion: 'v2' }).current()).toEqual(
      full,
    );
    expect(await openMiniProgramSecret({ miniProgramSecretId }).current()).toEqual(quoted);
  });

  test('are refused as bytes', async () => {
    const merchantSecretId = 'wechatpay-serverless/test/bytes';
    await client.send(
      new CreateSecretCommand({ Name: merchantSecretId, SecretBinary: Buffer.from('s3cret') }),
    );

    await expect(
      openMerchantSecret({ merchantSecretId, apiVersion: 'v2' }).current(),
    ).rejects.toThrow(new ConfigError(`the secret ${merchantSecretId} is not JSON`));
  });

  test('are verified with both versions after a rotation', async () => {
    const merchantSecretId = await stored(merchant);
    const next = { ...merchant, apiV2Key: 'n'.repeat(32) };
    const secret = openMerchantSecret({ merchantSecretId, apiVersion: 'v2' });
    await secret.current();
    await client.send(
      new PutSecretValueCommand({ SecretId: merchantSecretId, SecretString: JSON.stringify(next) }),
    );
    const tried: unknown[] = [];
    for await (const { apiV2Key } of secret.candidates()) {
      tried.push(apiV2Key);
    }

    expect(tried).toEqual([merchant.apiV2Key, 'n'.repeat(32)]);
  });

  const ellipticKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  });
  const v3Fields = {
    apiV3Key: 'a'.repeat(32),
    merchantSerialNo: keys.java_merchant.serial_no,
    merchantPrivateKey: keys.java_merchant.pem_private,
  };

  test('are taken for API v3 without an APIv2 key and without a public key', async () => {
    const content = { mchid: merchant.mchid, ...v3Fields };
    const merchantSecretId = await stored(content);

    expect(await openMerchantSecret({ merchantSecretId, apiVersion: 'v3' }).current()).toEqual(
      content,
    );
  });

  test.each([
    ['apiV3Key', { apiV3Key: undefined }],
    ['merchantSerialNo', { merchantSerialNo: undefined }],
    ['merchantPrivateKey', { merchantPrivateKey: undefined }],
    ['merchantPrivateKey', { merchantPrivateKey: keys.java_merchant.pem_certificate }],
    [
      'apiV3Key, merchantSerialNo, merchantPrivateKey',
      Object.fromEntries(Object.keys(v3Fields).map((name) => [name, undefined])),
    ],
    ['merchantPrivateKey', { merchantPrivateKey: ellipticKey }],
    ['wechatpayPublicKey', { wechatpayPublicKeyId: 'PUB_KEY_ID_1' }],
    ['wechatpayPublicKeyId', { wechatpayPublicKey: keys.doc_wechatpay_public_key.pem_public }],
    ['subMchid', { spAppid: 'wx8888888888888888' }],
    ['subMchid', { subMchid: merchant.mchid }],
    ['subMchid', { subMchid: 's3cret' }],
    ['spAppid', { subMchid: '1900000999', spAppid: 's3cret' }],
  ])('of a merchant of API v3 are refused by the name of %s', async (fields, change) => {
    const merchantSecretId = await stored({ ...merchant, ...v3Fields, ...change });

    await expect(
      openMerchantSecret({ merchantSecretId, apiVersion: 'v3' }).current(),
    ).rejects.toThrow(
      new ConfigError(`the secret ${merchantSecretId} has a missing or malformed field: ${fields}`),
    );
  });

  test('of a merchant who moves to API v3 still verify what the old key signed', async () => {
    const merchantSecretId = await stored(merchant);
    const next = { mchid: merchant.mchid, ...v3Fields, apiV2Key: 'n'.repeat(32) };
    await client.send(
      new PutSecretValueCommand({ SecretId: merchantSecretId, SecretString: JSON.stringify(next) }),
    );
    const tried: unknown[] = [];
    const secret = openMerchantSecret({ merchantSecretId, apiVersion: 'v3' });
    for await (const { apiV2Key } of secret.candidates()) {
      tried.push(apiV2Key);
    }

    expect(tried).toEqual(['n'.repeat(32), merchant.apiV2Key]);
  });

  test('are missed by name', async () => {
    await expect(
      openMerchantSecret({ merchantSecretId: 'nowhere', apiVersion: 'v2' }).current(),
    ).rejects.toThrow(new ConfigError('the secret nowhere does not exist or has no value yet'));
  });

  test.each<[string, object]>([
    ['mchid', { mchid: 1900000109 }],
    ['mchid', { mchid: '19000' }],
    ['mchid', { mchid: '190000010x' }],
    ['apiV2Key', { apiV2Key: undefined }],
    ['apiV2Key', { apiV2Key: 'too-short-s3cret' }],
    ['apiV2Key', { apiV2Key: `${'s3cret'.repeat(5)}-!` }],
    ['apiV2Key', { apiV2Key: `${merchant.apiV2Key}\n` }],
    ['apiV3Key', { apiV3Key: 's3cret' }],
    ['merchantSerialNo', { merchantSerialNo: 's3cret' }],
    ['merchantPrivateKey', { merchantPrivateKey: 's3cret' }],
    ['merchantCertificate', { merchantCertificate: 's3cret' }],
    ['wechatpayPublicKeyId', { wechatpayPublicKeyId: 's3cret' }],
    ['wechatpayPublicKey', { wechatpayPublicKey: 's3cret' }],
    ['mchid, apiV2Key', { mchid: 's3cret', apiV2Key: 's3cret' }],
  ])('of the merchant is refused by the name of %s', async (fields, change) => {
    const merchantSecretId = await stored({ ...merchant, ...change });

    await expect(
      openMerchantSecret({ merchantSecretId, apiVersion: 'v2' }).current(),
    ).rejects.toThrow(
      new ConfigError(`the secret ${merchantSecretId} has a missing or malformed field: ${fields}`),
    );
  });

  test.each<[string, object]>([
    ['appid', { appid: '8888888888888888' }],
    ['appSecret', { appSecret: 's3cret' }],
    ['appSecret', { appSecret: `${miniProgram.appSecret}&x` }],
    ['sessionKey', { sessionKey: 's3cret'.repeat(5) }],
    ['quoteKey', { quoteKey: 's3cret' }],
    ['quoteKey', { quoteKey: miniProgram.sessionKey }],
  ])('of the mini-program is refused by the name of %s', async (fields, change) => {
    const miniProgramSecretId = await stored({ ...miniProgram, ...change });

    await expect(openMiniProgramSecret({ miniProgramSecretId }).current()).rejects.toThrow(
      new ConfigError(
        `the secret ${miniProgramSecretId} has a missing or malformed field: ${fields}`,
      ),
    );
  });
});

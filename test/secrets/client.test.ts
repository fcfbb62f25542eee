import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ConfigError } from '../../lib/errors.ts';
import { openSecretsClient, readSecret } from '../../lib/secrets/client.ts';
import { openMerchantSecret } from '../../lib/secrets/merchant.ts';
import { openMiniProgramSecret } from '../../lib/secrets/mini-program.ts';
import { startSecretsManager } from '../../local/aws/secrets-manager.ts';

const merchant = { mchid: '1900000109', apiV2Key: '0123456789abcdefghijklmnopqrstuv' };
const miniProgram = {
  appid: 'wx8888888888888888',
  appSecret: '0a1b2c3d4e5f60718293a4b5c6d7e8f9',
  sessionKey: 's'.repeat(32),
};

let server: Awaited<ReturnType<typeof startSecretsManager>>;
let administrator: SecretsManagerClient;
let count = 0;

beforeAll(async () => {
  server = await startSecretsManager();
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
  vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', server.endpoint);
  administrator = new SecretsManagerClient({});
});

afterAll(async () => {
  administrator.destroy();
  await server.stop();
  vi.unstubAllEnvs();
});

/** A new secret with that content; its name. */
async function stored(content: object): Promise<string> {
  count += 1;
  const Name = `wechatpay-serverless/test/${count}`;
  await administrator.send(
    new CreateSecretCommand({ Name, SecretString: JSON.stringify(content) }),
  );
  return Name;
}

const openMerchant = (merchantSecretId: string) =>
  openMerchantSecret(openSecretsClient(), { merchantSecretId, apiVersion: 'v2' }, () => 0);

test('both secrets are read over HTTP, where the environment says', async () => {
  const [merchantSecretId, miniProgramSecretId] = [
    await stored(merchant),
    await stored(miniProgram),
  ];
  const client = openSecretsClient();

  expect(await openMerchant(merchantSecretId).current()).toEqual(merchant);
  expect(await openMiniProgramSecret(client, { miniProgramSecretId }, () => 0).current()).toEqual(
    miniProgram,
  );
});

test('both versions are read after a rotation', async () => {
  const id = await stored(merchant);
  const secret = openMerchant(id);
  await secret.current();
  const next = { ...merchant, apiV2Key: 'n'.repeat(32) };
  await administrator.send(
    new PutSecretValueCommand({ SecretId: id, SecretString: JSON.stringify(next) }),
  );
  const tried: unknown[] = [];
  for await (const { apiV2Key } of secret.candidates()) {
    tried.push(apiV2Key);
  }

  expect(tried).toEqual([merchant.apiV2Key, 'n'.repeat(32)]);
});

test('bytes are refused', async () => {
  const Name = 'wechatpay-serverless/test/bytes';
  await administrator.send(new CreateSecretCommand({ Name, SecretBinary: Buffer.from('s3cret') }));

  await expect(openMerchant(Name).current()).rejects.toThrow(
    `the secret ${Name} is not JSON: it is empty, or bytes in place of a text`,
  );
});

test('a secret that is not there is missed by name', async () => {
  await expect(openMerchant('nowhere').current()).rejects.toThrow(
    new ConfigError('the secret nowhere does not exist or has no value yet'),
  );
});

test('a failure of Secrets Manager is not taken for a missing secret', async () => {
  const failure = new Error('throttled');
  const client = { send: () => Promise.reject(failure) } as never;

  await expect(readSecret(client, 'any', 'AWSCURRENT')).rejects.toBe(failure);
});

test.each([
  'AccessDeniedException',
  'DecryptionFailure',
  'InvalidRequestException',
  'InvalidParameterException',
])('a refusal that lasts (%s) is a mistake of the deployment', async (name) => {
  const failure = Object.assign(new Error('arn:aws:kms:s3cret'), { name });
  const client = { send: () => Promise.reject(failure) } as never;

  await expect(readSecret(client, 'shop/merchant', 'AWSCURRENT')).rejects.toThrow(
    new ConfigError(`the secret shop/merchant cannot be read: ${name}`),
  );
});

test('the client has time-outs that fit a notification', async () => {
  const client = openSecretsClient();
  await expect(readSecret(client, 'nowhere', 'AWSCURRENT')).resolves.toBeUndefined();
  // The handler settles its options with its first request.
  const { config } = client as SecretsManagerClient;
  const handler = config.requestHandler as unknown as { httpHandlerConfigs(): object };

  expect(await config.maxAttempts()).toBe(2);
  expect(handler.httpHandlerConfigs()).toMatchObject({
    connectionTimeout: 800,
    requestTimeout: 1000,
    throwOnRequestTimeout: true,
  });
});

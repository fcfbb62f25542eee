/** The throwaway merchant of this data directory: made once, kept in `merchant.json`, put into secrets. */
import { randomBytes } from 'node:crypto';
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { Merchant } from '../../simulator/book/credentials.ts';
import { createMerchant } from '../../simulator/create-merchant.ts';
import type { Names } from '../aws/environment.ts';
import { readJsonFile, START_FRESH, writeJsonFile } from '../json-file.ts';

/** The content of `merchant.json`. */
export type LocalMerchant = Merchant & {
  /** Signs quotes, in place of the merchant's own backend. */
  readonly quoteKey: string;
  readonly apiUrl: string;
  readonly simulatorUrl: string;
  /** The same over TLS, where refunds of API v2 show the merchant's certificate. */
  readonly simulatorTlsUrl: string;
  readonly simulatorTlsBackupUrl: string;
  /** Who vouches for it, in PEM. */
  readonly simulatorCa: string;
};

/** The merchant of an earlier start, or a new one. `wechatpayKeysFile` keeps WeChat's own side. */
export async function loadMerchant(
  file: string,
  wechatpayKeysFile: string,
): Promise<{ merchant: Merchant & { quoteKey: string }; isNew: boolean }> {
  const kept = readJsonFile(file);
  if (kept !== undefined) {
    assertKept(kept, file, wechatpayKeysFile);
    const merchant = { quoteKey: createKey(), ...kept };
    return { merchant, isNew: false };
  }
  const { merchant, wechatpayKeys } = await createMerchant();
  writeJsonFile(wechatpayKeysFile, wechatpayKeys);
  return { merchant: { ...merchant, quoteKey: createKey() }, isNew: true };
}

const FIELDS: readonly (keyof Merchant)[] = [
  'appid',
  'appSecret',
  'mchid',
  'apiV2Key',
  'apiV3Key',
  'merchantSerialNo',
  'merchantPrivateKey',
  'merchantCertificate',
  'wechatpayPublicKeyId',
  'wechatpayPublicKey',
  'platformSerialNo',
  'platformCertificate',
];

/** A file of another version, or without its other half, would fail at the first payment. */
function assertKept(
  kept: unknown,
  file: string,
  wechatpayKeysFile: string,
): asserts kept is Merchant {
  const values = new Map(typeof kept === 'object' && kept !== null ? Object.entries(kept) : []);
  const missing = FIELDS.find((field) => typeof values.get(field) !== 'string');
  if (missing !== undefined) {
    throw new Error(`${file} has no text "${missing}": put it back, ${START_FRESH}`);
  }
  if (readJsonFile(wechatpayKeysFile) === undefined) {
    throw new Error(
      `${wechatpayKeysFile} is gone, with which the simulator signs for ${file}: put it back, ${START_FRESH}`,
    );
  }
}

/** Writes `merchant.json` with the addresses of this start. */
export function saveMerchant(file: string, merchant: LocalMerchant): void {
  writeJsonFile(file, merchant);
}

/**
 * Puts the two secrets in the shape of a deployment. Values that are already there stay, because a
 * developer may have rotated them, unless the merchant itself is new.
 */
export async function putSecrets(
  endpoint: string,
  secretIds: Names['secretIds'],
  merchant: Merchant & { quoteKey: string },
  isNew: boolean,
): Promise<void> {
  const { appid, appSecret, quoteKey, ...rest } = merchant;
  const values = [
    [secretIds.miniProgram, { appid, appSecret, sessionKey: createKey(), quoteKey }],
    [secretIds.merchant, pickMerchantSecret(rest)],
  ] as const;
  const client = new SecretsManagerClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  try {
    for (const [name, value] of values) {
      await putSecret(client, name, JSON.stringify(value), isNew);
    }
  } finally {
    client.destroy();
  }
}

async function putSecret(
  client: SecretsManagerClient,
  name: string,
  value: string,
  replace: boolean,
): Promise<void> {
  try {
    await client.send(new CreateSecretCommand({ Name: name, SecretString: value }));
  } catch (error) {
    if (!(error instanceof ResourceExistsException)) {
      throw error;
    }
    if (!replace) {
      return;
    }
    await client.send(new PutSecretValueCommand({ SecretId: name, SecretString: value }));
  }
}

function pickMerchantSecret(merchant: Omit<Merchant, 'appid' | 'appSecret'>) {
  const { mchid, apiV2Key, apiV3Key, merchantSerialNo, merchantPrivateKey } = merchant;
  const { merchantCertificate, wechatpayPublicKeyId, wechatpayPublicKey } = merchant;
  return {
    mchid,
    apiV2Key,
    apiV3Key,
    merchantSerialNo,
    merchantPrivateKey,
    merchantCertificate,
    wechatpayPublicKeyId,
    wechatpayPublicKey,
  };
}

function createKey(): string {
  return randomBytes(32).toString('hex');
}

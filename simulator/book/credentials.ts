/** Throwaway credentials of the one merchant that the simulator knows, and of WeChat Pay itself. */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createCertifiedKey, type KeyMaker } from './certificate.ts';
import { randomText } from './random.ts';

/** What a merchant holds: the content of `.local/merchant.json` without the two addresses. PEM texts end with a newline. */
export interface Merchant {
  readonly appid: string;
  readonly appSecret: string;
  readonly mchid: string;
  /** 32 letters and digits (API密钥). */
  readonly apiV2Key: string;
  readonly apiV3Key: string;
  readonly merchantSerialNo: string;
  readonly merchantPrivateKey: string;
  readonly merchantCertificate: string;
  readonly wechatpayPublicKeyId: string;
  readonly wechatpayPublicKey: string;
  readonly platformSerialNo: string;
  readonly platformCertificate: string;
}

/** What only WeChat Pay holds: API v3 signs with these. Never in `merchant.json`. */
export interface WechatpayKeys {
  readonly platformPrivateKey: string;
  readonly wechatpayPrivateKey: string;
}

export interface Credentials {
  readonly merchant: Merchant;
  readonly wechatpayKeys: WechatpayKeys;
}

/** A sub-merchant (特约商户) of a service provider (服务商), with its own mini-program or without. */
export interface SubMerchant {
  readonly subMchid: string;
  readonly subAppid?: string;
  readonly subAppSecret?: string;
}

/** The fields that API v2 and code2session need; the rest of a merchant file may be absent. */
export type MerchantV2 = Pick<Merchant, 'appid' | 'appSecret' | 'mchid' | 'apiV2Key'> &
  Partial<Merchant> & {
    /** A merchant that has some is a service provider (服务商). */
    readonly subMerchants?: readonly SubMerchant[];
  };

const V2_FIELDS = ['appid', 'appSecret', 'mchid', 'apiV2Key'] as const;
const DIGITS = '0123456789';

/** Makes a merchant and the keys of its WeChat Pay. Nothing in it is worth protecting: it opens only this simulator. */
export async function createMerchant(maker: KeyMaker): Promise<Credentials> {
  const { randomBytes } = maker;
  const mchid = `19${randomText(randomBytes, 8, DIGITS)}`;
  const [merchantKey, platformKey, wechatpayKey] = await Promise.all([
    createCertifiedKey(mchid, maker),
    createCertifiedKey('Tenpay.com sign', maker),
    maker.createRsaKeyPair(),
  ]);
  return {
    merchant: {
      appid: `wx${randomBytes(8).toString('hex')}`,
      appSecret: randomBytes(16).toString('hex'),
      mchid,
      apiV2Key: randomText(randomBytes, 32),
      apiV3Key: randomText(randomBytes, 32),
      merchantSerialNo: merchantKey.serialNo,
      merchantPrivateKey: merchantKey.privateKey,
      merchantCertificate: merchantKey.pem,
      wechatpayPublicKeyId: `PUB_KEY_ID_0${mchid}${randomText(randomBytes, 21, DIGITS)}`,
      wechatpayPublicKey: wechatpayKey.publicKey,
      platformSerialNo: platformKey.serialNo,
      platformCertificate: platformKey.pem,
    },
    wechatpayKeys: {
      platformPrivateKey: platformKey.privateKey,
      wechatpayPrivateKey: wechatpayKey.privateKey,
    },
  };
}

/** Checks that the values which API v2 needs are there; names the bad field, never its value. */
export function assertMerchant(value: unknown, source: string): MerchantV2 {
  if (typeof value !== 'object' || value === null) {
    throw new Error(`${source}: not a JSON object`);
  }
  for (const field of V2_FIELDS) {
    const content: unknown = Reflect.get(value, field);
    if (typeof content !== 'string' || content === '') {
      throw new Error(`${source}: "${field}" must be a non-empty string`);
    }
  }
  return value as MerchantV2;
}

const PEM_FIELDS = {
  merchantPrivateKey: createPrivateKey,
  merchantCertificate: createPublicKey,
  wechatpayPublicKey: createPublicKey,
  platformCertificate: createPublicKey,
} as const;

/** Keys and certificates that are given can be read; names the bad field, never its value. */
function assertKeys(merchant: MerchantV2, source: string): MerchantV2 {
  for (const [field, read] of Object.entries(PEM_FIELDS)) {
    const pem: unknown = Reflect.get(merchant, field);
    if (pem !== undefined && pem !== '') {
      assertPem(pem, read, `${source}: "${field}" is cut off or not PEM`);
    }
  }
  return merchant;
}

function assertPem(pem: unknown, read: (pem: string) => unknown, problem: string): void {
  try {
    read(String(pem));
  } catch {
    throw new Error(`${problem}: put the file back, or make it anew with npm start -- --fresh`);
  }
}

/** Reads `.local/merchant.json`. */
export async function readMerchantFile(path: string): Promise<MerchantV2> {
  return assertKeys(assertMerchant(await readJson(path, 'merchant file'), path), path);
}

/** Reads `.local/wechatpay-keys.json`. */
export async function readWechatpayKeysFile(path: string): Promise<WechatpayKeys> {
  const value = await readJson(path, 'file of WeChat Pay keys');
  for (const field of ['platformPrivateKey', 'wechatpayPrivateKey'] as const) {
    const content: unknown =
      typeof value === 'object' && value !== null ? Reflect.get(value, field) : undefined;
    if (typeof content !== 'string' || !content.includes('PRIVATE KEY')) {
      throw new Error(`${path}: "${field}" must be a private key`);
    }
    assertPem(content, createPrivateKey, `${path}: "${field}" is cut off or not PEM`);
  }
  return value as WechatpayKeys;
}

async function readJson(path: string, what: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new Error(`cannot read the ${what} ${path}`, { cause: error });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${path}: not JSON`, { cause: error });
  }
}

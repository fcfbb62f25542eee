/** The secret `<service>/<stage>/merchant`. */
import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import * as v from 'valibot';
import type { Config } from '../runtime/config.ts';
import type { SecretsClient } from './client.ts';
import { appid } from './fields.ts';
import { openSecret, type SecretSchema, type VersionedSecret } from './versioned-secret.ts';

/** The merchant's keys. */
export interface MerchantSecret {
  readonly mchid: string;
  /** Service-provider mode (服务商模式): the merchant who is paid; `mchid` is the provider's. */
  readonly subMchid?: string | undefined;
  /** The provider's own appid, when the mini-program belongs to the sub-merchant. */
  readonly spAppid?: string | undefined;
  /** APIv2 key (APIv2 密钥): signs and verifies every v2 message. */
  readonly apiV2Key?: string | undefined;
  /** APIv3 key (APIv3 密钥): decrypts notifications and platform certificates. */
  readonly apiV3Key?: string | undefined;
  /** Serial number of the merchant API certificate (商户API证书序列号), hexadecimal. */
  readonly merchantSerialNo?: string | undefined;
  /** Its private key, PEM: signs every v3 request. */
  readonly merchantPrivateKey?: string | undefined;
  /** The certificate itself, PEM: tells how long it still lives. */
  readonly merchantCertificate?: string | undefined;
  /** `PUB_KEY_ID_…` (微信支付公钥ID). Without it, platform certificates are downloaded. */
  readonly wechatpayPublicKeyId?: string | undefined;
  readonly wechatpayPublicKey?: string | undefined;
}

const mchid = v.pipe(v.string(), v.regex(/^\d{6,32}$/));
const keyOf32 = v.pipe(v.string(), v.regex(/^[0-9A-Za-z]{32}$/));

const pem = (read: (text: string) => unknown) => v.pipe(v.string(), v.check(isRead(read)));

/** The fields, whatever the deployment needs of them. */
const merchantFields = v.object({
  mchid,
  subMchid: v.optional(mchid),
  spAppid: v.optional(appid),
  apiV2Key: v.optional(keyOf32),
  apiV3Key: v.optional(keyOf32),
  merchantSerialNo: v.optional(v.pipe(v.string(), v.regex(/^[0-9A-Fa-f]{8,40}$/))),
  merchantPrivateKey: v.optional(pem((text) => rsa(createPrivateKey(text)))),
  merchantCertificate: v.optional(pem((text) => new X509Certificate(text))),
  wechatpayPublicKeyId: v.optional(v.pipe(v.string(), v.regex(/^PUB_KEY_ID_\w{1,53}$/))),
  wechatpayPublicKey: v.optional(pem((text) => rsa(createPublicKey(text)))),
});

/** The merchant's secret, with every field that the version for new orders needs. */
function merchantSecret(apiVersion: Config['apiVersion']): SecretSchema<MerchantSecret> {
  return v.pipe(
    merchantFields,
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed || dataset.issues) {
        return;
      }
      for (const key of missingFields(dataset.value, apiVersion)) {
        const value = dataset.value[key];
        const path = { type: 'object', origin: 'value', input: dataset.value, key, value } as const;
        addIssue({ path: [path] });
      }
    }),
  );
}

const REQUIRED = {
  v2: ['apiV2Key'],
  v3: ['apiV3Key', 'merchantSerialNo', 'merchantPrivateKey'],
} as const;

/** What is needed and not there, or there without what it belongs to. */
function missingFields(secret: MerchantSecret, apiVersion: Config['apiVersion']) {
  const missing: (keyof MerchantSecret)[] = REQUIRED[apiVersion].filter((name) => !secret[name]);
  const { wechatpayPublicKeyId, wechatpayPublicKey, subMchid, spAppid } = secret;
  if (wechatpayPublicKey && !wechatpayPublicKeyId) {
    missing.push('wechatpayPublicKeyId');
  }
  if (wechatpayPublicKeyId && !wechatpayPublicKey) {
    missing.push('wechatpayPublicKey');
  }
  // WeChat refuses a provider that is its own sub-merchant.
  if ((spAppid && !subMchid) || subMchid === secret.mchid) {
    missing.push('subMchid');
  }
  return missing;
}

/** Whether a PEM text can be read; its error could quote it. */
function isRead(read: (text: string) => unknown) {
  return (text: string): boolean => {
    try {
      read(text);
      return true;
    } catch {
      return false;
    }
  };
}

function rsa(key: KeyObject): KeyObject {
  if (key.asymmetricKeyType !== 'rsa') {
    throw new TypeError('not an RSA key');
  }
  return key;
}

/** Does no I/O until its first use. */
export function openMerchantSecret(
  client: SecretsClient,
  { merchantSecretId, apiVersion }: Pick<Config, 'merchantSecretId' | 'apiVersion'>,
  nowMs: () => number,
): VersionedSecret<MerchantSecret> {
  return openSecret(client, merchantSecretId, merchantSecret(apiVersion), {
    nowMs,
    previousSchema: merchantFields,
  });
}

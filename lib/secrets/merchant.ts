/** The secret `<service>/<stage>/merchant`. */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import * as v from 'valibot';
import type { Config } from '../runtime/config.ts';
import type { SecretsClient } from './client.ts';
import { judgeCertificate } from './certificate-life.ts';
import { appid, field, recogniseId } from './fields.ts';
import { parseSecret, type SecretSchema } from './parse-secret.ts';
import { pem } from './pem.ts';
import { openSecret, type VersionedSecret } from './versioned-secret.ts';

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
  /** The certificate itself, PEM: refunds of API v2 show it, and it tells how long it still lives. */
  readonly merchantCertificate?: string | undefined;
  /** Certificate and key as WeChat's `.p12` file, in base64: in place of both, for refunds of API v2. */
  readonly merchantP12?: string | undefined;
  /** `PUB_KEY_ID_…` (微信支付公钥ID). Without it, platform certificates are downloaded. */
  readonly wechatpayPublicKeyId?: string | undefined;
  readonly wechatpayPublicKey?: string | undefined;
}

/** What each field has to be. */
const WANTED: Readonly<Record<keyof MerchantSecret, string>> = {
  mchid: '商户号, 8 to 10 digits',
  subMchid: "the sub-merchant's 商户号, digits, another than mchid; spAppid needs it",
  spAppid: "the provider's AppID, wx and 16 letters and digits",
  apiV2Key: 'APIv2密钥, 32 letters and digits',
  apiV3Key: 'APIv3密钥, 32 letters and digits',
  merchantSerialNo: '商户API证书序列号, hexadecimal, that of merchantCertificate',
  merchantPrivateKey: '商户API私钥, the content of apiclient_key.pem, that of merchantCertificate',
  merchantCertificate: '商户API证书, the content of apiclient_cert.pem',
  merchantP12: '商户API证书, the file apiclient_cert.p12 in base64',
  wechatpayPublicKeyId: '微信支付公钥ID, PUB_KEY_ID_ and digits, with wechatpayPublicKey',
  wechatpayPublicKey: '微信支付公钥, the content of pub_key.pem, with wechatpayPublicKeyId',
};

const mchid = field(/^\d{6,32}$/, recogniseId);
const keyOf32 = field(/^[0-9A-Za-z]{32}$/, (text) =>
  text.length === 32 ? 'has other characters than letters and digits' : undefined,
);
const serialNo = field(/^[0-9A-Fa-f]{8,40}$/, (text) =>
  text.includes(':') ? 'has colons' : recogniseId(text),
);
const publicKeyId = field(/^PUB_KEY_ID_\w{1,53}$/, (text) =>
  /^[0-9A-Fa-f]{8,40}$/.test(text) ? 'is the serial number of a certificate' : undefined,
);

/** The fields, whatever the deployment needs of them. */
const merchantFields = v.object({
  mchid,
  subMchid: v.optional(mchid),
  spAppid: v.optional(appid),
  apiV2Key: v.optional(keyOf32),
  apiV3Key: v.optional(keyOf32),
  merchantSerialNo: v.optional(serialNo),
  merchantPrivateKey: v.optional(pem('private key')),
  merchantCertificate: v.optional(pem('certificate')),
  merchantP12: v.optional(v.string()),
  wechatpayPublicKeyId: v.optional(publicKeyId),
  wechatpayPublicKey: v.optional(pem('public key')),
});

type Fault = readonly [name: keyof MerchantSecret, fault: string];

/** The merchant's secret, with every field that the version for new orders needs. */
function merchantSecret(apiVersion: Config['apiVersion']): SecretSchema<MerchantSecret> {
  return v.pipe(
    merchantFields,
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed || dataset.issues) {
        return;
      }
      const secret = dataset.value;
      const faults = [
        ...missingFields(secret, apiVersion),
        ...(apiVersion === 'v3' ? strangers(secret) : []),
      ];
      for (const [key, message] of faults) {
        const value = secret[key];
        const path = { type: 'object', origin: 'value', input: secret, key, value } as const;
        addIssue({ message, path: [path] });
      }
    }),
  );
}

const REQUIRED = {
  v2: ['apiV2Key'],
  v3: ['apiV3Key', 'merchantSerialNo', 'merchantPrivateKey'],
} as const;

/** What is needed and not there, or there without what it belongs to. */
function missingFields(secret: MerchantSecret, apiVersion: Config['apiVersion']): Fault[] {
  const missing: (keyof MerchantSecret)[] = REQUIRED[apiVersion].filter((name) => !secret[name]);
  const { wechatpayPublicKeyId, wechatpayPublicKey, subMchid, spAppid } = secret;
  if (wechatpayPublicKey && !wechatpayPublicKeyId) {
    missing.push('wechatpayPublicKeyId');
  }
  if (wechatpayPublicKeyId && !wechatpayPublicKey) {
    missing.push('wechatpayPublicKey');
  }
  if (spAppid && !subMchid) {
    missing.push('subMchid');
  }
  return [
    ...missing.map((name): Fault => [name, 'is missing']),
    // WeChat refuses a provider that is its own sub-merchant.
    ...(subMchid === secret.mchid ? [['subMchid', 'is mchid itself'] as const] : []),
  ];
}

/**
 * Keys that cannot work together: WeChat looks a signature's key up by the serial number, so one of
 * the two does not belong to the certificate. When neither does, it is the certificate that is
 * another one, which only its watch needs.
 */
function strangers(secret: MerchantSecret): Fault[] {
  const faults: Fault[] = [];
  const life = judgeCertificate(secret, 0);
  if (life && life.hasOurSerialNo !== life.hasOurKey) {
    faults.push(
      life.hasOurKey
        ? ['merchantSerialNo', 'is not the serial number of merchantCertificate']
        : ['merchantPrivateKey', 'is not the key of merchantCertificate'],
    );
  }
  const { merchantPrivateKey, wechatpayPublicKey } = secret;
  if (
    merchantPrivateKey &&
    wechatpayPublicKey &&
    createPublicKey(createPrivateKey(merchantPrivateKey)).equals(
      createPublicKey(wechatpayPublicKey),
    )
  ) {
    faults.push(['wechatpayPublicKey', "is the merchant's own public key"]);
  }
  return faults;
}

/**
 * A merchant's secret out of its text, for who writes one.
 *
 * @throws {ConfigError} naming every field that the functions would refuse, and no value.
 */
export const readMerchantSecret = (
  secretId: string,
  text: string,
  apiVersion: Config['apiVersion'],
): MerchantSecret => parseSecret(secretId, text, merchantSecret(apiVersion), WANTED);

/** Does no I/O until its first use. */
export function openMerchantSecret(
  client: SecretsClient,
  { merchantSecretId, apiVersion }: Pick<Config, 'merchantSecretId' | 'apiVersion'>,
  nowMs: () => number,
): VersionedSecret<MerchantSecret> {
  return openSecret(client, merchantSecretId, merchantSecret(apiVersion), {
    nowMs,
    wanted: WANTED,
    previousSchema: merchantFields,
  });
}

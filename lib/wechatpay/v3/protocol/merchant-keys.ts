/** The merchant's keys as `KeyObject`s, made once per version of the secret. */
import { createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import { ConfigError } from '../../../errors.ts';
import type { MerchantSecret } from '../../../secrets/merchant.ts';
import type { VersionedSecret } from '../../../secrets/versioned-secret.ts';
import { OWNERS_FAULTS } from '../../remedy.ts';
import type { Signer } from './sign.ts';

/** Signing with a `KeyObject` takes half the time of signing with a PEM text. */
function perSecret<T>(make: (secret: MerchantSecret) => T): (secret: MerchantSecret) => T {
  const made = new WeakMap<MerchantSecret, { readonly value: T }>();
  return (secret) => {
    const known = made.get(secret) ?? { value: make(secret) };
    made.set(secret, known);
    return known.value;
  };
}

/**
 * What requests and `paySign` are signed with.
 *
 * @throws {ConfigError} naming the fields that the secret lacks.
 */
export const signerOf = perSecret((secret): Signer => {
  const { mchid, merchantSerialNo, merchantPrivateKey } = secret;
  if (!merchantSerialNo || !merchantPrivateKey) {
    throw new ConfigError(
      'the merchant secret has no merchantSerialNo or merchantPrivateKey, which an order of API v3 needs',
      undefined,
      OWNERS_FAULTS.certificate.where,
    );
  }
  return {
    mchid,
    // WeChat compares it as text, in upper case.
    serialNo: merchantSerialNo.toUpperCase(),
    privateKey: createPrivateKey(merchantPrivateKey),
  };
});

/** Whether a secret can be used with API v3 at all. */
export function hasV3Keys(secret: MerchantSecret): boolean {
  const { apiV3Key, merchantSerialNo, merchantPrivateKey } = secret;
  return Boolean(apiV3Key && merchantSerialNo && merchantPrivateKey);
}

/** The APIv3 key, when there is one. */
const apiV3KeyOf = perSecret(({ apiV3Key }): KeyObject | undefined =>
  apiV3Key === undefined ? undefined : createSecretKey(Buffer.from(apiV3Key)),
);

const publicKeyOf = perSecret(({ wechatpayPublicKey }): KeyObject | undefined =>
  wechatpayPublicKey === undefined ? undefined : createPublicKey(wechatpayPublicKey),
);

const API_V3_KEY = {
  secret: 'merchant',
  field: 'apiV3Key',
  consolePage: '商户平台 → 账户中心 → API安全 → APIv3密钥',
};

/** WeChat Pay's public key with this id (微信支付公钥ID), in any version of the secret. */
export async function findPublicKey(
  merchant: VersionedSecret<MerchantSecret>,
  id: string,
): Promise<KeyObject | undefined> {
  for await (const secret of merchant.candidates()) {
    if (secret.wechatpayPublicKeyId === id) {
      return publicKeyOf(secret);
    }
  }
  return undefined;
}

/** WeChat Pay's public key of the current version of the secret, for what is encrypted for WeChat. */
export async function currentPublicKey(
  merchant: VersionedSecret<MerchantSecret>,
): Promise<{ serial: string; key: KeyObject } | undefined> {
  const secret = await merchant.current();
  const serial = secret.wechatpayPublicKeyId;
  const key = publicKeyOf(secret);
  return serial !== undefined && key ? { serial, key } : undefined;
}

/**
 * What an APIv3 key decrypts, and the version of the secret that it belongs to: the current key
 * first, then those that a message in flight may still be encrypted with.
 *
 * @throws {ConfigError} when no key fits. Callers know by then that WeChat sent it.
 */
export async function decryptWithAnyKey(
  merchant: VersionedSecret<MerchantSecret>,
  decrypt: (key: KeyObject) => Buffer | undefined,
): Promise<{ content: Buffer; secret: MerchantSecret }> {
  for await (const secret of merchant.candidates({ isGenuine: true })) {
    const key = apiV3KeyOf(secret);
    const content = key && decrypt(key);
    if (content) {
      return { content, secret };
    }
  }
  throw new ConfigError(
    'no version of the merchant secret has the apiV3Key that WeChat encrypts with',
    undefined,
    API_V3_KEY,
  );
}

/**
 * Secret fields of requests (敏感信息加密): RSA-OAEP with SHA-1, for WeChat Pay's public key or a
 * platform certificate, which `Wechatpay-Serial` of the request names.
 *
 * Source: pay.weixin.qq.com/doc/v3/merchant/4013053257.
 */
import { constants, type KeyObject, publicEncrypt } from 'node:crypto';
import { ConfigError } from '../../../errors.ts';

export interface EncryptionKey {
  readonly serial: string;
  readonly key: KeyObject;
}

/** The key to encrypt for; nothing when WeChat has told of none. */
export type FindEncryptionKey = () => Promise<EncryptionKey | undefined>;

/** @throws {ConfigError} when there is no key to encrypt for. */
export async function encryptForWechat(findKey: FindEncryptionKey) {
  const found = await findKey();
  if (!found) {
    throw new ConfigError(
      'there is no key to encrypt for WeChat with: neither wechatpayPublicKey nor a platform certificate',
      undefined,
      { secret: 'merchant', field: 'wechatpayPublicKeyId, wechatpayPublicKey' },
    );
  }
  const { serial, key } = found;
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const encrypt = (text: string) =>
    publicEncrypt({ key, padding, oaepHash: 'sha1' }, Buffer.from(text)).toString('base64');
  return { serial, encrypt };
}

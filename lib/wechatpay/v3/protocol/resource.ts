/**
 * AES-256-GCM, with which WeChat encrypts the content of notifications and its certificates. The
 * key is the APIv3 key itself; the last 16 bytes are the tag, and without it nothing is returned.
 *
 * Source: pay.weixin.qq.com/doc/v3/merchant/4012071382.
 */
import { createDecipheriv, type KeyObject } from 'node:crypto';
import * as v from 'valibot';
import { WechatPayMalformedMessageError } from '../../../errors.ts';

/** The wire form of something encrypted; `associated_data` may be empty or missing. */
export const encryptedResource = v.object({
  algorithm: v.literal('AEAD_AES_256_GCM'),
  ciphertext: v.pipe(v.string(), v.maxLength(1_048_576)),
  // Genuine ones have 12 characters, the documents allow 16.
  nonce: v.pipe(v.string(), v.regex(/^[\x20-\x7e]{8,16}$/)),
  associated_data: v.nullish(v.pipe(v.string(), v.maxLength(64)), ''),
});

export type EncryptedResource = v.InferOutput<typeof encryptedResource>;

const TAG_BYTES = 16;

/**
 * The content, or nothing when the tag shows that the key is another or a byte was changed.
 *
 * @throws {WechatPayMalformedMessageError} when it is too short or no base64.
 */
export function decryptResource(
  { ciphertext, nonce, associated_data: associatedData }: EncryptedResource,
  key: KeyObject,
): Buffer | undefined {
  const bytes = Buffer.from(ciphertext, 'base64');
  if (bytes.length < TAG_BYTES || bytes.toString('base64') !== ciphertext) {
    throw new WechatPayMalformedMessageError('the ciphertext is too short or not base64');
  }
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(nonce), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(Buffer.from(associatedData));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  const content = decipher.update(bytes.subarray(0, -TAG_BYTES));
  try {
    decipher.final();
    return content;
  } catch {
    return undefined;
  }
}

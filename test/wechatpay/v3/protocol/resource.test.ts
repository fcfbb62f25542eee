import { createSecretKey } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { decryptResource } from '../../../../lib/wechatpay/v3/protocol/resource.ts';
import { API_V3_KEY, v3Resource } from '../../../support/v3-message.ts';
import { vectorsOf } from '../vectors.ts';

const keyObject = (key: string) => createSecretKey(Buffer.from(key));
const KEY = keyObject(API_V3_KEY);

const encrypted = (content = '{"a":1}') => v3Resource(content);
const decrypt = (resource: ReturnType<typeof encrypted>, key = KEY) =>
  decryptResource({ ...resource, algorithm: 'AEAD_AES_256_GCM' }, key)?.toString();

const altered = (base64: string, index: number) => {
  const bytes = Buffer.from(base64, 'base64');
  bytes[index < 0 ? bytes.length + index : index]! ^= 1;
  return bytes.toString('base64');
};

describe('what WeChat encrypts', () => {
  const vectors = vectorsOf('aead_decrypt').filter(({ cipher }) => cipher === 'aes-256-gcm');

  test.each(vectors)('is decrypted as in $id', (vector) => {
    const { ciphertext, nonce, associated_data } = vector;
    const resource = { algorithm: 'AEAD_AES_256_GCM', ciphertext, nonce, associated_data } as const;

    expect(decryptResource(resource, keyObject(vector.apiv3_key))?.toString()).toBe(
      vector.expected_plaintext,
    );
  });

  test('is decrypted with empty associated data', () => {
    expect(decrypt(v3Resource('x', { associatedData: '' }))).toBe('x');
  });
});

describe('nothing comes out', () => {
  const good = encrypted();

  test('under another key', () => {
    expect(decrypt(good, keyObject('b'.repeat(32)))).toBe(undefined);
  });

  test.each([
    ['the first byte', 0],
    ['the last byte before the tag', -17],
    ['the first byte of the tag', -16],
    ['the last byte of the tag', -1],
  ])('when %s was changed', (_, index) => {
    expect(decrypt({ ...good, ciphertext: altered(good.ciphertext, index) })).toBe(undefined);
  });

  test('when the tag was cut', () => {
    const bytes = Buffer.from(good.ciphertext, 'base64');
    const cut = bytes.subarray(0, -4).toString('base64');

    expect(decrypt({ ...good, ciphertext: cut })).toBe(undefined);
  });

  test('with another nonce or other associated data', () => {
    expect(decrypt({ ...good, nonce: 'xxxxxxxxxxxx' })).toBe(undefined);
    expect(decrypt({ ...good, associated_data: 'refund' })).toBe(undefined);
  });

  test.each(['', 'AAAA', 'A'.repeat(20), 'not base64!', `${good.ciphertext} `])(
    'of %j, which is too short or no base64',
    (ciphertext) => {
      expect(() => decrypt({ ...good, ciphertext })).toThrow('too short or not base64');
    },
  );
});

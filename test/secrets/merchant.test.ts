import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../lib/errors.ts';
import { openMerchantSecret } from '../../lib/secrets/merchant.ts';
import { STORED_ID, storedSecret } from '../support/stored-secret.ts';

const { keys } = JSON.parse(readFileSync(new URL('../vectors/v3.json', import.meta.url), 'utf8'));

const merchant = { mchid: '1900000109', apiV2Key: '0123456789abcdefghijklmnopqrstuv' };

const open = (apiVersion: 'v2' | 'v3', current: object, previous?: object) =>
  openMerchantSecret(
    storedSecret(current, previous),
    { merchantSecretId: STORED_ID, apiVersion },
    () => 0,
  );

/** The keys that a genuine message may be signed with, in order. */
async function candidateKeys(secret: ReturnType<typeof open>) {
  const tried: unknown[] = [];
  for await (const { apiV2Key } of secret.candidates()) {
    tried.push(apiV2Key);
  }
  return tried;
}

/** Names the fields first, then what is wrong with each; quotes nothing. */
async function refusalOf(secret: ReturnType<typeof open>) {
  const error = await secret.current().then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (!(error instanceof ConfigError)) {
    throw new Error('the secret was taken');
  }
  expect(error.cause).toBeUndefined();
  expect(String(error.stack)).not.toContain('s3cret');
  expect(error.message).toMatch(
    new RegExp(`^the secret ${STORED_ID} has a missing or malformed field: `),
  );
  return { fields: error.parameters['field'], message: error.message };
}

describe('the secret of a merchant', () => {
  test('is taken with what must be there', async () => {
    expect(await open('v2', merchant).current()).toEqual(merchant);
  });

  test('is taken with all that may be there, and without what nobody knows', async () => {
    const full = {
      ...merchant,
      subMchid: '1900000999',
      spAppid: 'wx8888888888888888',
      apiV3Key: 'a'.repeat(32),
      merchantSerialNo: '5157F09EFDC096DE15EBE81A47057A72',
      merchantPrivateKey: keys.java_merchant.pem_private,
      merchantCertificate: keys.java_merchant.pem_certificate,
      wechatpayPublicKeyId: 'PUB_KEY_ID_0119000001092024000000000000000000',
      wechatpayPublicKey: keys.doc_wechatpay_public_key.pem_public,
    };

    expect(await open('v2', { ...full, note: 'from the console' }).current()).toEqual(full);
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
  ])('is refused by the name of %s', async (fields, change) => {
    const refusal = await refusalOf(open('v2', { ...merchant, ...change }));

    expect(refusal.fields).toBe(fields);
    expect(refusal.message).toContain(`malformed field: ${fields} (`);
    for (const name of fields.split(', ')) {
      expect(refusal.message).toMatch(new RegExp(`[(. ]${name} (is|has) .*?; wanted: `));
    }
  });

  test('is verified with both versions after a rotation', async () => {
    const next = { ...merchant, apiV2Key: 'n'.repeat(32) };

    expect(await candidateKeys(open('v2', next, merchant))).toEqual([
      'n'.repeat(32),
      merchant.apiV2Key,
    ]);
  });
});

describe('the secret of a merchant of API v3', () => {
  const ellipticKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  });
  const v3Fields = {
    apiV3Key: 'a'.repeat(32),
    merchantSerialNo: keys.java_merchant.serial_no,
    merchantPrivateKey: keys.java_merchant.pem_private,
  };

  test('is taken without an APIv2 key and without a public key', async () => {
    const content = { mchid: merchant.mchid, ...v3Fields };

    expect(await open('v3', content).current()).toEqual(content);
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
  ])('is refused by the name of %s', async (fields, change) => {
    const refusal = await refusalOf(open('v3', { ...merchant, ...v3Fields, ...change }));

    expect(refusal.fields).toBe(fields);
  });

  test('who has just moved there still verifies what the old key signed', async () => {
    const next = { mchid: merchant.mchid, ...v3Fields, apiV2Key: 'n'.repeat(32) };

    expect(await candidateKeys(open('v3', next, merchant))).toEqual([
      'n'.repeat(32),
      merchant.apiV2Key,
    ]);
  });
});

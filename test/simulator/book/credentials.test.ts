import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { createMerchant } from '../../../simulator/create-merchant.ts';
import { startSimulator } from '../../../simulator/start.ts';

test('a new merchant has values of the shapes that WeChat Pay gives out', async () => {
  const { merchant } = await createMerchant();
  expect(merchant).toMatchObject({
    appid: expect.stringMatching(/^wx[0-9a-f]{16}$/),
    appSecret: expect.stringMatching(/^[0-9a-f]{32}$/),
    mchid: expect.stringMatching(/^19\d{8}$/),
    apiV2Key: expect.stringMatching(/^[A-Za-z0-9]{32}$/),
    apiV3Key: expect.stringMatching(/^[A-Za-z0-9]{32}$/),
    merchantSerialNo: expect.stringMatching(/^4[0-9A-F]{39}$/),
    wechatpayPublicKeyId: expect.stringMatching(/^PUB_KEY_ID_0\d+$/),
  });
});

test('certificates carry their serial number and fit their keys', async () => {
  const { merchant, wechatpayKeys } = await createMerchant();
  const own = new X509Certificate(merchant.merchantCertificate);
  expect(own.serialNumber).toBe(merchant.merchantSerialNo);
  expect(own.subject).toContain(`CN=${merchant.mchid}`);
  expect(own.checkPrivateKey(createPrivateKey(merchant.merchantPrivateKey))).toBe(true);
  expect(own.verify(own.publicKey)).toBe(true);

  const platform = new X509Certificate(merchant.platformCertificate);
  expect(platform.serialNumber).toBe(merchant.platformSerialNo);
  expect(platform.checkPrivateKey(createPrivateKey(wechatpayKeys.platformPrivateKey))).toBe(true);
  expect(Date.parse(platform.validTo) - Date.now()).toBeGreaterThan(4 * 365 * 24 * 3600 * 1000);

  expect(
    createPublicKey(wechatpayKeys.wechatpayPrivateKey).export({ type: 'spki', format: 'pem' }),
  ).toBe(merchant.wechatpayPublicKey);
});

test('no private key of WeChat Pay is among what the merchant gets', async () => {
  const { merchant, wechatpayKeys } = await createMerchant();
  for (const key of Object.values(wechatpayKeys)) {
    expect(Object.values(merchant)).not.toContain(key);
  }
});

test('a merchant without a key is refused by the name of the field, not by its value', async () => {
  const { merchant } = await createMerchant();
  await expect(startSimulator({ merchant: { ...merchant, apiV2Key: '' } })).rejects.toThrow(
    'merchant: "apiV2Key" must be a non-empty string',
  );
});

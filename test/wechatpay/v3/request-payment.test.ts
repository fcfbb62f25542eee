import { expect, test } from 'vitest';
import { buildRequestPayment } from '../../../lib/wechatpay/v3/request-payment.ts';
import { secretVersions } from '../../support/secret-versions.ts';
import { v3Merchant } from '../../support/v3-message.ts';
import { keyOf, vector } from './vectors.ts';

const known = vector('paysign-jsapi-miniprogram');

const signed = (parties: object) =>
  buildRequestPayment(
    {
      merchant: secretVersions(v3Merchant({ merchantPrivateKey: keyOf(known.key).pem_private })),
      nonce: () => known.nonceStr,
      nowMs: () => Number(known.timeStamp) * 1000 + 999,
    },
    { path: '/v3/pay/transactions/jsapi', body: JSON.stringify(parties) },
    known.line4.replace('prepay_id=', ''),
  );

test('wx.requestPayment gets the signature of WeChat’s own example', async () => {
  expect(await signed({ appid: known.appId })).toEqual({
    timeStamp: known.timeStamp,
    nonceStr: known.nonceStr,
    package: known.line4,
    signType: 'RSA',
    paySign: known.expected_signature,
  });
});

test.each([
  [{ sp_appid: 'wxprovider000000', sub_appid: known.appId }],
  [{ sp_appid: known.appId }],
])('and with the appid of the mini-program that pays: %j', async (parties) => {
  expect(await signed(parties)).toMatchObject({ paySign: known.expected_signature });
});

test('a stored request of another version is refused', async () => {
  const { merchantPrivateKey } = v3Merchant();
  const client = {
    merchant: secretVersions(v3Merchant({ merchantPrivateKey })),
    nonce: () => 'n',
    nowMs: () => 0,
  };

  await expect(buildRequestPayment(client, { appid: 'wx1' }, 'wx01')).rejects.toThrow(
    'not one of API v3',
  );
});

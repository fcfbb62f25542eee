import { expect, test } from 'vitest';
import { buildRequestPayment } from '../../../lib/wechatpay/v3/request-payment.ts';
import { sampleOrder } from '../../support/sample-orders.ts';
import { secretVersions } from '../../support/secret-versions.ts';
import { v3Merchant } from '../../support/v3-message.ts';
import { keyOf, vector } from './vectors.ts';

const known = vector('paysign-jsapi-miniprogram');

test('an order of the merchant before is signed with that one’s key', async () => {
  const before = v3Merchant({ merchantPrivateKey: keyOf(known.key).pem_private });
  const answer = await buildRequestPayment(
    {
      merchant: secretVersions(v3Merchant({ mchid: '1900000222' }), before),
      nonce: () => known.nonceStr,
      nowMs: () => Number(known.timeStamp) * 1000,
    },
    sampleOrder({ apiVersion: 'v3', appid: known.appId }),
    known.line4.replace('prepay_id=', ''),
  );

  expect(answer.paySign).toBe(known.expected_signature);
});

test('wx.requestPayment gets the signature of WeChat’s own example', async () => {
  const answer = await buildRequestPayment(
    {
      merchant: secretVersions(v3Merchant({ merchantPrivateKey: keyOf(known.key).pem_private })),
      nonce: () => known.nonceStr,
      nowMs: () => Number(known.timeStamp) * 1000 + 999,
    },
    sampleOrder({ apiVersion: 'v3', appid: known.appId, spAppid: 'wxprovider000000' }),
    known.line4.replace('prepay_id=', ''),
  );

  expect(answer).toEqual({
    timeStamp: known.timeStamp,
    nonceStr: known.nonceStr,
    package: known.line4,
    signType: 'RSA',
    paySign: known.expected_signature,
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { buildRequestPayment } from '../../../lib/wechatpay/v2/request-payment.ts';
import type { SignType } from '../../../lib/order/stored-request.ts';
import { MCHID } from '../../support/sample-orders.ts';
import { merchantWith, secretVersions } from '../../support/secret-versions.ts';
import { API_V2_KEY, OTHER_KEY, signV2 } from '../../support/v2-message.ts';

interface Vector {
  readonly id: string;
  readonly params: Readonly<Record<string, string>>;
  readonly key: string;
  readonly sign_type: SignType;
  readonly expected_sign: string;
}

const vectors = JSON.parse(
  readFileSync(new URL('../../vectors/v2.json', import.meta.url), 'utf8'),
) as Record<'pay_sign' | 'self_generated', Vector[]>;

// The vectors of an app have other names; a mini-program's have `appId`.
const known = [
  ...vectors.pay_sign,
  ...vectors.self_generated.filter(({ id }) => id === 'sg-paysign-hmac'),
].filter(({ params }) => params['appId'] !== undefined);

/** An order of a mini-program, with what its row keeps of the request. */
const orderOf = (fields: Readonly<Record<string, string>>, appid = 'wx8888888888888888') =>
  ({ appid, mchid: MCHID, prepayRequest: { apiVersion: 'v2', fields } }) as const;

describe('the arguments of wx.requestPayment', () => {
  test.each(known)('are signed as published: $id', async ({ params, key, ...vector }) => {
    const answer = await buildRequestPayment(
      {
        merchant: secretVersions(merchantWith(key)),
        signType: vector.sign_type,
        nonce: () => params['nonceStr'] ?? '',
        nowMs: () => Number(params['timeStamp']) * 1000 + 999,
      },
      orderOf({ sign_type: vector.sign_type }, params['appId']),
      params['package']?.replace('prepay_id=', '') ?? '',
    );

    expect(answer).toEqual({
      timeStamp: params['timeStamp'],
      nonceStr: params['nonceStr'],
      package: params['package'],
      signType: params['signType'],
      paySign: vector.expected_sign,
    });
  });

  test('are five texts, without the appid that is signed with them', async () => {
    let nonces = 0;
    let readings = 0;
    const answer = await buildRequestPayment(
      {
        merchant: secretVersions(merchantWith()),
        signType: 'HMAC-SHA256',
        nonce: () => `nonce${++nonces}`,
        nowMs: () => 1_772_330_400_000 + 1_000 * readings++,
      },
      orderOf({}),
      'wx01100000000000000000000000000000',
    );

    expect(answer).toEqual({
      timeStamp: '1772330400',
      nonceStr: 'nonce1',
      package: 'prepay_id=wx01100000000000000000000000000000',
      signType: 'HMAC-SHA256',
      paySign: signV2({
        appId: 'wx8888888888888888',
        timeStamp: '1772330400',
        nonceStr: 'nonce1',
        package: 'prepay_id=wx01100000000000000000000000000000',
        signType: 'HMAC-SHA256',
      }),
    });
    expect({ nonces, readings }).toEqual({ nonces: 1, readings: 1 });
  });

  test.each([
    ['MD5', 'HMAC-SHA256'],
    ['HMAC-SHA256', 'MD5'],
  ] as const)(
    'of an order made under %s stay so when the deployment moves to %s',
    async (ordered, signType) => {
      const answer = await buildRequestPayment(
        {
          merchant: secretVersions(merchantWith()),
          signType,
          nonce: () => 'n',
          nowMs: () => 1_772_330_400_000,
        },
        orderOf({ sign_type: ordered }),
        'p',
      );

      expect(answer.signType).toBe(ordered);
      expect(answer.paySign).toBe(
        signV2(
          {
            appId: 'wx8888888888888888',
            timeStamp: '1772330400',
            nonceStr: 'n',
            package: 'prepay_id=p',
            signType: ordered,
          },
          API_V2_KEY,
          ordered,
        ),
      );
    },
  );

  test('are signed with the current key only', async () => {
    const merchant = secretVersions(merchantWith(OTHER_KEY), merchantWith(API_V2_KEY));

    const { paySign, ...rest } = await buildRequestPayment(
      { merchant, signType: 'HMAC-SHA256', nonce: () => 'n', nowMs: () => 0 },
      orderOf({}),
      'p',
    );

    expect(paySign).toBe(signV2({ appId: 'wx8888888888888888', ...rest }, OTHER_KEY));
    expect(merchant.offered()).toBe(0);
  });

  test('of an order of the merchant before are signed with that one’s key', async () => {
    const now = merchantWith(OTHER_KEY, '1900000110');

    const { paySign, ...rest } = await buildRequestPayment(
      {
        merchant: secretVersions(now, merchantWith(API_V2_KEY)),
        signType: 'HMAC-SHA256',
        nonce: () => 'n',
        nowMs: () => 0,
      },
      orderOf({}),
      'p',
    );

    expect(paySign).toBe(signV2({ appId: 'wx8888888888888888', ...rest }, API_V2_KEY));
  });

  test('name the mini-program that pays, not the provider’s', async () => {
    const { paySign, ...rest } = await buildRequestPayment(
      {
        merchant: secretVersions(merchantWith()),
        signType: 'MD5',
        nonce: () => 'n',
        nowMs: () => 0,
      },
      orderOf({ appid: 'wxprovider', sub_appid: 'wx8888888888888888' }),
      'p',
    );

    expect(paySign).toBe(signV2({ appId: 'wx8888888888888888', ...rest }, API_V2_KEY, 'MD5'));
  });
});

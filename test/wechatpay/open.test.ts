import { afterEach, describe, expect, test } from 'vitest';
import { bareMachine as machine } from '../../lib/machine.ts';
import { FIRST_MERCHANT } from '../../lib/order/order-id.ts';
import { openWechatPay, UnknownMerchantError } from '../../lib/wechatpay/open.ts';
import { APPID, MCHID, sampleOrder, sampleRefund } from '../support/sample-orders.ts';
import { refusingUrl, type ScriptedServer, serve } from '../support/scripted-server.ts';
import { merchantWith, secretVersions } from '../support/secret-versions.ts';
import { API_V2_KEY, signed, signV2, without, xmlOf } from '../support/v2-message.ts';
import { LOOPBACK_CERTIFICATE } from '../support/tls-certificate.ts';
import { readIndependently } from '../support/v2-reader.ts';
import { certifiedMerchant } from '../support/v2-refund-double.ts';

let server: ScriptedServer | undefined;

afterEach(async () => {
  await server?.stop();
});

describe('WeChat Pay as a deployment opens it', () => {
  test.each(['MD5', 'HMAC-SHA256'] as const)(
    'speaks to the configured host, signs with %s and a nonce that is new each time',
    async (signType) => {
      const answer = {
        return_code: 'SUCCESS',
        result_code: 'SUCCESS',
        appid: APPID,
        mch_id: MCHID,
        out_trade_no: 'order-0001',
        trade_state: 'NOTPAY',
      };
      const listening = await serve((response) => {
        response.end(xmlOf(signed(answer, API_V2_KEY, signType)));
      });
      server = listening;
      const wechatPay = openWechatPay(
        {
          signType,
          wechatPayBaseUrls: [listening.url],
          certifiedBaseUrls: [],
          certifiedAuthority: undefined,
        },
        secretVersions(merchantWith()),
        machine,
      )({ apiVersion: 'v2', merchantKey: FIRST_MERCHANT });
      const order = { outTradeNo: 'order-0001', appid: APPID, mchid: MCHID };
      await wechatPay.queryOrder(order, { timeoutMs: 5_000 });
      await wechatPay.queryOrder(order, { timeoutMs: 5_000 });

      const sent = listening.received.map(({ body }) =>
        Object.fromEntries(readIndependently(body) ?? []),
      );
      expect(sent).toHaveLength(2);
      for (const fields of sent) {
        expect(fields['nonce_str']).toMatch(/^[0-9a-f]{32}$/);
        expect(fields['sign']).toBe(signV2(without(fields, 'sign'), API_V2_KEY, signType));
      }
      expect(sent[0]?.['nonce_str']).not.toBe(sent[1]?.['nonce_str']);
    },
  );

  const open = () =>
    openWechatPay(
      {
        signType: 'HMAC-SHA256',
        wechatPayBaseUrls: [],
        certifiedBaseUrls: [],
        certifiedAuthority: undefined,
      },
      secretVersions(merchantWith()),
      {
        ...machine,
        nowMs: () => 1_772_330_400_999,
        randomBytes: (size) => Buffer.alloc(size, 0xab),
      },
    );

  test('signs for the phone with the time and the randomness that it is given', async () => {
    const order = sampleOrder();

    expect(await open()(order).buildRequestPayment(order, 'p')).toMatchObject({
      timeStamp: '1772330400',
      nonceStr: 'ab'.repeat(16),
    });
  });

  test('shows the client certificate to its own hosts, and to those that the authority vouches for', async () => {
    const { key, cert } = LOOPBACK_CERTIFICATE;
    const listening = await serve((response) => response.end('<xml/>'), { key, cert });
    server = listening;
    const refundWith = async (certifiedAuthority: string | undefined) => {
      const wechatPay = openWechatPay(
        {
          signType: 'HMAC-SHA256',
          wechatPayBaseUrls: [await refusingUrl()],
          certifiedBaseUrls: [listening.url],
          certifiedAuthority,
        },
        secretVersions(certifiedMerchant()),
        machine,
      )({ apiVersion: 'v2', merchantKey: FIRST_MERCHANT });
      const refund = {
        ...sampleRefund(),
        merchantKey: '',
        notifyBaseUrl: 'https://pay.example.com',
      };
      const refundRequest = wechatPay.buildRefundRequest(refund);
      const options = { timeoutMs: 3_000 };
      return wechatPay
        .refund({ ...refund, refundRequest }, options)
        .catch((error: unknown) => error);
    };

    expect(await refundWith(undefined)).toMatchObject({ kind: 'unknown', mayHaveReached: false });
    expect(listening.received).toEqual([]);
    await refundWith(cert);
    expect(listening.received).toMatchObject([{ url: '/secapi/pay/refund' }]);
  });

  test.each(['shop2', ' ', 'FIRST'])(
    'serves no merchant but the first: not "%s"',
    (merchantKey) => {
      const wechatPay = open();

      for (const apiVersion of ['v2', 'v3'] as const) {
        expect(() => wechatPay({ apiVersion, merchantKey })).toThrow(
          new UnknownMerchantError(`this deployment serves no merchant ${merchantKey}`),
        );
      }
    },
  );

  test('has each version once, made when it is asked for', () => {
    const wechatPay = open();
    const newOrder = {
      ...sampleOrder(),
      clientIp: '203.0.113.7',
      notifyBaseUrl: 'https://pay.example.com',
    };

    for (const apiVersion of ['v3', 'v2'] as const) {
      expect(
        wechatPay({ apiVersion, merchantKey: FIRST_MERCHANT }).buildPrepayRequest(newOrder),
      ).toMatchObject({ apiVersion });
      expect(wechatPay(sampleOrder({ apiVersion }))).toBe(
        wechatPay({ apiVersion, merchantKey: FIRST_MERCHANT }),
      );
    }
  });
});

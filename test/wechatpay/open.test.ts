import { afterEach, describe, expect, test } from 'vitest';
import { bareMachine as machine } from '../../lib/machine.ts';
import { openWechatPay } from '../../lib/wechatpay/open.ts';
import { APPID, MCHID } from '../support/sample-orders.ts';
import { type ScriptedServer, serve } from '../support/scripted-server.ts';
import { merchantWith, secretVersions } from '../support/secret-versions.ts';
import { API_V2_KEY, signed, signV2, without, xmlOf } from '../support/v2-message.ts';
import { readIndependently } from '../support/v2-reader.ts';

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
        { signType, wechatPayBaseUrls: [listening.url] },
        secretVersions(merchantWith()),
        machine,
      )('v2');
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

  test('signs for the phone with the time of now and a nonce of its own', async () => {
    const wechatPay = openWechatPay(
      { signType: 'HMAC-SHA256', wechatPayBaseUrls: [] },
      secretVersions(merchantWith()),
      machine,
    )('v2');
    const before = Math.floor(Date.now() / 1000);

    const { timeStamp, nonceStr } = await wechatPay.buildRequestPayment({ appid: APPID }, 'p');

    expect(Number(timeStamp)).toBeGreaterThanOrEqual(before);
    expect(Number(timeStamp)).toBeLessThanOrEqual(before + 5);
    expect(nonceStr).toMatch(/^[0-9a-f]{32}$/);
  });

  test('has each version once, made when it is asked for', () => {
    const config = { signType: 'HMAC-SHA256', wechatPayBaseUrls: [] } as const;
    const wechatPay = openWechatPay(config, secretVersions(merchantWith()), machine);

    expect(wechatPay('v3').apiVersion).toBe('v3');
    expect(wechatPay('v2').apiVersion).toBe('v2');
    expect(wechatPay('v3')).toBe(wechatPay('v3'));
  });

  test('does not have a version that this build lacks', () => {
    const config = { signType: 'HMAC-SHA256', wechatPayBaseUrls: [] } as const;
    const wechatPay = openWechatPay(config, secretVersions(merchantWith()), machine);

    expect(() => wechatPay('v4' as 'v3')).toThrow('does not have WeChat Pay API v4');
  });
});

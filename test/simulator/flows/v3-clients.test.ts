/** Other people's clients for API v3, as published on npm, pointed at the simulator. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Aes, Formatter, Rsa, Wechatpay } from 'wechatpay-axios-plugin';
import { type Bench, startBench } from '../support.ts';
import { callV3, type Json, type Resource } from '../v3-support.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench({ verification: 'switching' });
});
afterAll(async () => bench.stop());

interface Answer<T> {
  readonly status: number;
  readonly data: T;
}
interface Call {
  get(config?: object): Promise<Answer<Json>>;
  post(body: object, config?: object): Promise<Answer<Json>>;
}
type Chain = Call & { readonly [part: string]: Chain };

function createPlugin(certs: Record<string, string>, headers: Record<string, string> = {}): Chain {
  const { merchant, simulator } = bench;
  const client = new Wechatpay({
    mchid: merchant.mchid,
    serial: merchant.merchantSerialNo,
    privateKey: merchant.merchantPrivateKey,
    certs,
    baseURL: `${simulator.url}/`,
    ...(Object.keys(headers).length > 0 ? { headers } : {}),
  } as ConstructorParameters<typeof Wechatpay>[0]) as unknown as { v3: Chain };
  return client.v3;
}

const transactionsOf = (v3: Chain) => v3['pay']?.['transactions'] as Chain;

describe.each(['public key', 'platform certificate'])(
  'wechatpay-axios-plugin with the %s',
  (kind) => {
    const create = () => {
      const { wechatpayPublicKeyId, wechatpayPublicKey } = bench.merchant;
      const { platformSerialNo, platformCertificate } = bench.merchant;
      return kind === 'public key'
        ? createPlugin(
            { [wechatpayPublicKeyId]: wechatpayPublicKey },
            { 'Wechatpay-Serial': wechatpayPublicKeyId },
          )
        : createPlugin({ [platformSerialNo]: platformCertificate });
    };
    const number = `plugin-${kind.split(' ')[0]}`;

    test('orders, is paid by the phone, queries, and closes another', async () => {
      const { merchant, shop } = bench;
      const { mchid, appid } = merchant;
      const transactions = transactionsOf(create());
      const order = async (outTradeNo: string) =>
        transactions['jsapi']?.post({
          mchid,
          appid,
          out_trade_no: outTradeNo,
          description: 'Image形象店-深圳腾大-QQ公仔',
          notify_url: shop.notifyUrl,
          amount: { total: 100, currency: 'CNY' },
          payer: { openid: await bench.openidOf('alice') },
        });
      const ordered = await order(number);
      const fields = {
        appId: appid,
        timeStamp: Formatter.timestamp().toString(),
        nonceStr: Formatter.nonce(),
        package: `prepay_id=${String(ordered?.data['prepay_id'])}`,
      };
      const paySign = Rsa.sign(
        Formatter.joinedByLineFeed(...Object.values(fields)),
        merchant.merchantPrivateKey,
      );
      const payment = { user: 'alice', ...fields, signType: 'RSA', paySign };
      expect((await bench.control('POST', '/request-payment', payment)).body).toEqual({
        errMsg: 'requestPayment:ok',
      });
      const byNumber = transactions['outTradeNo']?.['{out_trade_no}'];
      const asked = await byNumber?.get({ params: { mchid }, out_trade_no: number });
      expect(asked?.data).toMatchObject({ trade_state: 'SUCCESS', amount: { total: 100 } });
      const byId = transactions['id']?.['{transaction_id}'];
      const again = await byId?.get({
        params: { mchid },
        transaction_id: asked?.data['transaction_id'],
      });
      expect(again?.data).toEqual(asked?.data);

      await order(`${number}-closed`);
      const closed = await transactions['outTradeNo']?.['{out_trade_no}']?.['close']?.post(
        { mchid },
        { out_trade_no: `${number}-closed` },
      );
      expect(closed?.status).toBe(204);
    });

    test('sees errors', async () => {
      const { mchid } = bench.merchant;
      const byNumber = transactionsOf(create())['outTradeNo']?.['{out_trade_no}'];
      await expect(
        byNumber?.get({ params: { mchid }, out_trade_no: 'none' }),
      ).rejects.toMatchObject({
        response: { status: 404, data: { code: 'ORDER_NOT_EXIST' } },
      });
    });
  },
);

test('wechatpay-axios-plugin notices a probe and an altered answer', async () => {
  const { platformSerialNo, platformCertificate, mchid } = bench.merchant;
  await bench.placeOrder('plugin-probed');
  const transactions = transactionsOf(createPlugin({ [platformSerialNo]: platformCertificate }));
  for (const kind of ['probe', 'tamper']) {
    await bench.control('POST', '/faults', { point: 'orderquery', kind, times: 1 });
    const call = transactions['outTradeNo']?.['{out_trade_no}']?.get({
      params: { mchid },
      out_trade_no: 'plugin-probed',
    });
    await expect(call).rejects.toThrow(/signature/i);
  }
});

test('wechatpay-axios-plugin decrypts a certificate', async () => {
  const { platformSerialNo, platformCertificate, apiV3Key } = bench.merchant;
  const { certificates } = createPlugin({
    [platformSerialNo]: platformCertificate,
  }) as unknown as { certificates: Call };
  const { data } = await certificates.get();
  const [item] = data['data'] as [{ serial_no: string; encrypt_certificate: Resource }];
  const { ciphertext, nonce, associated_data: aad } = item.encrypt_certificate;
  expect(item.serial_no).toBe(platformSerialNo);
  expect(Aes.AesGcm.decrypt(ciphertext, apiV3Key, nonce, aad)).toBe(platformCertificate);
});

/**
 * The official SDKs in Go and Java by protocol: their header sets and field orders, as their sources
 * write them.
 */
test.each([
  {
    sdk: 'wechatpay-go',
    order: ['mchid', 'nonce_str', 'timestamp', 'serial_no', 'signature'],
    headers: {
      accept: '*/*',
      'content-type': 'application/json',
      'user-agent': 'WechatPay-Go/0.2.21 (linux) GO/go1.24',
    },
  },
  {
    sdk: 'wechatpay-java',
    order: ['mchid', 'nonce_str', 'timestamp', 'serial_no', 'signature'],
    headers: {
      accept: 'application/json',
      'content-type': 'application/json; charset=utf-8',
      'user-agent': 'WechatPay-Java/0.2.17 (Linux/5.4) Java/17 Credential/okhttp3',
    },
  },
  {
    sdk: 'wechatpay-php',
    order: ['mchid', 'nonce_str', 'signature', 'timestamp', 'serial_no'],
    headers: {
      accept: 'application/json, text/plain, application/x-gzip, application/pdf, image/png',
      'content-type': 'application/json; charset=utf-8',
      'user-agent': 'wechatpay-php/1.4.12 GuzzleHttp/7 curl/8.5.0',
    },
  },
])('$sdk, by protocol', async ({ order, headers }) => {
  const { mchid } = bench.merchant;
  const url = `/v3/pay/transactions/out-trade-no/protocol?mchid=${mchid}`;
  const { status } = await callV3(bench, 'GET', url, undefined, { headers, fieldOrder: order });
  expect(status).toBe(404);
});

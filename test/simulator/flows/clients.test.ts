/** Other people's clients, as published on npm, pointed at the simulator. */
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Wechatpay } from 'wechatpay-axios-plugin';
import { type Bench, type Fields, startBench } from '../support.ts';

interface Tenpay {
  urls: Record<string, string>;
  unifiedOrder(fields: object): Promise<Fields>;
  getPayParams(fields: object): Promise<Fields>;
  orderQuery(fields: object): Promise<Fields>;
  closeOrder(fields: object): Promise<Fields>;
  downloadBill(fields: object): Promise<unknown>;
  middleware(
    kind: string,
  ): (
    context: { request: { body: string; weixin?: Fields }; reply?: unknown },
    next: () => Promise<void>,
  ) => Promise<void>;
}
const TenpayClient = createRequire(import.meta.url)('tenpay') as new (config: object) => Tenpay;

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(async () => bench.stop());

function createTenpay(): Tenpay {
  const { merchant, simulator, shop } = bench;
  const tenpay = new TenpayClient({
    appid: merchant.appid,
    mchid: merchant.mchid,
    partnerKey: merchant.apiV2Key,
    notify_url: shop.notifyUrl,
    pfx: Buffer.alloc(0),
  });
  for (const [name, url] of Object.entries(tenpay.urls)) {
    tenpay.urls[name] = `${simulator.url}${new URL(url).pathname}`;
  }
  return tenpay;
}

describe.each(['MD5', 'HMAC-SHA256'])('tenpay with %s', (sign_type) => {
  const outTradeNo = `tenpay-${sign_type}`;

  test('orders, is paid by the phone, queries, and refuses to close', async () => {
    const tenpay = createTenpay();
    const parameters = await tenpay.getPayParams({
      out_trade_no: outTradeNo,
      body: '茶 & <水>',
      total_fee: 1,
      openid: await bench.openidOf('alice'),
      sign_type,
    });
    expect(await tenpay.orderQuery({ out_trade_no: outTradeNo, sign_type })).toMatchObject({
      trade_state: 'NOTPAY',
      total_fee: '1',
    });
    const paid = await bench.control('POST', '/request-payment', { user: 'alice', ...parameters });
    expect(paid.body).toEqual({ errMsg: 'requestPayment:ok' });
    expect(await tenpay.orderQuery({ out_trade_no: outTradeNo, sign_type })).toMatchObject({
      trade_state: 'SUCCESS',
      total_fee: '1',
    });
    await expect(tenpay.closeOrder({ out_trade_no: outTradeNo, sign_type })).rejects.toThrow(
      'ORDERPAID',
    );
  });

  test('closes an unpaid order', async () => {
    const tenpay = createTenpay();
    const order = { out_trade_no: `${outTradeNo}-closed`, sign_type };
    await tenpay.unifiedOrder({
      ...order,
      body: '茶',
      total_fee: 1,
      openid: await bench.openidOf('alice'),
    });
    await bench.control('POST', '/clock', { advanceSeconds: 301 });
    expect(await tenpay.closeOrder(order)).toMatchObject({ result_code: 'SUCCESS' });
    expect(await tenpay.orderQuery(order)).toMatchObject({ trade_state: 'CLOSED' });
  });
});

test('tenpay accepts the notification of its MD5 order', async () => {
  const tenpay = createTenpay();
  const order = await tenpay.unifiedOrder({
    out_trade_no: 'tenpay-notified',
    body: '茶',
    total_fee: 7,
    openid: await bench.openidOf('alice'),
  });
  await bench.payByPhone(order['prepay_id'] ?? '', 'alice', 'MD5');
  await bench.waitForAttempts('tenpay-notified', 1);
  const notified = bench.shop.received.find(
    ({ fields }) => fields['out_trade_no'] === 'tenpay-notified',
  );
  const context = { request: { body: notified?.body ?? '' } as { body: string; weixin?: Fields } };
  let verified = false;
  await tenpay.middleware('pay')(context, async () => {
    verified = true;
  });
  expect(verified).toBe(true);
  expect(context.request.weixin).toMatchObject({ total_fee: '7', trade_type: 'JSAPI' });
});

test('tenpay reads the bill of yesterday', async () => {
  const tenpay = createTenpay();
  const order = await tenpay.getPayParams({
    out_trade_no: 'tenpay-in-bill',
    body: '茶',
    total_fee: 700,
    openid: await bench.openidOf('alice'),
  });
  expect(order).toBeDefined();
  await bench.control('POST', '/orders/tenpay-in-bill/pay');
  const { body } = await bench.control('GET', '/orders/tenpay-in-bill');
  const day = new Date(Date.parse(String(body['paidAt'])) + 8 * 3_600_000).toISOString();
  await bench.control('POST', '/clock', { advanceSeconds: 36 * 3600 });
  const bill = await tenpay.downloadBill({ bill_date: day.slice(0, 10).replaceAll('-', '') });
  expect(JSON.stringify(bill)).toContain('tenpay-in-bill');
});

describe.each(['MD5', 'HMAC-SHA256'])('wechatpay-axios-plugin with %s', (sign_type) => {
  const createClient = () => {
    const { merchant, simulator } = bench;
    const config = {
      mchid: merchant.mchid,
      serial: merchant.merchantSerialNo,
      privateKey: merchant.merchantPrivateKey,
      certs: { [merchant.wechatpayPublicKeyId]: merchant.wechatpayPublicKey },
      secret: merchant.apiV2Key,
      baseURL: `${simulator.url}/`,
    };
    interface Chain {
      post(fields: object): Promise<{ data: Fields }>;
    }
    const client = new Wechatpay(config) as unknown as {
      v2: { pay: Record<'unifiedorder' | 'orderquery' | 'closeorder', Chain> };
    };
    return client.v2.pay;
  };

  test('orders, queries and closes', async () => {
    const { merchant, shop } = bench;
    const pay = createClient();
    const who = { appid: merchant.appid, mch_id: merchant.mchid, sign_type };
    const number = { out_trade_no: `axios-${sign_type}` };
    const ordered = await pay.unifiedorder.post({
      ...who,
      ...number,
      body: 'Image形象店-深圳腾大-QQ公仔',
      total_fee: '100',
      spbill_create_ip: '127.0.0.1',
      notify_url: shop.notifyUrl,
      trade_type: 'JSAPI',
      openid: await bench.openidOf('bob'),
    });
    expect(ordered.data).toMatchObject({
      result_code: 'SUCCESS',
      prepay_id: expect.stringMatching(/^wx\d{14}[0-9a-f]{20}$/),
    });
    const asked = await pay.orderquery.post({ ...who, ...number });
    expect(asked.data).toMatchObject({ trade_state: 'NOTPAY' });
    await expect(pay.closeorder.post({ ...who, ...number })).rejects.toMatchObject({
      response: { data: { err_code: 'TRADE_STATE_ERROR' } },
    });
    await bench.control('POST', '/clock', { advanceSeconds: 300 });
    const closed = await pay.closeorder.post({ ...who, ...number });
    expect(closed.data).toMatchObject({ result_code: 'SUCCESS', result_msg: 'OK' });
  });

  test('sees WeChat text when its signature is wrong', async () => {
    const { merchant } = bench;
    const pay = createClient();
    await expect(
      pay.orderquery.post({
        appid: merchant.appid,
        mch_id: merchant.mchid,
        sign_type: 'SHA256',
        out_trade_no: 'x',
      }),
    ).rejects.toMatchObject({
      response: { data: { return_code: 'FAIL', return_msg: '签名错误' } },
    });
  });
});

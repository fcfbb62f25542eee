/** More clients from npm, as they are published: `wechatpay-node-v3` and `node-easywechat`. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bench, startBench } from '../support.ts';
import type { Json } from '../v3-support.ts';

const require = createRequire(import.meta.url);

interface HttpService {
  get(url: string, headers: object): Promise<unknown>;
  post(url: string, params: object, headers: object): Promise<unknown>;
}
interface Answered {
  readonly status: number;
  readonly data: Json;
}
interface NodeV3 {
  createHttp(service: HttpService): void;
  transactions_jsapi(params: object): Promise<Answered>;
  query(params: object): Promise<Answered>;
  close(outTradeNo: string): Promise<Answered>;
  get_certificates(apiV3Key: string): Promise<{ serial_no: string; publicKey: string }[]>;
  verifySign(params: object): Promise<boolean>;
  decipher_gcm(ciphertext: string, aad: string, nonce: string, key: string): Json;
}
const NodeV3Client = require('wechatpay-node-v3') as {
  new (config: object): NodeV3;
  /** Public keys in PEM by serial: what it verifies with. */
  certificates: Record<string, string>;
};
const { PayRequest } = require('wechatpay-node-v3/dist/lib/pay-request') as {
  PayRequest: new () => HttpService;
};

interface Easywechat {
  getClient(): {
    post(url: string, payload: object): Promise<{ toObject(): Json }>;
    get(url: string, payload?: object): Promise<{ toObject(): Json }>;
  };
  getUtils(): { buildMiniAppConfig(prepayId: string, appid: string, signType?: string): Json };
  getValidator(): { validate(request: object): Promise<boolean> };
  setRequest(request: object): void;
}
const EasywechatPay = require('node-easywechat/dist/Pay/Application') as new (
  config: object,
) => Easywechat;
const ServerRequest = require('node-easywechat/dist/Core/Http/ServerRequest') as new (
  method: string,
  url: string,
  headers: object,
  body: Buffer,
) => object;

let bench: Bench;
beforeAll(async () => {
  bench = await startBench({ verification: 'switching' });
});
afterAll(async () => bench.stop());

const lastNotification = async (outTradeNo: string) => {
  await bench.waitForAttempts(outTradeNo, 1);
  const { headers, body } = bench.shop.received.at(-1) ?? { headers: {}, body: '' };
  return { headers: headers as Record<string, string>, body };
};

describe('wechatpay-node-v3', () => {
  /** Its addresses are fixed; its own hook for the HTTP client moves them. */
  const create = () => {
    const { merchant, simulator } = bench;
    const client = new NodeV3Client({
      appid: merchant.appid,
      mchid: merchant.mchid,
      publicKey: Buffer.from(merchant.merchantCertificate),
      privateKey: Buffer.from(merchant.merchantPrivateKey),
      key: merchant.apiV3Key,
    });
    const http = new PayRequest();
    const move = (url: string) => url.replace('https://api.mch.weixin.qq.com', simulator.url);
    client.createHttp({
      get: async (url, headers) => http.get(move(url), headers),
      post: async (url, params, headers) => http.post(move(url), params, headers),
    });
    return client;
  };

  test('orders, pays, queries, closes, and verifies the notification', async () => {
    const { merchant, shop } = bench;
    const client = create();
    const ordered = await client.transactions_jsapi({
      description: '测试',
      out_trade_no: 'node-v3-1',
      notify_url: shop.notifyUrl,
      amount: { total: 1 },
      payer: { openid: await bench.openidOf('alice') },
    });
    expect(ordered.status).toBe(200);
    const payment = { user: 'alice', ...ordered.data };
    expect((await bench.control('POST', '/request-payment', payment)).body).toEqual({
      errMsg: 'requestPayment:ok',
    });
    const asked = await client.query({ out_trade_no: 'node-v3-1' });
    expect(asked.data).toMatchObject({ trade_state: 'SUCCESS' });
    const certificates = await client.get_certificates(merchant.apiV3Key);
    expect(certificates.map((one) => one.serial_no)).toEqual([merchant.platformSerialNo]);
    const { headers, body } = await lastNotification('node-v3-1');
    const verified = await client.verifySign({
      timestamp: headers['wechatpay-timestamp'],
      nonce: headers['wechatpay-nonce'],
      serial: headers['wechatpay-serial'],
      signature: headers['wechatpay-signature'],
      body,
      apiSecret: merchant.apiV3Key,
    });
    expect(verified).toBe(true);
    const { resource } = JSON.parse(body) as { resource: Record<string, string> };
    const { ciphertext = '', associated_data: aad = '', nonce = '' } = resource;
    expect(client.decipher_gcm(ciphertext, aad, nonce, merchant.apiV3Key)).toEqual(asked.data);
    expect((await client.close('node-v3-none')).status).toBe(204);
  });

  test('verifies with the public key of a merchant of today, once it is among its keys', async () => {
    const { merchant, shop } = bench;
    await bench.control('POST', '/verification', { mode: 'public-key' });
    NodeV3Client.certificates[merchant.wechatpayPublicKeyId] = merchant.wechatpayPublicKey;
    const client = create();
    await client.transactions_jsapi({
      description: '测试',
      out_trade_no: 'node-v3-2',
      notify_url: shop.notifyUrl,
      amount: { total: 1 },
      payer: { openid: await bench.openidOf('alice') },
    });
    await bench.control('POST', '/orders/node-v3-2/pay');
    const { headers, body } = await lastNotification('node-v3-2');
    const verified = await client.verifySign({
      timestamp: headers['wechatpay-timestamp'],
      nonce: headers['wechatpay-nonce'],
      serial: headers['wechatpay-serial'],
      signature: headers['wechatpay-signature'],
      body,
      apiSecret: merchant.apiV3Key,
    });
    expect([headers['wechatpay-serial'], verified]).toEqual([merchant.wechatpayPublicKeyId, true]);
    await bench.control('POST', '/verification', { mode: 'switching' });
  });
});

describe('node-easywechat', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'easywechat-'));
    const { merchantPrivateKey, merchantCertificate, platformCertificate, wechatpayPublicKey } =
      bench.merchant;
    await writeFile(join(directory, 'wechatpay.pem'), wechatpayPublicKey);
    await writeFile(join(directory, 'key.pem'), merchantPrivateKey);
    await writeFile(join(directory, 'cert.pem'), merchantCertificate);
    await writeFile(join(directory, 'platform.pem'), platformCertificate);
  });
  afterAll(async () => rm(directory, { recursive: true }));

  const create = () => {
    const { merchant, simulator } = bench;
    return new EasywechatPay({
      mch_id: merchant.mchid,
      private_key: join(directory, 'key.pem'),
      certificate: join(directory, 'cert.pem'),
      secret_key: merchant.apiV3Key,
      v2_secret_key: merchant.apiV2Key,
      platform_certs: {
        [merchant.wechatpayPublicKeyId]: join(directory, 'wechatpay.pem'),
        [merchant.platformSerialNo]: join(directory, 'platform.pem'),
      },
      http: { baseURL: simulator.url },
    });
  };

  test.each(['public-key', 'switching'])(
    'orders, pays, queries and verifies the notification in v3 (%s)',
    async (mode) => {
      await bench.control('POST', '/verification', { mode });
      const { merchant, shop } = bench;
      const outTradeNo = `easywechat-${mode}`;
      const app = create();
      // Its postJson signs an empty body (3.6.2); post signs what it sends.
      const ordered = await app.getClient().post('/v3/pay/transactions/jsapi', {
        data: {
          mchid: merchant.mchid,
          appid: merchant.appid,
          out_trade_no: outTradeNo,
          description: '测试',
          notify_url: shop.notifyUrl,
          amount: { total: 1, currency: 'CNY' },
          payer: { openid: await bench.openidOf('alice') },
        },
      });
      const prepayId = String(ordered.toObject()['prepay_id']);
      const payment = app.getUtils().buildMiniAppConfig(prepayId, merchant.appid);
      expect(
        (await bench.control('POST', '/request-payment', { user: 'alice', ...payment })).body,
      ).toEqual({ errMsg: 'requestPayment:ok' });
      const asked = await app.getClient().get(`/v3/pay/transactions/out-trade-no/${outTradeNo}`, {
        params: { mchid: merchant.mchid },
      });
      expect(asked.toObject()).toMatchObject({ trade_state: 'SUCCESS' });
      const { headers, body } = await lastNotification(outTradeNo);
      const request = new ServerRequest('POST', '/notify', headers, Buffer.from(body));
      expect(await app.getValidator().validate(request)).toBe(true);
    },
  );

  test.each(['MD5', 'HMAC-SHA256'])('orders and queries in v2 with %s', async (signType) => {
    const { merchant, shop } = bench;
    const app = create();
    const outTradeNo = `easywechat-${signType}`;
    const xml = {
      appid: merchant.appid,
      mch_id: merchant.mchid,
      nonce_str: '5K8264ILTKCH16CQ2502SI8ZNMTM67VS',
      out_trade_no: outTradeNo,
      sign_type: signType,
    };
    const ordered = await app.getClient().post('/pay/unifiedorder', {
      xml: {
        ...xml,
        body: '测试',
        total_fee: 1,
        spbill_create_ip: '127.0.0.1',
        notify_url: shop.notifyUrl,
        trade_type: 'JSAPI',
        openid: await bench.openidOf('alice'),
      },
    });
    const answer = ordered.toObject();
    expect(answer).toMatchObject({ result_code: 'SUCCESS' });
    const payment = app
      .getUtils()
      .buildMiniAppConfig(String(answer['prepay_id']), merchant.appid, signType);
    expect(
      (await bench.control('POST', '/request-payment', { user: 'alice', ...payment })).body,
    ).toEqual({ errMsg: 'requestPayment:ok' });
    const asked = await app.getClient().post('/pay/orderquery', { xml });
    expect(asked.toObject()).toMatchObject({ trade_state: 'SUCCESS' });
  });
});

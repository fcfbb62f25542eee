/** Other people's clients, as published on npm, refund and ask with their own code. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import https from 'node:https';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Wechatpay } from 'wechatpay-axios-plugin';
import { type Bench, type Fields, startBench } from '../support.ts';
import type { Json } from '../v3-support.ts';

const require = createRequire(import.meta.url);

let bench: Bench;
beforeAll(async () => {
  bench = await startBench({ tlsPort: 0, verification: 'switching' });
});
afterAll(async () => bench.stop());

const tlsOf = () => bench.simulator.tls ?? { url: '', backupUrl: '', authority: '' };
async function pay(outTradeNo: string): Promise<void> {
  await bench.placeOrder(outTradeNo);
  await bench.control('POST', `/orders/${outTradeNo}/pay`);
}
const endOfRefund = async (outRefundNo: string) =>
  (await bench.control('POST', `/refunds/${outRefundNo}`, { status: 'SUCCESS' })).body;
const pathOfLast = async (kind: string) => {
  const { messages } = (await bench.control('GET', '/messages')).body as unknown as {
    messages: { kind: string; path: string; request: { body: string }; note?: string }[];
  };
  return messages.findLast((one) => one.kind === kind);
};

describe('tenpay', () => {
  interface Tenpay {
    urls: Record<string, string>;
    refund(fields: object): Promise<Fields>;
    refundQuery(fields: object): Promise<Fields>;
    middleware(
      kind: string,
    ): (
      context: { request: { body: string; weixin?: Fields }; reply?: unknown },
      next: () => Promise<void>,
    ) => Promise<void>;
  }
  const TenpayClient = require('tenpay') as new (config: object) => Tenpay;

  test('refunds, asks, and reads the notification', async () => {
    const { merchant, simulator, shop } = bench;
    const tenpay = new TenpayClient({
      appid: merchant.appid,
      mchid: merchant.mchid,
      partnerKey: merchant.apiV2Key,
      notify_url: shop.notifyUrl,
      refund_url: shop.notifyUrl,
      pfx: Buffer.alloc(0),
    });
    for (const [name, url] of Object.entries(tenpay.urls)) {
      tenpay.urls[name] = `${simulator.url}${new URL(url).pathname}`;
    }
    await pay('tenpay-refunded');
    const asked = { out_trade_no: 'tenpay-refunded', out_refund_no: 'tenpay-R1' };
    const accepted = await tenpay.refund({ ...asked, total_fee: 2800, refund_fee: 1000 });
    expect(accepted).toMatchObject({ result_code: 'SUCCESS', refund_fee: '1000' });
    await endOfRefund('tenpay-R1');
    expect(await tenpay.refundQuery({ out_refund_no: 'tenpay-R1' })).toMatchObject({
      refund_status_0: 'SUCCESS',
      refund_fee_0: '1000',
    });
    await bench.waitForAttempts('tenpay-refunded', 2);
    const notice = shop.received.findLast(({ fields }) => fields['req_info'] !== undefined);
    const context = { request: { body: notice?.body ?? '' } as { body: string; weixin?: Fields } };
    await tenpay.middleware('refund')(context, async () => undefined);
    expect(context.request.weixin).toMatchObject({
      req_info: { out_refund_no: 'tenpay-R1', refund_status: 'SUCCESS' },
    });
    await expect(tenpay.refund({ ...asked, total_fee: 2800, refund_fee: 999 })).rejects.toThrow(
      'REFUND_FEE_MISMATCH',
    );
  });
});

describe('wechatpay-axios-plugin', () => {
  interface Chain {
    post(fields: object, config?: object): Promise<{ data: Fields }>;
  }
  interface V3Chain {
    post(body: object): Promise<{ data: Json }>;
    _out_refund_no_: { get(config: object): Promise<{ data: Json }> };
  }
  interface Client {
    v2: { secapi: { pay: { refund: Chain } }; pay: { refundquery: Chain } };
    v3: { refund: { domestic: { refunds: V3Chain } } };
  }
  const create = (baseURL: string, shown?: object) => {
    const { merchant } = bench;
    const config = {
      mchid: merchant.mchid,
      serial: merchant.merchantSerialNo,
      privateKey: merchant.merchantPrivateKey,
      certs: {
        [merchant.wechatpayPublicKeyId]: merchant.wechatpayPublicKey,
        [merchant.platformSerialNo]: merchant.platformCertificate,
      },
      secret: merchant.apiV2Key,
      baseURL: `${baseURL}/`,
      ...(shown ? { merchant: shown } : {}),
    };
    return new Wechatpay(config) as unknown as Client;
  };
  const own = () => ({
    cert: bench.merchant.merchantCertificate,
    key: bench.merchant.merchantPrivateKey,
    ca: tlsOf().authority,
  });
  const fieldsOf = (outTradeNo: string) => ({
    appid: bench.merchant.appid,
    mch_id: bench.merchant.mchid,
    out_trade_no: outTradeNo,
    out_refund_no: `${outTradeNo}-R1`,
    total_fee: '2800',
    refund_fee: '2800',
  });

  test('refunds in v2 over TLS with its certificate, and not without', async () => {
    await pay('axios-tls');
    const bare = create(tlsOf().url, { ca: tlsOf().authority });
    const security = { security: true };
    await expect(
      bare.v2.secapi.pay.refund.post(fieldsOf('axios-tls'), security),
    ).rejects.toMatchObject({ response: { status: 400 } });
    const client = create(tlsOf().url, own());
    const { data } = await client.v2.secapi.pay.refund.post(fieldsOf('axios-tls'), security);
    expect(data).toMatchObject({ result_code: 'SUCCESS', out_refund_no: 'axios-tls-R1' });
    const kept = await pathOfLast('refund');
    expect(kept?.path).toBe('/secapi/pay/refund');
    expect(kept?.request.body).toContain('axios-tls-R1');
    const { appid, mch_id } = fieldsOf('axios-tls');
    const asked = await create(bench.simulator.url).v2.pay.refundquery.post({
      appid,
      mch_id,
      out_trade_no: 'axios-tls',
    });
    expect(asked.data).toMatchObject({ refund_status_0: 'PROCESSING', refund_count: '1' });
  });

  test('refunds and asks in v3', async () => {
    await pay('axios-v3');
    const { refunds } = create(bench.simulator.url).v3.refund.domestic;
    const { data } = await refunds.post({
      out_trade_no: 'axios-v3',
      out_refund_no: 'axios-v3-R1',
      amount: { refund: 1, total: 2800, currency: 'CNY' },
    });
    expect(data).toMatchObject({ status: 'PROCESSING' });
    await endOfRefund('axios-v3-R1');
    const asked = await refunds._out_refund_no_.get({ out_refund_no: 'axios-v3-R1' });
    expect(asked.data).toMatchObject({ status: 'SUCCESS', refund_id: data['refund_id'] });
  });
});

describe('wechatpay-node-v3', () => {
  interface HttpService {
    get(url: string, headers: object): Promise<unknown>;
    post(url: string, params: object, headers: object): Promise<unknown>;
  }
  interface NodeV3 {
    createHttp(service: HttpService): void;
    refunds(params: object): Promise<{ status: number; data: Json }>;
    find_refunds(outRefundNo: string): Promise<{ status: number; data: Json }>;
    decipher_gcm(ciphertext: string, aad: string, nonce: string, key: string): Json;
  }
  const NodeV3Client = require('wechatpay-node-v3') as new (config: object) => NodeV3;
  const { PayRequest } = require('wechatpay-node-v3/dist/lib/pay-request') as {
    PayRequest: new () => HttpService;
  };

  test('refunds, asks, and opens the notification', async () => {
    const { merchant, simulator, shop } = bench;
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
    await pay('node-refunded');
    const accepted = await client.refunds({
      out_trade_no: 'node-refunded',
      out_refund_no: 'node-R1',
      notify_url: shop.notifyUrl,
      amount: { refund: 2800, total: 2800, currency: 'CNY' },
    });
    expect([accepted.status, accepted.data['status']]).toEqual([200, 'PROCESSING']);
    await endOfRefund('node-R1');
    const asked = await client.find_refunds('node-R1');
    expect(asked.data).toMatchObject({ status: 'SUCCESS', refund_id: accepted.data['refund_id'] });
    await bench.waitForAttempts('node-refunded', 2);
    const notice = shop.received.findLast(({ body }) => body.includes('REFUND.SUCCESS'));
    const { resource } = JSON.parse(notice?.body ?? '{}') as { resource: Record<string, string> };
    const { ciphertext = '', associated_data: aad = '', nonce = '' } = resource;
    expect(client.decipher_gcm(ciphertext, aad, nonce, merchant.apiV3Key)).toMatchObject({
      out_refund_no: 'node-R1',
      refund_status: 'SUCCESS',
    });
  });
});

describe('node-easywechat', () => {
  interface Easywechat {
    getClient(): {
      post(url: string, payload: object): Promise<{ toObject(): Json }>;
      get(url: string, payload?: object): Promise<{ toObject(): Json }>;
    };
  }
  const EasywechatPay = require('node-easywechat/dist/Pay/Application') as new (
    config: object,
  ) => Easywechat;
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'easywechat-refunds-'));
    const { merchantPrivateKey, merchantCertificate, platformCertificate, wechatpayPublicKey } =
      bench.merchant;
    await writeFile(join(directory, 'wechatpay.pem'), wechatpayPublicKey);
    await writeFile(join(directory, 'key.pem'), merchantPrivateKey);
    await writeFile(join(directory, 'cert.pem'), merchantCertificate);
    await writeFile(join(directory, 'platform.pem'), platformCertificate);
  });
  afterAll(async () => rm(directory, { recursive: true }));

  const create = (http: object) => {
    const { merchant } = bench;
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
      http,
    }).getClient();
  };

  test.each(['MD5', 'HMAC-SHA256'])(
    'refunds and asks in v2 with %s, over TLS',
    async (signType) => {
      const { merchant } = bench;
      const outTradeNo = `easywechat-${signType}`;
      await pay(outTradeNo);
      const xml = {
        appid: merchant.appid,
        mch_id: merchant.mchid,
        nonce_str: '5K8264ILTKCH16CQ2502SI8ZNMTM67VS',
        sign_type: signType,
        out_refund_no: `${outTradeNo}-R1`,
      };
      const httpsAgent = new https.Agent({
        ca: tlsOf().authority,
        cert: merchant.merchantCertificate,
        key: merchant.merchantPrivateKey,
      });
      const client = create({ baseURL: tlsOf().url, httpsAgent });
      const accepted = await client.post('/secapi/pay/refund', {
        xml: { ...xml, out_trade_no: outTradeNo, total_fee: 2800, refund_fee: 2800 },
      });
      expect(accepted.toObject()).toMatchObject({ result_code: 'SUCCESS' });
      const asked = await client.post('/pay/refundquery', { xml });
      expect(asked.toObject()).toMatchObject({ refund_status_0: 'PROCESSING' });
      httpsAgent.destroy();
    },
  );

  test('refunds and asks in v3', async () => {
    await pay('easywechat-v3');
    const client = create({ baseURL: bench.simulator.url });
    const accepted = await client.post('/v3/refund/domestic/refunds', {
      data: {
        out_trade_no: 'easywechat-v3',
        out_refund_no: 'easywechat-v3-R1',
        amount: { refund: 2800, total: 2800, currency: 'CNY' },
      },
    });
    expect(accepted.toObject()).toMatchObject({ status: 'PROCESSING' });
    const asked = await client.get('/v3/refund/domestic/refunds/easywechat-v3-R1');
    expect(asked.toObject()).toMatchObject({ status: 'PROCESSING' });
  });
});

/** Which of WeChat's keys signs what: certificates, public key, switch-over, rotation; and the merchant's own keys. */
import { X509Certificate } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Bench, startBench } from '../support.ts';
import {
  callV3,
  isSignedBy,
  type Json,
  openResource,
  paymentOf,
  payV3,
  placeV3,
  queryV3,
  type Resource,
} from '../v3-support.ts';

let bench: Bench;
beforeEach(async () => {
  bench = await startBench({ verification: 'switching' });
});
afterEach(async () => bench.stop());

const verification = async (mode: string, notificationShare?: number) =>
  bench.control('POST', '/verification', { mode, notificationShare });

const serialOf = (headers: Headers) => headers.get('wechatpay-serial');

const query = async (serial?: string) =>
  callV3(
    bench,
    'GET',
    `/v3/pay/transactions/out-trade-no/v3-none?mchid=${bench.merchant.mchid}`,
    undefined,
    { headers: { 'wechatpay-serial': serial } },
  );

interface CertificateItem {
  readonly serial_no: string;
  readonly effective_time: string;
  readonly expire_time: string;
  readonly encrypt_certificate: Resource & { readonly algorithm: string };
}

const download = async () => {
  const answer = await callV3(bench, 'GET', '/v3/certificates');
  return { answer, items: answer.json['data'] as CertificateItem[] };
};

describe('answers', () => {
  test('carry the headers of WeChat Pay, errors too', async () => {
    const { headers, text, status } = await query();
    expect(status).toBe(404);
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'wechatpay-signature-type': 'WECHATPAY2-SHA256-RSA2048',
      'wechatpay-timestamp': expect.stringMatching(/^\d{10}$/) as string,
      'wechatpay-nonce': expect.stringMatching(/^\w{32}$/) as string,
      'request-id': expect.stringMatching(/^08[0-9A-F]{34}-268512771$/) as string,
    });
    expect(isSignedBy(bench.merchant.platformCertificate, headers, text)).toBe(true);
    expect(isSignedBy(bench.merchant.wechatpayPublicKey, headers, text)).toBe(false);
  });

  test('follow the Wechatpay-Serial of the request while WeChat is switching', async () => {
    const { merchant } = bench;
    const byKey = await query(merchant.wechatpayPublicKeyId);
    expect(serialOf(byKey.headers)).toBe(merchant.wechatpayPublicKeyId);
    expect(isSignedBy(merchant.wechatpayPublicKey, byKey.headers, byKey.text)).toBe(true);
    for (const serial of [undefined, merchant.platformSerialNo, 'PUB_KEY_ID_1']) {
      expect(serialOf((await query(serial)).headers)).toBe(merchant.platformSerialNo);
    }
  });

  test('ignore it before the switch, and for a merchant with a public key only', async () => {
    const { wechatpayPublicKeyId, platformSerialNo } = bench.merchant;
    await verification('certificate');
    expect(serialOf((await query(wechatpayPublicKeyId)).headers)).toBe(platformSerialNo);
    await verification('public-key');
    expect(serialOf((await query(platformSerialNo)).headers)).toBe(wechatpayPublicKeyId);
  });
});

describe('certificates', () => {
  test('are downloaded, decrypted with the API v3 key, and fit the signature of the answer', async () => {
    const { merchant } = bench;
    const { answer, items } = await download();
    const [item] = items;
    const pem = openResource(item?.encrypt_certificate as Resource, merchant.apiV3Key);
    expect(pem).toBe(merchant.platformCertificate);
    expect(item).toMatchObject({
      serial_no: new X509Certificate(pem).serialNumber,
      encrypt_certificate: { algorithm: 'AEAD_AES_256_GCM', associated_data: 'certificate' },
    });
    expect(Date.parse(item?.expire_time ?? '')).toBe(
      new X509Certificate(pem).validToDate.getTime(),
    );
    expect(isSignedBy(pem, answer.headers, answer.text)).toBe(true);
  });

  test('do not exist for a new merchant', async () => {
    await verification('public-key');
    const { answer } = await download();
    expect([answer.status, answer.json]).toEqual([
      404,
      {
        code: 'RESOURCE_NOT_EXISTS',
        message: '无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥。',
      },
    ]);
  });

  test('rotate: the successor beside the first, its share of the messages, then alone', async () => {
    const { merchant } = bench;
    await verification('certificate');
    const rotated = await bench.control('POST', '/platform-certificates', { share: 0.5 });
    const listed = rotated.body['certificates'] as unknown as { serialNo: string }[];
    expect(listed.map(({ serialNo }) => serialNo)).toEqual([
      merchant.platformSerialNo,
      expect.stringMatching(/^4[0-9A-F]{39}$/),
    ]);
    const successor = listed[1]?.serialNo ?? '';
    expect((await download()).items.map((item) => item.serial_no)).toEqual([
      merchant.platformSerialNo,
      successor,
    ]);
    const seen = new Set<string>();
    for (let call = 0; call < 20; call += 1) {
      seen.add(String(serialOf((await query()).headers)));
    }
    expect(seen).toEqual(new Set([merchant.platformSerialNo, successor]));

    await bench.control('POST', '/platform-certificates', { share: 1 });
    expect(serialOf((await query()).headers)).toBe(successor);
    await bench.control('DELETE', `/platform-certificates/${merchant.platformSerialNo}`);
    const { items } = await download();
    expect(items.map((item) => item.serial_no)).toEqual([successor]);
    const last = await bench.control('DELETE', `/platform-certificates/${successor}`);
    expect(last).toMatchObject({ status: 409, body: { error: { code: 'LAST_CERTIFICATE' } } });
  });
});

describe('notifications', () => {
  const serials = () =>
    bench.shop.received.map(({ headers }) => String(headers['wechatpay-serial']));

  test('are signed by the share of the public key while WeChat is switching', async () => {
    const { wechatpayPublicKeyId, platformSerialNo } = bench.merchant;
    await verification('switching', 0.5);
    for (let number = 0; number < 16; number += 1) {
      await payV3(bench, `ramp-${number}`);
      await bench.waitForAttempts(`ramp-${number}`, 1);
    }
    expect([...new Set(serials())].toSorted()).toEqual(
      [platformSerialNo, wechatpayPublicKeyId].toSorted(),
    );
    for (const { headers, body } of bench.shop.received) {
      const isByKey = headers['wechatpay-serial'] === wechatpayPublicKeyId;
      const { wechatpayPublicKey, platformCertificate } = bench.merchant;
      expect(isSignedBy(isByKey ? wechatpayPublicKey : platformCertificate, headers, body)).toBe(
        true,
      );
    }
  });

  test('follow the key that the order named, as long as no share is set', async () => {
    const { wechatpayPublicKeyId, platformSerialNo } = bench.merchant;
    await payV3(bench, 'follow-certificate');
    await bench.waitForAttempts('follow-certificate', 1);
    const headers = { 'wechatpay-serial': wechatpayPublicKeyId };
    await placeV3(bench, 'follow-key', {}, { headers });
    await bench.control('POST', '/orders/follow-key/pay');
    await bench.waitForAttempts('follow-key', 1);
    expect(serials()).toEqual([platformSerialNo, wechatpayPublicKeyId]);
    const { body } = await bench.control('GET', '/verification');
    expect(body).toEqual({
      mode: 'switching',
      notificationShare: null,
      publicKeyId: wechatpayPublicKeyId,
    });
  });

  test('are signed by the certificate at share 0 and before the switch', async () => {
    for (const [mode, share] of [
      ['switching', 0],
      ['certificate', 1],
    ] as const) {
      await verification(mode, share);
      await payV3(bench, `cert-${mode}`);
      await bench.waitForAttempts(`cert-${mode}`, 1);
    }
    expect(new Set(serials())).toEqual(new Set([bench.merchant.platformSerialNo]));
  });
});

describe("the merchant's keys", () => {
  const change = async (body: object) => (await bench.control('POST', '/merchant', body)).body;

  test('the API v3 key: new notifications and certificates use the new one at once, retries keep theirs', async () => {
    const { merchant, shop } = bench;
    shop.answerWith((_, response) => {
      response.statusCode = 500;
      return '';
    });
    await payV3(bench, 'before-key');
    await bench.waitForAttempts('before-key', 1);
    const { apiV3Key } = (await change({ apiV3Key: true })) as unknown as { apiV3Key: string };
    expect(apiV3Key).toMatch(/^[0-9A-Za-z]{32}$/);
    await payV3(bench, 'after-key');
    await bench.waitForAttempts('after-key', 1);
    const resources = () =>
      shop.received.map(({ body }) => (JSON.parse(body) as { resource: Resource }).resource);
    const [before, after] = resources();
    expect(openResource(before as Resource, merchant.apiV3Key)).toContain('before-key');
    expect(openResource(after as Resource, apiV3Key)).toContain('after-key');
    expect(() => openResource(after as Resource, merchant.apiV3Key)).toThrow(/authenticate/);
    const { items } = await download();
    expect(openResource(items[0]?.encrypt_certificate as Resource, apiV3Key)).toContain('BEGIN');

    await bench.control('POST', '/clock', { advanceSeconds: 15 });
    const retried = await bench.waitForAttempts('before-key', 2);
    expect(retried.notifications[0]?.attempts).toHaveLength(2);
    expect(openResource(resources()[2] as Resource, merchant.apiV3Key)).toContain('before-key');
    await change({ pendingNotifications: 'renew' });
    await bench.control('POST', '/clock', { advanceSeconds: 15 });
    await bench.waitForAttempts('before-key', 3);
    const renewed = shop.received.findLast(({ body }) => {
      try {
        const { resource } = JSON.parse(body) as { resource: Resource };
        return openResource(resource, apiV3Key).includes('before-key');
      } catch {
        return false;
      }
    });
    expect(renewed).toBeDefined();
  });

  test('the API v2 key: the old one is refused at once', async () => {
    await bench.placeOrder('v2-before');
    const { apiV2Key } = (await change({ apiV2Key: 'A'.repeat(32) })) as { apiV2Key?: string };
    expect(apiV2Key).toBe('A'.repeat(32));
    expect(await bench.placeOrder('v2-after')).toEqual({
      return_code: 'FAIL',
      return_msg: '签名错误',
    });
  });

  test('a certificate: the new one beside the old, until that is revoked', async () => {
    const made = (await change({ merchantCertificate: true })) as unknown as {
      merchantSerialNo: string;
      merchantPrivateKey: string;
    };
    const { merchantSerialNo: serialNo, merchantPrivateKey: privateKey } = made;
    const url = `/v3/pay/transactions/out-trade-no/none?mchid=${bench.merchant.mchid}`;
    const withNew = async () => callV3(bench, 'GET', url, undefined, { serialNo, privateKey });
    expect((await withNew()).status).toBe(404);
    expect((await queryV3(bench, 'none')).status).toBe(404);
    const mixed = await callV3(bench, 'GET', url, undefined, { serialNo });
    expect(mixed.status).toBe(401);
    const { body } = await bench.control('GET', '/messages');
    const messages = body['messages'] as unknown as { signature: Json }[];
    expect(messages.at(-1)?.signature['likelyCauses']).toMatchObject([
      { code: 'OTHER_CERTIFICATE' },
    ]);

    await bench.control('DELETE', `/merchant/certificates/${bench.merchant.merchantSerialNo}`);
    const old = await queryV3(bench, 'none');
    expect([old.status, old.json['message']]).toEqual([401, '商户证书已作废，请使用新证书']);
    const placed = await callV3(
      bench,
      'POST',
      '/v3/pay/transactions/jsapi',
      {
        appid: bench.merchant.appid,
        mchid: bench.merchant.mchid,
        description: 'x',
        out_trade_no: 'new-certificate',
        notify_url: bench.shop.notifyUrl,
        amount: { total: 1 },
        payer: { openid: await bench.openidOf('alice') },
      },
      { serialNo, privateKey },
    );
    const pay = async (key?: string) =>
      (
        await bench.control('POST', '/request-payment', {
          user: 'alice',
          ...paymentOf(bench, placed.json['prepay_id'], key),
        })
      ).body;
    expect(await pay()).toMatchObject({ likelyCauses: [{ code: 'OTHER_CERTIFICATE' }] });
    expect(await pay(privateKey)).toEqual({ errMsg: 'requestPayment:ok' });
  });

  test.each<[object, number, string]>([
    [{ apiV2Key: 'short' }, 400, 'INVALID_FIELD'],
    [{ apiV3Key: false }, 400, 'INVALID_FIELD'],
    [{ merchantCertificate: 'PEM' }, 400, 'INVALID_FIELD'],
    [{ subMerchants: [{}] }, 400, 'MISSING_FIELD'],
    [{ subMerchants: 'x' }, 400, 'INVALID_FIELD'],
    [{ refundNotifyUrl: 'ftp://x' }, 400, 'INVALID_FIELD'],
    [{ pendingNotifications: 'drop' }, 400, 'INVALID_FIELD'],
    [{ mchid: '1' }, 400, 'UNKNOWN_FIELD'],
  ])('%j is refused with %i %s', async (body, status, code) => {
    expect(await bench.control('POST', '/merchant', body)).toMatchObject({
      status,
      body: { error: { code } },
    });
  });

  test('no key that ever was one is in the messages', async () => {
    const first = bench.merchant.apiV2Key;
    await change({ apiV2Key: 'B'.repeat(32), apiV3Key: 'C'.repeat(32) });
    await bench.call('/pay/orderquery', { out_trade_no: first, attach: 'B'.repeat(32) });
    const { body } = await bench.control('GET', '/messages');
    expect(JSON.stringify(body)).not.toMatch(new RegExp(`${first}|B{32}|C{32}`));
  });
});

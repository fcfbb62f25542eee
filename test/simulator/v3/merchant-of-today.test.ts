/** A fresh simulator: a merchant who has WeChat Pay's public key and no platform certificate. */
import { afterEach, describe, expect, test } from 'vitest';
import { type Bench, startBench } from '../support.ts';
import { callV3, isSignedBy, payV3, placeV3, queryV3 } from '../v3-support.ts';

let bench: Bench;
afterEach(async () => bench.stop());

interface Noted {
  readonly id: number;
  readonly kind: string;
  readonly note?: string;
  readonly answerSignature?: { readonly likelyCauses?: readonly { code: string; zh: string }[] };
}
const messages = async (query = '') =>
  (await bench.control('GET', `/messages${query}`)).body['messages'] as unknown as Noted[];
const lastOf = async (kind: string) =>
  (await messages()).findLast((message) => message.kind === kind);

const queryNaming = async (serial?: string) =>
  callV3(
    bench,
    'GET',
    `/v3/pay/transactions/out-trade-no/today-none?mchid=${bench.merchant.mchid}`,
    undefined,
    { headers: { 'wechatpay-serial': serial } },
  );

describe('without a word about verification', () => {
  test('answers and notifications are signed by the public key', async () => {
    bench = await startBench();
    const { merchant, shop } = bench;
    const { headers, text } = await placeV3(bench, 'today-1');
    expect(headers.get('wechatpay-serial')).toBe(merchant.wechatpayPublicKeyId);
    expect(isSignedBy(merchant.wechatpayPublicKey, headers, text)).toBe(true);
    await bench.control('POST', '/orders/today-1/pay');
    await bench.waitForAttempts('today-1', 1);
    const notified = shop.received.at(-1) ?? { headers: {}, body: '' };
    expect(isSignedBy(merchant.wechatpayPublicKey, notified.headers, notified.body)).toBe(true);
  });

  test('there are no certificates to download, and the log says how to get some', async () => {
    bench = await startBench();
    const { status, json } = await callV3(bench, 'GET', '/v3/certificates');
    expect([status, json['code']]).toEqual([404, 'RESOURCE_NOT_EXISTS']);
    expect((await lastOf('certificates'))?.note).toContain('POST /_simulator/verification');
  });

  test('one call, and one option at the start, make it a merchant with certificates', async () => {
    bench = await startBench();
    await bench.control('POST', '/verification', { mode: 'switching' });
    expect((await callV3(bench, 'GET', '/v3/certificates')).status).toBe(200);
    await bench.stop();
    bench = await startBench({ verification: 'certificate' });
    const { headers } = await queryNaming(bench.merchant.wechatpayPublicKeyId);
    expect(headers.get('wechatpay-serial')).toBe(bench.merchant.platformSerialNo);
  });
});

describe('an answer that its client may not be able to verify', () => {
  test.each(['no key', 'platformSerialNo', 'PUB_KEY_ID_1'] as const)(
    'has a note when the request names %s, and is among the failed ones',
    async (what) => {
      bench = await startBench();
      const { merchant } = bench;
      const named = what === 'platformSerialNo' ? merchant.platformSerialNo : what;
      await queryNaming(what === 'no key' ? undefined : named);
      const [failed] = await messages('?failed=1');
      expect(failed?.note).toContain(
        `signed by the WeChat Pay public key ${merchant.wechatpayPublicKeyId}`,
      );
      expect(failed?.note).toContain(`the request named ${named} in Wechatpay-Serial`);
      expect(failed?.answerSignature?.likelyCauses?.[0]).toMatchObject({
        code: 'PUBLIC_KEY_NOT_NAMED',
        zh: expect.stringContaining('只有平台证书的客户端无法验签') as string,
      });
    },
  );

  test('is one of success too', async () => {
    bench = await startBench();
    await placeV3(bench, 'today-2', {}, { headers: { 'wechatpay-serial': 'PUB_KEY_ID_1' } });
    const [failed] = await messages('?failed=1');
    expect(failed).toMatchObject({ kind: 'unifiedorder', response: { status: 200 } });
  });

  test('has no note when the key is the one that was named', async () => {
    bench = await startBench();
    const headers = { 'wechatpay-serial': bench.merchant.wechatpayPublicKeyId };
    await placeV3(bench, 'today-3', {}, { headers });
    expect((await lastOf('unifiedorder'))?.note).toBeUndefined();
    expect(await messages('?failed=1')).toEqual([]);
  });

  test('has a note, but has not failed, when WeChat still signs with certificates', async () => {
    bench = await startBench({ verification: 'certificate' });
    const { wechatpayPublicKeyId, platformSerialNo } = bench.merchant;
    await placeV3(bench, 'today-4', {}, { headers: { 'wechatpay-serial': wechatpayPublicKeyId } });
    const { note } = (await lastOf('unifiedorder')) ?? {};
    expect(note).toContain(`signed by the platform certificate ${platformSerialNo}`);
    expect(note).toContain('"start replacing" has not been pressed');
    expect(await messages('?failed=1')).toEqual([]);
  });

  test('a notification that is refused says which key signed it', async () => {
    bench = await startBench();
    bench.shop.answerWith((_, response) => {
      response.statusCode = 401;
      return 'no';
    });
    await payV3(bench, 'today-5');
    await bench.waitForAttempts('today-5', 1);
    expect((await lastOf('notify'))?.note).toBe(
      `refused: status 401 instead of 200 or 204; it was signed by the WeChat Pay public key ${bench.merchant.wechatpayPublicKeyId}`,
    );
  });
});

test('a 204 says application/json, although it has no body', async () => {
  bench = await startBench();
  await placeV3(bench, 'today-6');
  const close = '/v3/pay/transactions/out-trade-no/today-6/close';
  const { status, headers, text } = await callV3(bench, 'POST', close, {
    mchid: bench.merchant.mchid,
  });
  expect([status, text, headers.get('content-type')]).toEqual([204, '', 'application/json']);
  expect((await queryV3(bench, 'today-6')).json).toMatchObject({ trade_state: 'CLOSED' });
});

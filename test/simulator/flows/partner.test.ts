/** Service-provider mode (服务商): a provider that pays for its sub-merchants, in both versions. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bench, sign, startBench } from '../support.ts';
import {
  callV3,
  type Json,
  nowSeconds,
  openResource,
  placeV3,
  type Resource,
  rsaSign,
} from '../v3-support.ts';

const SUB = { subMchid: '1900000109', subAppid: 'wxsub0000000000001', subAppSecret: 'c0ffee' };
const WITHOUT_APPID = '1900000110';

let bench: Bench;
let alice: { openid: string; subOpenid: string };
beforeAll(async () => {
  bench = await startBench();
  await bench.control('POST', '/merchant', {
    subMerchants: [SUB, { subMchid: WITHOUT_APPID }],
  });
  const { body } = await bench.control('GET', '/users/alice');
  const { openid, subOpenids } = body as unknown as {
    openid: string;
    subOpenids: Record<string, string>;
  };
  alice = { openid, subOpenid: subOpenids[SUB.subAppid] ?? '' };
});
afterAll(async () => bench.stop());

const PREPAY = '/v3/pay/partner/transactions/jsapi';

const orderOf = (outTradeNo: string, changes: Json = {}): Json => {
  const body = {
    sp_appid: bench.merchant.appid,
    sp_mchid: bench.merchant.mchid,
    sub_appid: SUB.subAppid,
    sub_mchid: SUB.subMchid,
    description: '分店-拿铁',
    out_trade_no: outTradeNo,
    notify_url: bench.shop.notifyUrl,
    amount: { total: 900 },
    payer: { sub_openid: alice.subOpenid },
    ...changes,
  };
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
};

const place = async (outTradeNo: string, changes?: Json) =>
  callV3(bench, 'POST', PREPAY, orderOf(outTradeNo, changes));

const query = async (outTradeNo: string, subMchid = SUB.subMchid) =>
  callV3(
    bench,
    'GET',
    `/v3/pay/partner/transactions/out-trade-no/${outTradeNo}?sp_mchid=${bench.merchant.mchid}&sub_mchid=${subMchid}`,
  );

async function payBy(prepayId: unknown, appId: string) {
  const timeStamp = nowSeconds();
  const nonceStr = '5K8264ILTKCH16CQ2502SI8ZNMTM67VS';
  const pack = `prepay_id=${String(prepayId)}`;
  const message = `${appId}\n${timeStamp}\n${nonceStr}\n${pack}\n`;
  const paySign = rsaSign(message, bench.merchant.merchantPrivateKey);
  const payment = { timeStamp, nonceStr, package: pack, signType: 'RSA', paySign };
  return (await bench.control('POST', '/request-payment', { user: 'alice', ...payment })).body;
}

describe('API v3', () => {
  test('an order of a sub-merchant with its own mini-program, from order to notification', async () => {
    const { merchant, shop } = bench;
    const { status, json } = await place('sub-v3');
    expect(status).toBe(200);
    expect(await payBy(json['prepay_id'], merchant.appid)).toMatchObject({
      reason: 'SIGNATURE_INVALID',
      likelyCauses: [{ code: 'APPID_OF_PROVIDER' }],
    });
    expect(await payBy(json['prepay_id'], SUB.subAppid)).toEqual({ errMsg: 'requestPayment:ok' });
    await bench.waitForAttempts('sub-v3', 1);
    const { resource } = JSON.parse(shop.received.at(-1)?.body ?? '') as { resource: Resource };
    const transaction = {
      sp_appid: merchant.appid,
      sp_mchid: merchant.mchid,
      sub_appid: SUB.subAppid,
      sub_mchid: SUB.subMchid,
      out_trade_no: 'sub-v3',
      payer: { sp_openid: alice.openid, sub_openid: alice.subOpenid },
      trade_state: 'SUCCESS',
    };
    const notified = JSON.parse(openResource(resource, merchant.apiV3Key)) as Json;
    expect(notified).toMatchObject(transaction);
    expect(notified).not.toHaveProperty('mchid');
    expect((await query('sub-v3')).json).toEqual(notified);
  });

  test("a buyer under the provider's appid pays in the provider's mini-program", async () => {
    const payer = { sp_openid: alice.openid };
    const changes = { sub_appid: undefined, sub_mchid: WITHOUT_APPID, payer };
    const { json } = await place('sp-openid', changes);
    const paid = await payBy(json['prepay_id'], bench.merchant.appid);
    expect(paid).toEqual({ errMsg: 'requestPayment:ok' });
    const { payer: payers } = (await query('sp-openid', WITHOUT_APPID)).json;
    expect(payers).toEqual({ sp_openid: alice.openid });
  });

  test('an order is seen and closed with its own sub-merchant only', async () => {
    await place('sub-close');
    expect((await query('sub-close', WITHOUT_APPID)).status).toBe(404);
    const close = async (subMchid: string) =>
      callV3(bench, 'POST', '/v3/pay/partner/transactions/out-trade-no/sub-close/close', {
        sp_mchid: bench.merchant.mchid,
        sub_mchid: subMchid,
      });
    expect((await close(WITHOUT_APPID)).status).toBe(204);
    expect((await query('sub-close')).json).toMatchObject({ trade_state: 'NOTPAY' });
    expect((await close(SUB.subMchid)).status).toBe(204);
    expect((await query('sub-close')).json).toMatchObject({ trade_state: 'CLOSED' });
  });

  test.each<[string, Json, number, string]>([
    ['an unknown sub-merchant', { sub_mchid: '1900000999' }, 403, 'NO_AUTH'],
    ['another sub_appid', { sub_appid: 'wxother' }, 400, 'APPID_MCHID_NOT_MATCH'],
    ['both openids', { payer: { sp_openid: 'o', sub_openid: 'o' } }, 400, 'PARAM_ERROR'],
    ['no openid', { payer: {} }, 400, 'PARAM_ERROR'],
    ['a sub_openid without sub_appid', { sub_appid: undefined }, 400, 'PARAM_ERROR'],
    ['an unknown sub_openid', { payer: { sub_openid: 'oUnknown' } }, 400, 'PARAM_ERROR'],
    ['the fields of an ordinary merchant', { mchid: '1900000109' }, 400, 'PARAM_ERROR'],
  ])('refuses %s', async (_, changes, status, code) => {
    const answer = await place('sub-refused', changes);
    expect([answer.status, answer.json['code']]).toEqual([status, code]);
  });

  test("refuses a provider at an ordinary merchant's address", async () => {
    const { status, json } = await placeV3(bench, 'not-ordinary');
    expect([status, json['code']]).toEqual([403, 'NO_AUTH']);
  });
});

describe('API v2', () => {
  const fieldsOf = async (outTradeNo: string, changes: Record<string, string | undefined> = {}) =>
    bench.orderFields(outTradeNo, {
      openid: undefined,
      sub_openid: alice.subOpenid,
      sub_mch_id: SUB.subMchid,
      sub_appid: SUB.subAppid,
      ...changes,
    });

  test('an order of a sub-merchant, from order to notification', async () => {
    const { merchant, shop } = bench;
    const placed = await bench.call('/pay/unifiedorder', await fieldsOf('sub-v2'));
    expect(placed).toMatchObject({
      result_code: 'SUCCESS',
      mch_id: merchant.mchid,
      sub_mch_id: SUB.subMchid,
      sub_appid: SUB.subAppid,
    });
    const fields = {
      appId: SUB.subAppid,
      timeStamp: nowSeconds(),
      nonceStr: '5K8264ILTKCH16CQ2502SI8ZNMTM67VS',
      package: `prepay_id=${placed['prepay_id']}`,
      signType: 'HMAC-SHA256',
    };
    const paySign = sign(fields, merchant.apiV2Key, 'HMAC-SHA256');
    const paid = await bench.control('POST', '/request-payment', {
      user: 'alice',
      ...fields,
      paySign,
    });
    expect(paid.body).toEqual({ errMsg: 'requestPayment:ok' });
    await bench.waitForAttempts('sub-v2', 1);
    const identity = {
      sub_mch_id: SUB.subMchid,
      sub_appid: SUB.subAppid,
      openid: alice.openid,
      sub_openid: alice.subOpenid,
      sub_is_subscribe: 'N',
    };
    const { sign: signature, ...notified } = shop.received.at(-1)?.fields ?? {};
    expect(notified).toMatchObject(identity);
    expect(signature).toBe(sign(notified, merchant.apiV2Key, 'HMAC-SHA256'));
    const queried = await bench.call('/pay/orderquery', {
      out_trade_no: 'sub-v2',
      sub_mch_id: SUB.subMchid,
    });
    expect(queried).toMatchObject({ ...identity, sub_appid: SUB.subAppid, trade_state: 'SUCCESS' });
  });

  test.each<[string, Record<string, string | undefined>, object]>([
    [
      'no sub_mch_id',
      { sub_mch_id: undefined },
      { return_code: 'FAIL', return_msg: '受理机构必须传入sub_mch_id' },
    ],
    ['an unknown sub_mch_id', { sub_mch_id: '1' }, { err_code_des: '受理关系不存在' }],
    [
      'another sub_appid',
      { sub_appid: 'wxother' },
      { err_code_des: 'sub_mch_id与sub_appid不匹配' },
    ],
    ['no openid', { sub_openid: undefined }, { err_code: 'LACK_PARAMS' }],
    ['both openids', { openid: 'o' }, { err_code: 'LACK_PARAMS' }],
    ['a sub_openid without sub_appid', { sub_appid: undefined }, { err_code: 'LACK_PARAMS' }],
    [
      'an unknown sub_openid',
      { sub_openid: 'o' },
      { return_msg: 'sub_appid and sub_openid not match' },
    ],
  ])('refuses %s', async (_, changes, answer) => {
    const fields = await fieldsOf('sub-refused-v2', changes);
    expect(await bench.call('/pay/unifiedorder', fields)).toMatchObject(answer);
  });

  test('does not show an order to another sub-merchant', async () => {
    await bench.call('/pay/unifiedorder', await fieldsOf('sub-hidden'));
    expect(
      await bench.call('/pay/orderquery', {
        out_trade_no: 'sub-hidden',
        sub_mch_id: WITHOUT_APPID,
      }),
    ).toMatchObject({ err_code: 'ORDERNOTEXIST' });
  });
});

test("a sub-merchant's mini-program logs in with its own appid and secret", async () => {
  const { code } = (await bench.control('POST', '/login', { user: 'alice' })).body as unknown as {
    code: string;
  };
  const login = async (secret: string) => {
    const search = new URLSearchParams({
      appid: SUB.subAppid,
      secret,
      js_code: code,
      grant_type: 'authorization_code',
    });
    return (await fetch(`${bench.simulator.url}/sns/jscode2session?${search}`)).json();
  };
  expect(await login('wrong')).toMatchObject({ errcode: 40125 });
  expect(await login(SUB.subAppSecret)).toMatchObject({ openid: alice.subOpenid });
});

test('an ordinary merchant has no sub-merchants', async () => {
  const ordinary = await startBench();
  const fields = await ordinary.orderFields('ordinary', { sub_mch_id: SUB.subMchid });
  expect(await ordinary.call('/pay/unifiedorder', fields)).toMatchObject({
    err_code_des: '受理关系不存在',
  });
  const partner = await callV3(ordinary, 'POST', PREPAY, orderOf('ordinary'));
  expect([partner.status, partner.json['code']]).toEqual([403, 'NO_AUTH']);
  await ordinary.stop();
});

describe('a refund for a sub-merchant', () => {
  const REFUNDS = '/v3/refund/domestic/refunds';
  const refund = async (outTradeNo: string, changes: Json = {}) => {
    const body = {
      sub_mchid: SUB.subMchid,
      out_trade_no: outTradeNo,
      out_refund_no: `${outTradeNo}-R1`,
      notify_url: bench.shop.notifyUrl,
      amount: { refund: 400, total: 900, currency: 'CNY' },
      ...changes,
    };
    const given = Object.fromEntries(
      Object.entries(body).filter(([, value]) => value !== undefined),
    );
    return callV3(bench, 'POST', REFUNDS, given);
  };

  test('in v3 names it, in the query and in the notification too', async () => {
    await place('sub-refund-3');
    await bench.control('POST', '/orders/sub-refund-3/pay');
    await bench.waitForAttempts('sub-refund-3', 1);
    expect((await refund('sub-refund-3', { sub_mchid: undefined })).json).toMatchObject({
      code: 'PARAM_ERROR',
    });
    expect((await refund('sub-refund-3', { sub_mchid: WITHOUT_APPID })).status).toBe(404);
    expect((await refund('sub-refund-3', { sub_mchid: '1900000999' })).json).toMatchObject({
      code: 'NO_AUTH',
    });
    expect((await refund('sub-refund-3')).json).toMatchObject({ status: 'PROCESSING' });
    const asked = async (query: string) =>
      (await callV3(bench, 'GET', `${REFUNDS}/sub-refund-3-R1${query}`)).status;
    expect(await asked(`?sub_mchid=${SUB.subMchid}`)).toBe(200);
    expect(await asked('')).toBe(400);
    expect(await asked(`?sub_mchid=${WITHOUT_APPID}`)).toBe(404);
    await bench.control('POST', '/refunds/sub-refund-3-R1', { status: 'ABNORMAL' });
    await bench.waitForAttempts('sub-refund-3', 2);
    const { resource } = JSON.parse(bench.shop.received.at(-1)?.body ?? '') as {
      resource: Resource;
    };
    const plaintext = JSON.parse(openResource(resource, bench.merchant.apiV3Key)) as Json;
    expect(plaintext).toMatchObject({ sp_mchid: bench.merchant.mchid, sub_mchid: SUB.subMchid });
    expect(plaintext).not.toHaveProperty('mchid');
  });

  test('ends at its own account when nobody else can have it', async () => {
    const { json } = await callV3(
      bench,
      'GET',
      `${REFUNDS}/sub-refund-3-R1?sub_mchid=${SUB.subMchid}`,
    );
    const url = `${REFUNDS}/${String(json['refund_id'])}/apply-abnormal-refund`;
    const body = { out_refund_no: 'sub-refund-3-R1', type: 'MERCHANT_BANK_CARD' };
    expect((await callV3(bench, 'POST', url, body)).status).toBe(400);
    const rerouted = await callV3(bench, 'POST', url, { ...body, sub_mchid: SUB.subMchid });
    expect(rerouted.json).toMatchObject({ status: 'PROCESSING' });
  });

  test('in v2 names it, and only sees its own', async () => {
    await place('sub-refund-2');
    await bench.control('POST', '/orders/sub-refund-2/pay');
    const fields = {
      sub_mch_id: SUB.subMchid,
      out_trade_no: 'sub-refund-2',
      out_refund_no: 'sub-refund-2-R1',
      total_fee: '900',
      refund_fee: '900',
    };
    const stranger = { sub_mch_id: WITHOUT_APPID };
    expect(await bench.call('/secapi/pay/refund', { ...fields, ...stranger })).toMatchObject({
      err_code: 'ORDERNOTEXIST',
    });
    expect(await bench.call('/secapi/pay/refund', fields)).toMatchObject({
      result_code: 'SUCCESS',
      sub_mch_id: SUB.subMchid,
    });
    const asked = { out_refund_no: 'sub-refund-2-R1' };
    expect(await bench.call('/pay/refundquery', { ...asked, ...stranger })).toMatchObject({
      err_code: 'REFUNDNOTEXIST',
    });
    expect(
      await bench.call('/pay/refundquery', { ...asked, sub_mch_id: SUB.subMchid }),
    ).toMatchObject({ refund_status_0: 'PROCESSING' });
  });
});

/** API v3: order, query, close, with a merchant that signs with node:crypto alone. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bench, startBench } from '../support.ts';
import {
  callV3,
  isSignedBy,
  JSAPI,
  type Json,
  openResource,
  orderBody,
  paymentOf,
  payV3,
  placeV3,
  queryV3,
  type Resource,
} from '../v3-support.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench({ verification: 'switching' });
});
afterAll(async () => bench.stop());

const closeV3 = async (outTradeNo: string) =>
  callV3(bench, 'POST', `/v3/pay/transactions/out-trade-no/${outTradeNo}/close`, {
    mchid: bench.merchant.mchid,
  });

describe('an order', () => {
  test('is placed, queried, paid by phone and notified', async () => {
    const { merchant, shop } = bench;
    const placed = await placeV3(bench, 'v3-first', { attach: '桌号 7' });
    expect(placed.status).toBe(200);
    expect(placed.json).toEqual({ prepay_id: expect.stringMatching(/^wx\d{14}[0-9a-f]{20}$/) });

    const unpaid = await queryV3(bench, 'v3-first');
    expect(unpaid.json).toEqual({
      amount: { currency: 'CNY', total: 2800 },
      appid: merchant.appid,
      mchid: merchant.mchid,
      out_trade_no: 'v3-first',
      promotion_detail: [],
      trade_state: 'NOTPAY',
      trade_state_desc: '订单未支付',
    });

    const payment = { user: 'alice', ...paymentOf(bench, placed.json['prepay_id']) };
    const phone = await bench.control('POST', '/request-payment', payment);
    expect(phone.body).toEqual({ errMsg: 'requestPayment:ok' });
    await bench.waitForAttempts('v3-first', 1);

    const paid = await queryV3(bench, 'v3-first');
    expect(paid.json).toEqual({
      amount: { currency: 'CNY', payer_currency: 'CNY', payer_total: 2800, total: 2800 },
      appid: merchant.appid,
      attach: '桌号 7',
      bank_type: 'OTHERS',
      mchid: merchant.mchid,
      out_trade_no: 'v3-first',
      payer: { openid: await bench.openidOf('alice') },
      promotion_detail: [],
      success_time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00$/),
      trade_state: 'SUCCESS',
      trade_state_desc: '支付成功',
      trade_type: 'JSAPI',
      transaction_id: expect.stringMatching(/^42\d{26}$/),
    });
    const transactionId = String(paid.json['transaction_id']);
    const byTransaction = `/v3/pay/transactions/id/${transactionId}?mchid=${merchant.mchid}`;
    expect((await callV3(bench, 'GET', byTransaction)).json).toEqual(paid.json);

    const notified = shop.received.at(-1);
    const message = JSON.parse(notified?.body ?? '') as Json & { resource: Resource };
    expect(message).toMatchObject({
      event_type: 'TRANSACTION.SUCCESS',
      resource_type: 'encrypt-resource',
      summary: '支付成功',
      resource: { algorithm: 'AEAD_AES_256_GCM', original_type: 'transaction' },
    });
    expect(notified?.headers['content-type']).toBe('application/json');
    expect(JSON.parse(openResource(message.resource, merchant.apiV3Key))).toEqual(paid.json);
    const key = merchant.platformCertificate;
    expect(isSignedBy(key, notified?.headers ?? {}, notified?.body ?? '')).toBe(true);
    expect((await bench.book('v3-first')).notifications[0]?.state).toBe('acknowledged');
  });

  test('is closed with 204, again too, and with 204 when it never was', async () => {
    await placeV3(bench, 'v3-closed');
    for (const outTradeNo of ['v3-closed', 'v3-closed', 'v3-never']) {
      const closed = await closeV3(outTradeNo);
      expect([closed.status, closed.text]).toEqual([204, '']);
      expect(isSignedBy(bench.merchant.platformCertificate, closed.headers, '')).toBe(true);
    }
    expect((await queryV3(bench, 'v3-closed')).json).toMatchObject({ trade_state: 'CLOSED' });
    const missing = await queryV3(bench, 'v3-never');
    expect([missing.status, missing.json['code']]).toEqual([404, 'ORDER_NOT_EXIST']);
    expect(missing.headers.get('request-id')).toMatch(/^08[0-9A-F]+-268512771$/);
    const again = await placeV3(bench, 'v3-closed');
    expect([again.status, again.json['code']]).toEqual([400, 'ORDER_CLOSED']);
  });

  test('that is paid is neither closed nor placed again', async () => {
    await payV3(bench, 'v3-paid');
    for (const answer of [await closeV3('v3-paid'), await placeV3(bench, 'v3-paid')]) {
      expect([answer.status, answer.json['code']]).toEqual([400, 'ORDER_PAID']);
    }
  });

  test('placed again with the same parameters gets a new prepay_id, with others an error', async () => {
    const first = await placeV3(bench, 'v3-again');
    const second = await placeV3(bench, 'v3-again');
    expect(second.json['prepay_id']).not.toBe(first.json['prepay_id']);
    const other = await placeV3(bench, 'v3-again', { description: '别的' });
    expect([other.status, other.json['code']]).toEqual([400, 'INVALID_REQUEST']);
    expect(other.headers.get('request-id')).toMatch(/-268498688$/);
  });

  test('of v2 and one of v3 share their numbers', async () => {
    await bench.placeOrder('both-v2-first');
    expect((await placeV3(bench, 'both-v2-first')).json['code']).toBe('INVALID_REQUEST');
    expect((await queryV3(bench, 'both-v2-first')).json).toMatchObject({ trade_state: 'NOTPAY' });
    await placeV3(bench, 'both-v3-first');
    expect(await bench.placeOrder('both-v3-first')).toMatchObject({
      err_code: 'INVALID_REQUEST',
      err_code_des: '201 商户订单号重复',
    });
    const queried = await bench.call('/pay/orderquery', { out_trade_no: 'both-v3-first' });
    expect(queried).toMatchObject({ trade_state: 'NOTPAY', total_fee: '2800' });
  });

  test('cannot be paid after time_expire; less than a minute is lengthened', async () => {
    const soon = new Date(Date.now() + 10_000).toISOString().replace(/\.\d+Z/, 'Z');
    await placeV3(bench, 'v3-soon', { time_expire: soon });
    const { payableUntil } = await bench.book('v3-soon');
    expect(Date.parse(payableUntil) - Date.now()).toBeGreaterThan(50_000);
    const past = await placeV3(bench, 'v3-past', { time_expire: '2020-01-01T00:00:00+08:00' });
    expect([past.status, past.json['code']]).toEqual([400, 'PARAM_ERROR']);
  });
});

describe('a request is refused', () => {
  const required = (path: string, label: string) =>
    `输入源“/body/${path}”映射到字段“${label}”必填性规则校验失败，此字段为必填项`;

  test.each<[string, Json, string | RegExp]>([
    ['with a field of v2', { body: 'x' }, '请求中含有未在API文档中定义的参数'],
    [
      'with an undefined field inside',
      { amount: { total: 1, fee: 1 } },
      '请求中含有未在API文档中定义的参数',
    ],
    ['without the description', { description: undefined }, required('description', '商品描述')],
    ['without the payer', { payer: {} }, required('payer/openid', '用户标识')],
    ['with null', { attach: null }, /此字段需要一个合法的字符串/],
    ['with an amount in a string', { amount: { total: '1' } }, /此字段需要一个合法的整数/],
    ['with a broken amount', { amount: { total: 110.000_000_1 } }, /此字段需要一个合法的整数/],
    ['with an amount of nothing', { amount: { total: 0 } }, /小于最小值 1/],
    ['with a number as out_trade_no', { out_trade_no: 123_456 }, /合法的字符串/],
    ['with a short out_trade_no', { out_trade_no: 'abc' }, /字符数 3，小于最小值 6/],
    ['with an emoji', { description: '咖啡☕️🍰' }, /4字节/],
    ['with 128 characters of description', { description: '茶'.repeat(128) }, /大于最大值 127/],
    ['with an empty goods_detail', { detail: { goods_detail: [] } }, /小于最小值 1/],
    ['with a query in notify_url', { notify_url: 'https://a.cn/n?x=1' }, /不符合格式要求/],
    ['with a blank before notify_url', { notify_url: ' https://a.cn/n' }, /不符合格式要求/],
    ['with a time without offset', { time_expire: '2036-01-01 12:00:00' }, /不符合格式要求/],
    ['with another currency', { amount: { total: 1, currency: 'USD' } }, /不符合格式要求/],
  ])('%s', async (_, changes, text) => {
    const { status, json } = await placeV3(bench, 'v3-refused', changes);
    expect([status, json['code']]).toEqual([400, 'PARAM_ERROR']);
    expect(json['message']).toMatch(
      typeof text === 'string' ? new RegExp(`^${RegExp.escape(text)}$`) : text,
    );
  });

  test('with the path of each undefined field', async () => {
    const { json } = await placeV3(bench, 'v3-refused', {
      payer: { openid: await bench.openidOf('alice'), name: 'x' },
      detail: { goods_detail: [{ merchant_goods_id: '1', quantity: 1, unit_price: 1, price: 1 }] },
    });
    expect(json['detail']).toEqual({
      location: null,
      value: ['/body/payer/name', '/body/detail/goods_detail/0/price'],
    });
  });

  test.each<[string, Json, string]>([
    ['of another merchant', { mchid: '1900000109' }, 'INVALID_REQUEST'],
    ['of another appid', { appid: 'wx0000000000000000' }, 'APPID_MCHID_NOT_MATCH'],
    ['for an openid of another appid', { payer: { openid: 'oUnknown' } }, 'PARAM_ERROR'],
  ])('%s', async (_, changes, code) => {
    const { status, json } = await placeV3(bench, 'v3-refused', changes);
    expect([status, json['code']]).toEqual([400, code]);
  });

  test('without mchid in the query, with the place of it', async () => {
    const url = '/v3/pay/transactions/out-trade-no/v3-refused';
    const { status, json } = await callV3(bench, 'GET', url);
    expect([status, json['detail']]).toEqual([
      400,
      { field: 'mchid', issue: 'required', location: 'query', value: '' },
    ]);
  });

  test('that is no JSON', async () => {
    const { status, json } = await callV3(bench, 'POST', JSAPI, '{"appid":');
    expect([status, json['code']]).toEqual([400, 'PARAM_ERROR']);
  });

  test('without Accept or User-Agent, or of another type', async () => {
    const body = await orderBody(bench, 'v3-headers');
    for (const headers of [{ accept: 'text/html' }, { 'content-type': 'text/xml' }]) {
      const { status, json } = await callV3(bench, 'POST', JSAPI, body, { headers });
      expect([status, json['code']]).toEqual([400, 'PARAM_ERROR']);
    }
    const { status } = await callV3(bench, 'POST', JSAPI, body, { headers: { accept: '*/*' } });
    expect(status).toBe(200);
  });

  test('at an address that is not served', async () => {
    const { status, json } = await callV3(bench, 'POST', '/v3/ecommerce/refunds/apply', {});
    expect([status, json['message']]).toEqual([
      404,
      'simulator: POST /v3/ecommerce/refunds/apply is not served',
    ]);
  });

  test.each([
    ['GET', JSAPI, 'POST'],
    ['POST', '/v3/certificates', 'GET'],
    ['POST', '/v3/pay/transactions/out-trade-no/v3-none?mchid=1', 'GET'],
    ['GET', '/v3/pay/transactions/out-trade-no/v3-none/close', 'POST'],
  ])('%s %s: use %s', async (method, url, possible) => {
    const { status, json } = await callV3(bench, method, url, {});
    const [path] = url.split('?');
    expect([status, json['message']]).toEqual([
      405,
      `simulator: ${method} ${path} is not possible: use ${possible}`,
    ]);
  });
});

test('every documented option of an order is taken', async () => {
  const { status } = await placeV3(bench, 'v3-options', {
    time_expire: '2036-01-01T12:00:00+08:00',
    attach: 'a',
    goods_tag: 'WXG',
    support_fapiao: true,
    limit_pay: ['no_credit'],
    detail: {
      cost_price: 2900,
      invoice_id: '微信123',
      goods_detail: [
        {
          merchant_goods_id: '1246464644',
          wechatpay_goods_id: '1001',
          goods_name: '拿铁',
          quantity: 1,
          unit_price: 2900,
        },
      ],
    },
    scene_info: {
      payer_client_ip: '14.23.150.211',
      device_id: '013467007045764',
      store_info: { id: '0001', name: '腾讯大厦', area_code: '440305', address: '科苑路10000号' },
    },
    settle_info: { profit_sharing: false },
  });
  expect(status).toBe(200);
  const { json } = await queryV3(bench, 'v3-options');
  expect(json['scene_info']).toEqual({ device_id: '013467007045764' });
});

import { describe, expect, test } from 'vitest';
import { storedRequestOf } from '../../../lib/order/stored-request.ts';
import type { PrepayOrder, StoredOrder } from '../../../lib/wechatpay/operations.ts';
import { APPID, CREATED_AT, MCHID, OPENID, samplePayment } from '../../support/sample-orders.ts';
import { type V3Answer, v3Double } from '../../support/v3-double.ts';
import { transaction } from '../../support/v3-message.ts';

const options = { timeoutMs: 3_000 };
const parties = { appid: APPID, mchid: MCHID };
const partner = { ...parties, subMchid: '1900000999' };
const order = { ...parties, outTradeNo: 'order-0001' };

const newOrder: PrepayOrder = {
  merchantKey: '',
  ...order,
  openid: OPENID,
  description: '拿铁',
  totalFen: 2800,
  clientIp: '203.0.113.7',
  createdAtEpochSeconds: CREATED_AT,
  expiresAtEpochSeconds: CREATED_AT + 1800,
  notifyBaseUrl: 'https://pay.example.com',
};

const idle = v3Double({}).wechatPay;
const requestOf = (newOne: PrepayOrder) => storedRequestOf(idle.buildPrepayRequest(newOne), 'v3');
const bodyOf = (changes: Partial<PrepayOrder> = {}) =>
  JSON.parse(requestOf({ ...newOrder, ...changes }).body);

describe('the request of a new order', () => {
  test('says what WeChat needs, and nothing that it does not know', () => {
    expect(idle.buildPrepayRequest(newOrder)).toEqual({
      apiVersion: 'v3',
      path: '/v3/pay/transactions/jsapi',
      body: '{"appid":"wx8888888888888888","mchid":"1900000109","description":"拿铁","out_trade_no":"order-0001","time_expire":"2026-03-01T10:30:00+08:00","notify_url":"https://pay.example.com/notify/v3","amount":{"total":2800,"currency":"CNY"},"payer":{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},"scene_info":{"payer_client_ip":"203.0.113.7"}}',
    });
  });

  test('names provider and sub-merchant, and the buyer as the provider knows them', () => {
    const { path } = requestOf({ ...newOrder, ...partner });

    expect(path).toBe('/v3/pay/partner/transactions/jsapi');
    const body = bodyOf(partner);
    expect(body).toMatchObject({
      sp_appid: APPID,
      sp_mchid: MCHID,
      sub_mchid: '1900000999',
      payer: { sp_openid: OPENID },
    });
    for (const name of ['appid', 'mchid', 'sub_appid']) {
      expect(body).not.toHaveProperty(name);
    }
  });

  test('names the sub-merchant’s mini-program, and the buyer as it knows them', () => {
    expect(bodyOf({ ...partner, spAppid: 'wx00000000provider' })).toMatchObject({
      sp_appid: 'wx00000000provider',
      sub_appid: APPID,
      payer: { sub_openid: OPENID },
    });
  });

  test('carries every option in the words of v3', () => {
    const body = bodyOf({
      attach: '桌号 12',
      detail: {
        costPriceFen: 3000,
        receiptId: 'receipt-1',
        goodsDetail: [
          {
            merchantGoodsId: 'latte',
            wechatpayGoodsId: '1001',
            goodsName: '拿铁',
            quantity: 1,
            unitPriceFen: 2800,
          },
          { merchantGoodsId: 'cookie', quantity: 2, unitPriceFen: 1 },
        ],
      },
      options: {
        goodsTag: 'WXG',
        limitPay: 'no_credit',
        deviceInfo: 'till-3',
        storeInfo: { id: 'shop-1', name: '人民路店', areaCode: '440305', address: '人民路 1 号' },
        receipt: true,
        profitSharing: true,
      },
    });

    expect(body).toMatchObject({
      attach: '桌号 12',
      goods_tag: 'WXG',
      support_fapiao: true,
      limit_pay: ['no_credit'],
      detail: {
        cost_price: 3000,
        invoice_id: 'receipt-1',
        goods_detail: [
          {
            merchant_goods_id: 'latte',
            wechatpay_goods_id: '1001',
            goods_name: '拿铁',
            quantity: 1,
            unit_price: 2800,
          },
          { merchant_goods_id: 'cookie', quantity: 2, unit_price: 1 },
        ],
      },
      scene_info: {
        payer_client_ip: '203.0.113.7',
        device_id: 'till-3',
        store_info: { id: 'shop-1', name: '人民路店', area_code: '440305', address: '人民路 1 号' },
      },
      settle_info: { profit_sharing: true },
    });
    expect(JSON.stringify(body)).not.toContain('null');
  });

  test('says no to profit sharing only when it was said', () => {
    expect(bodyOf({ options: { profitSharing: false } })).toMatchObject({
      settle_info: { profit_sharing: false },
    });
    expect(bodyOf({ options: { receipt: false } })).not.toHaveProperty('support_fapiao');
  });
});

describe('a new order', () => {
  const prepayRequest = requestOf(newOrder);
  const stored = { ...newOrder, prepayRequest };
  const place = (answer: V3Answer, changes: Partial<StoredOrder> = {}) => {
    const double = v3Double(answer);
    return { ...double, result: double.wechatPay.prepay({ ...stored, ...changes }, options) };
  };

  test('is sent byte for byte as it is stored', async () => {
    const { requests, result } = place({
      json: { prepay_id: 'wx26112221580621e9b071c00d9e093b0000' },
    });

    expect(await result).toEqual({
      kind: 'placed',
      prepayId: 'wx26112221580621e9b071c00d9e093b0000',
    });
    expect(requests).toMatchObject([
      { method: 'POST', path: '/v3/pay/transactions/jsapi', body: prepayRequest.body },
    ]);
  });

  test.each<[string, string, string | undefined]>([
    ['already-paid', 'ORDERPAID', undefined],
    ['already-paid', 'INVALID_REQUEST', '08A9-268449538'],
    ['closed', 'ORDER_CLOSED', undefined],
    ['closed', 'INVALID_REQUEST', '08A9-268447914'],
  ])('is %s when WeChat says %s %s', async (kind, code, requestId) => {
    const { result } = place({
      status: 400,
      json: { code, message: 'why' },
      headers: { 'request-id': requestId },
    });

    expect(await result).toEqual({ kind });
  });

  test.each([
    ['in its text', { code: 'INVALID_REQUEST', message: 'time_expire 太短' }],
    [
      'in its detail',
      { code: 'PARAM_ERROR', message: '', detail: { field: '/body/time_expire', issue: '' } },
    ],
  ])('whose time is nearly over and refused %s is too late', async (_, json) => {
    const expiresAtEpochSeconds = CREATED_AT + 329;

    expect(await place({ status: 400, json }, { expiresAtEpochSeconds }).result).toEqual({
      kind: 'too-late',
    });
    await expect(place({ status: 400, json }).result).rejects.toMatchObject({
      wechatCode: json.code,
    });
  });

  test('is refused with WeChat’s code', async () => {
    const answer = { status: 403, json: { code: 'OUT_TRADE_NO_USED', message: '商户订单号重复' } };

    await expect(place(answer).result).rejects.toMatchObject({
      code: 'WECHAT_PAY_REFUSED',
      wechatCode: 'OUT_TRADE_NO_USED',
    });
  });

  test.each([{}, { prepay_id: '' }, { prepay_id: 5 }, { prepay_id: 'a b' }, undefined])(
    'without a usable prepay_id is not understood: %j',
    async (json) => {
      await expect(place({ json }).result).rejects.toThrow('no usable');
    },
  );

  test('of another merchant is not sent', async () => {
    const { result, requests } = place({}, { mchid: '1900000222' });

    await expect(result).rejects.toMatchObject({ code: 'CONFIG_ERROR' });
    expect(requests).toEqual([]);
  });
});

describe('a query', () => {
  test.each([
    [order, `/v3/pay/transactions/out-trade-no/order-0001?mchid=${MCHID}`],
    [
      { ...partner, outTradeNo: 'order-0001' },
      `/v3/pay/partner/transactions/out-trade-no/order-0001?sp_mchid=${MCHID}&sub_mchid=1900000999`,
    ],
    [
      { ...parties, outTradeNo: 'a|b*c' },
      `/v3/pay/transactions/out-trade-no/a%7Cb*c?mchid=${MCHID}`,
    ],
  ])('of %j goes to its own place', async (reference, path) => {
    const { wechatPay, requests } = v3Double({ status: 404, json: { code: 'ORDER_NOT_EXIST' } });
    await wechatPay.queryOrder(reference, options);

    expect(requests[0]?.path).toBe(path);
  });

  test('of a paid order gives the payment', async () => {
    const { wechatPay } = v3Double({ json: transaction() });

    expect(await wechatPay.queryOrder(order, options)).toEqual({
      kind: 'paid',
      refunded: false,
      payment: samplePayment(),
    });
  });

  test('of a refunded order says so', async () => {
    const { wechatPay } = v3Double({ json: transaction({ trade_state: 'REFUND' }) });

    expect(await wechatPay.queryOrder(order, options)).toMatchObject({
      kind: 'paid',
      refunded: true,
    });
  });

  test.each(['NOTPAY', 'CLOSED', 'USERPAYING', 'PAYERROR', 'REVOKED', 'ACCEPT'])(
    'of an order in %s has no payment',
    async (state) => {
      const json = { appid: APPID, mchid: MCHID, out_trade_no: 'order-0001', trade_state: state };

      expect(await v3Double({ json }).wechatPay.queryOrder(order, options)).toEqual({
        kind: 'not-paid',
        tradeState: state,
      });
    },
  );

  test.each(['ORDER_NOT_EXIST', 'ORDERNOTEXIST', 'RESOURCE_NOT_EXISTS'])(
    'of an order that WeChat does not know (%s)',
    async (code) => {
      const { wechatPay } = v3Double({ status: 404, json: { code, message: '订单不存在' } });

      expect(await wechatPay.queryOrder(order, options)).toEqual({ kind: 'not-found' });
    },
  );

  test('is refused with WeChat’s code', async () => {
    const { wechatPay } = v3Double({ status: 403, json: { code: 'RULE_LIMIT', message: '' } });

    await expect(wechatPay.queryOrder(order, options)).rejects.toMatchObject({
      outcome: 'rejected',
      wechatCode: 'RULE_LIMIT',
    });
  });

  test.each([
    ['another order', { out_trade_no: 'order-0002' }],
    ['another merchant', { mchid: '1900000222' }],
    [
      'another merchant',
      { mchid: undefined, sp_mchid: MCHID, sub_mchid: '1900000888', sp_appid: APPID },
    ],
  ])('whose answer is about %s is not believed: %j', async (what, change) => {
    const { wechatPay } = v3Double({ json: transaction(change) });

    await expect(wechatPay.queryOrder(order, options)).rejects.toThrow(
      `the answer is about ${what}`,
    );
  });

  test('in an unknown state is not understood', async () => {
    const { wechatPay } = v3Double({ json: transaction({ trade_state: 'PERHAPS' }) });

    await expect(wechatPay.queryOrder(order, options)).rejects.toThrow('unknown trade_state');
  });
});

describe('a close', () => {
  test.each([
    [order, '/v3/pay/transactions/out-trade-no/order-0001/close', { mchid: MCHID }],
    [
      { ...partner, outTradeNo: 'order-0001' },
      '/v3/pay/partner/transactions/out-trade-no/order-0001/close',
      { sp_mchid: MCHID, sub_mchid: '1900000999' },
    ],
  ])('of %j says whose order it is', async (reference, path, json) => {
    const { wechatPay, requests } = v3Double({ status: 204 });

    expect(await wechatPay.closeOrder(reference, options)).toBe('closed');
    expect(requests).toMatchObject([{ method: 'POST', path, json }]);
  });

  test.each<[string, number, string]>([
    ['ORDER_PAID', 400, 'already-paid'],
    ['ORDER_CLOSED', 400, 'closed'],
    ['ORDER_NOT_EXIST', 404, 'not-found'],
    ['USER_PAYING', 202, 'paying'],
  ])('answered %s (%i) ends as %s', async (code, status, result) => {
    const { wechatPay } = v3Double({ status, json: { code, message: '' } });

    expect(await wechatPay.closeOrder(order, options)).toBe(result);
  });

  test('that is accepted but not finished finds the buyer paying', async () => {
    expect(await v3Double({ status: 202, json: {} }).wechatPay.closeOrder(order, options)).toBe(
      'paying',
    );
  });

  test('is refused with WeChat’s code', async () => {
    const { wechatPay } = v3Double({ status: 400, json: { code: 'INVALID_REQUEST', message: '' } });

    await expect(wechatPay.closeOrder(order, options)).rejects.toMatchObject({
      outcome: 'rejected',
    });
  });
});

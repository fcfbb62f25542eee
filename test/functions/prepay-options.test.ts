import { beforeEach, describe, expect, test } from 'vitest';
import type { Table } from '../../lib/table/client.ts';
import { allRows, rowOf, useEmbeddedTables } from '../support/embedded-tables.ts';
import { openPrepayShop, quote, stockCatalogue } from '../support/prepay-shop.ts';
import { APPID, MCHID, OPENID } from '../support/sample-orders.ts';
import { merchantWith, secretVersions } from '../support/secret-versions.ts';
import { v3Double } from '../support/v3-double.ts';
import { v3Merchant } from '../support/v3-message.ts';

const newTable = useEmbeddedTables();
let table: Table;

beforeEach(async () => {
  table = await newTable();
  await stockCatalogue(table);
});

const orderRows = async (from: Table) =>
  (await allRows(from)).filter(({ SK }) => SK?.S === 'ORDER');

const openV3 = (merchant = v3Merchant()) => {
  const { wechatPay, requests } = v3Double(
    { json: { prepay_id: 'wx01' } },
    { merchant: secretVersions(merchant) },
  );
  return { ...openPrepayShop(table, { v3: wechatPay, merchant }), requests };
};

const detail = {
  goodsDetail: [
    { merchantGoodsId: 'cake', goodsName: '巧克力蛋糕', quantity: 1, unitPriceFen: 9900 },
  ],
};

describe('options of an order', () => {
  test('of the deployment are on every order from the catalogue', async () => {
    const orderOptions = { limitPay: 'no_credit', receipt: true, goodsTag: 'WXG' } as const;
    const shop = openPrepayShop(table, { orderOptions });
    await shop.call({ items: [{ sku: 'latte', quantity: 2 }] });

    expect(shop.requests[0]?.fields).toMatchObject({
      limit_pay: 'no_credit',
      receipt: 'Y',
      goods_tag: 'WXG',
      version: '1.0',
      detail:
        '{"goods_detail":[{"goods_id":"latte","goods_name":"拿铁","quantity":2,"price":2800}]}',
    });
  });

  test('freeze the money for profit sharing when the deployment says so', async () => {
    const shop = openPrepayShop(table, { orderOptions: { profitSharing: true, receipt: false } });
    await shop.call({ items: [{ sku: 'latte', quantity: 1 }] });

    expect(shop.requests[0]?.fields).toMatchObject({ profit_sharing: 'Y' });
    expect(await orderRows(table)).toMatchObject([{ profitSharing: { BOOL: true } }]);
    expect(shop.requests[0]?.fields).not.toHaveProperty('receipt');
  });

  test('of a quote stand in place of the deployment’s, each for itself', async () => {
    const shop = openPrepayShop(table, {
      orderOptions: { limitPay: 'no_credit', goodsTag: 'WXG', profitSharing: true },
    });
    const claims = {
      goodsTag: 'VIP',
      profitSharing: false,
      deviceInfo: 'till-3',
      storeInfo: { id: 'shop-1', name: '人民路店' },
      detail,
      attach: '桌号 12',
    };
    const { status } = await shop.call({ quote: await quote(claims) });

    expect(status).toBe(200);
    expect(shop.requests[0]?.fields).toMatchObject({
      limit_pay: 'no_credit',
      goods_tag: 'VIP',
      profit_sharing: 'N',
      device_info: 'till-3',
      scene_info: '{"store_info":{"id":"shop-1","name":"人民路店"}}',
      detail:
        '{"goods_detail":[{"goods_id":"cake","goods_name":"巧克力蛋糕","quantity":1,"price":9900}]}',
    });
    expect((await orderRows(table))[0]).not.toHaveProperty('profitSharing');
  });

  test.each([
    ['goodsTag', { goodsTag: '优'.repeat(11) }, 'TEXT_TOO_LONG'],
    ['deviceInfo', { deviceInfo: '收银台😀' }, 'INVALID_REQUEST'],
    [
      'detail.goodsDetail[0].unitPriceFen',
      { detail: { goodsDetail: [{ ...detail.goodsDetail[0], unitPriceFen: 0.5 }] } },
      'AMOUNT_INVALID',
    ],
    ['lifetimeSeconds', { lifetimeSeconds: 359 }, 'INVALID_REQUEST'],
    ['lifetimeSeconds', { lifetimeSeconds: 604_801 }, 'INVALID_REQUEST'],
    ['lifetimeSeconds', { lifetimeSeconds: 600.5 }, 'INVALID_REQUEST'],
  ])('of a quote that WeChat would refuse are refused here: %s', async (field, claims, code) => {
    const shop = openPrepayShop(table);
    const { status, body } = await shop.call({ quote: await quote(claims) });

    expect({ status, code: body.error.code }).toEqual({ status: 400, code });
    expect(body.error.message).toContain(`quote.${field}`);
    expect(shop.happened).toEqual([]);
  });

  test.each([{ limitPay: 'no_debit' }, { detail: { goodsDetail: [] } }, { receipt: 'Y' }])(
    'of a quote in another form make it invalid: %j',
    async (claims) => {
      const { status, body } = await openPrepayShop(table).call({ quote: await quote(claims) });

      expect({ status, code: body.error.code }).toEqual({ status: 400, code: 'QUOTE_INVALID' });
    },
  );

  test.each(['goodsTag', 'limitPay', 'detail', 'profitSharing', 'lifetimeSeconds', 'receipt'])(
    'are none of the client’s business: %s',
    async (name) => {
      const shop = openPrepayShop(table);
      const cart = { items: [{ sku: 'latte', quantity: 1 }], [name]: 'x' };
      const { status, body } = await shop.call(cart);

      expect({ status, code: body.error.code }).toEqual({ status: 400, code: 'INVALID_REQUEST' });
    },
  );

  test('make another order of the same number', async () => {
    const shop = openPrepayShop(table);
    await shop.call({ quote: await quote({ goodsTag: 'A' }) });
    const { status, body } = await shop.call({ quote: await quote({ goodsTag: 'B' }) });

    expect({ status, code: body.error.code }).toEqual({ status: 409, code: 'ORDER_EXISTS' });
  });

  test('of a quote may say how long the order can be paid', async () => {
    const shop = openPrepayShop(table);
    const signed = await quote({ lifetimeSeconds: 600 });
    const first = await shop.call({ quote: signed });
    shop.clock.nowMs += 60_000;
    const again = await shop.call({ quote: signed });

    expect(first.body.expiresAt).toBe('2026-03-01T02:10:00Z');
    expect(again.body.expiresAt).toBe('2026-03-01T02:10:00Z');
  });
});

describe('an order of API v3', () => {
  test('is stored and sent as v3, and signed with RSA for the phone', async () => {
    const shop = openV3();
    const { status, body } = await shop.call({ items: [{ sku: 'latte', quantity: 1 }] });

    expect(status).toBe(200);
    expect(body.requestPayment).toMatchObject({ package: 'prepay_id=wx01', signType: 'RSA' });
    expect(shop.requests).toMatchObject([
      {
        path: '/v3/pay/transactions/jsapi',
        json: {
          appid: APPID,
          mchid: MCHID,
          description: '拿铁',
          time_expire: '2026-03-01T10:30:00+08:00',
          notify_url: 'https://pay.example.com/notify/v3',
          amount: { total: 2800, currency: 'CNY' },
          payer: { openid: OPENID },
          detail: {
            goods_detail: [
              { merchant_goods_id: 'latte', goods_name: '拿铁', quantity: 1, unit_price: 2800 },
            ],
          },
        },
      },
    ]);
    expect(await rowOf(table, `ORDER#${body.outTradeNo}`)).toMatchObject({
      apiVersion: { S: 'v3' },
      prepayRequest: { M: { body: { S: shop.requests[0]?.body } } },
    });
  });

  test('is repeated byte for byte', async () => {
    const shop = openV3();
    const cart = { items: [{ sku: 'latte', quantity: 1 }] };
    await shop.call(cart);
    shop.clock.nowMs += 30_000;
    await shop.call(cart, { ip: '203.0.113.99' });

    expect(shop.requests).toHaveLength(2);
    expect(shop.requests[1]?.body).toBe(shop.requests[0]?.body);
  });

  test('goes on as v3 when the deployment has gone back to v2, and the other way round', async () => {
    const v3 = openV3();
    const first = await v3.call({ items: [{ sku: 'latte', quantity: 1 }] }, { key: 'a' });
    const v2 = openPrepayShop(table);
    const second = await v2.call({ items: [{ sku: 'latte', quantity: 1 }] }, { key: 'b' });

    const again = await v3.call({ outTradeNo: second.body.outTradeNo });
    expect(again.body.requestPayment['signType']).toBe('HMAC-SHA256');
    const merchant = { ...merchantWith(), ...v3Merchant() };
    const both = openV3(merchant);
    expect(
      (await both.call({ outTradeNo: first.body.outTradeNo })).body.requestPayment['signType'],
    ).toBe('RSA');
  });

  test.each([
    [{ subMchid: '1900000999' }, { sp_appid: APPID, payer: { sp_openid: OPENID } }],
    [
      { subMchid: '1900000999', spAppid: 'wx00000000provider' },
      { sp_appid: 'wx00000000provider', sub_appid: APPID, payer: { sub_openid: OPENID } },
    ],
  ])('of a sub-merchant says so, and the row keeps it: %j', async (provider, sent) => {
    const shop = openV3(v3Merchant(provider));
    const { body } = await shop.call({ items: [{ sku: 'latte', quantity: 1 }] });

    expect(shop.requests).toMatchObject([
      {
        path: '/v3/pay/partner/transactions/jsapi',
        json: { sp_mchid: MCHID, sub_mchid: '1900000999', ...sent },
      },
    ]);
    const kept = Object.entries(provider).map(([name, value]) => [name, { S: value }]);
    expect(await rowOf(table, `ORDER#${body.outTradeNo}`)).toMatchObject(Object.fromEntries(kept));
  });
});

describe('an order of API v2 of a sub-merchant', () => {
  test.each([
    [{ subMchid: '1900000999' }, { appid: APPID, openid: OPENID }],
    [
      { subMchid: '1900000999', spAppid: 'wx00000000provider' },
      { appid: 'wx00000000provider', sub_appid: APPID, sub_openid: OPENID },
    ],
  ])('says so: %j', async (provider, sent) => {
    const shop = openPrepayShop(table, { merchant: { ...merchantWith(), ...provider } });
    await shop.call({ items: [{ sku: 'latte', quantity: 1 }] });

    expect(shop.requests[0]?.fields).toMatchObject({
      mch_id: MCHID,
      sub_mch_id: '1900000999',
      ...sent,
    });
    expect(shop.requests[0]?.fields).not.toHaveProperty('openid' in sent ? 'sub_openid' : 'openid');
  });
});

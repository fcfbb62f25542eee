import { createHash } from 'node:crypto';
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Table } from '../../lib/table/client.ts';
import { markClosing } from '../../lib/table/closing.ts';
import { applyEvidence } from '../../lib/table/order-transition.ts';
import { readOrder } from '../../lib/table/orders.ts';
import {
  productRow,
  putRow,
  type Row,
  rowOf,
  useEmbeddedTables,
} from '../support/embedded-tables.ts';
import {
  APPID,
  CREATED_AT,
  OPENID,
  sampleOrder,
  samplePayment,
  orderId,
} from '../support/sample-orders.ts';
import {
  ending,
  openPrepayShop,
  quote,
  refusedWith,
  stockCatalogue,
  writtenKeys,
} from '../support/prepay-shop.ts';
import { OTHER_KEY, signV2, without } from '../support/v2-message.ts';
import { v3Double } from '../support/v3-double.ts';
import { accepted, createdOrder, PREPAY_ID, refused, timedOut } from '../support/wechat-double.ts';

const newTable = useEmbeddedTables();
let table: Table;

beforeEach(async () => {
  table = await newTable();
  await stockCatalogue(table);
  NUMBER = createHash('sha256')
    .update(`["${table.tableName}","${APPID}","${OPENID}","tap-1"]`)
    .digest('hex')
    .slice(0, 32);
});

const CREATE = '/pay/unifiedorder';
const open = (options: Parameters<typeof openPrepayShop>[1] = {}) => openPrepayShop(table, options);

const latte = { items: [{ sku: 'latte', quantity: 1 }] };
/** The first 32 digits of the SHA-256 of table, appid, openid and key, as JSON. */
let NUMBER: string;

describe('a cart', () => {
  test('makes the order of its key again in a table that was restored under another name', async () => {
    const restored = await newTable();
    await stockCatalogue(restored);
    const first = await open().call(latte);
    const shop = openPrepayShop({ ...restored, scope: table.tableName });

    expect((await shop.call(latte)).body.outTradeNo).toBe(first.body.outTradeNo);
    expect((await openPrepayShop(restored).call(latte)).body.outTradeNo).not.toBe(NUMBER);
  });

  test('becomes an order, priced by the catalogue, and the arguments of wx.requestPayment', async () => {
    const shop = open();
    const { status, body } = await shop.call({
      items: [
        { sku: 'latte', quantity: 2 },
        { sku: 'deposit', quantity: 1, amountFen: 520 },
      ],
    });

    const { paySign, ...requestPayment } = body.requestPayment;
    expect({ status, body: { ...body, requestPayment } }).toEqual({
      status: 200,
      body: {
        outTradeNo: NUMBER,
        totalFen: 6120,
        description: '拿铁 x2, 定金',
        expiresAt: '2026-03-01T02:30:00Z',
        requestPayment: {
          timeStamp: '1772330400',
          nonceStr: 'nonce2',
          package: `prepay_id=${PREPAY_ID}`,
          signType: 'HMAC-SHA256',
        },
      },
    });
    expect(paySign).toBe(signV2({ appId: APPID, ...requestPayment }));
    expect(shop.log.counts).toEqual({ OrderCreated: 1 });
  });

  test('is written before WeChat is called, with one read and one write, and nothing after', async () => {
    let rowsAtCall: unknown;
    const shop = open({
      answer: async () => {
        rowsAtCall = await writtenKeys(table);
        return { ...accepted, prepay_id: PREPAY_ID };
      },
    });
    await shop.call(latte);

    expect(shop.happened).toEqual(['BatchGetItem', 'PutItem', CREATE]);
    expect(rowsAtCall).toEqual([`ORDER#${NUMBER}`]);
  });

  test('reaches WeChat with everything that only the server says, as the row keeps it', async () => {
    const shop = open();
    await shop.call({ ...latte, attach: '桌号 12' }, { ip: '2001:db8::7' });

    const { nonce_str, sign, ...sent } = shop.requests[0]?.fields ?? {};
    expect(sent).toEqual({
      appid: 'wx8888888888888888',
      mch_id: '1900000109',
      sign_type: 'HMAC-SHA256',
      body: '拿铁',
      attach: '桌号 12',
      version: '1.0',
      detail:
        '{"goods_detail":[{"goods_id":"latte","goods_name":"拿铁","quantity":1,"price":2800}]}',
      out_trade_no: NUMBER,
      fee_type: 'CNY',
      total_fee: '2800',
      spbill_create_ip: '2001:db8::7',
      time_start: '20260301100000',
      time_expire: '20260301103000',
      notify_url: 'https://pay.example.com/notify/v2/payment',
      trade_type: 'JSAPI',
      openid: OPENID,
    });
    expect(nonce_str).toBe('nonce1');
    expect(sign).toBe(signV2({ ...sent, nonce_str: 'nonce1' }));
    const row = await rowOf(table, `ORDER#${NUMBER}`);
    expect(
      Object.entries(row?.['prepayRequest']?.M ?? {}).map(([name, { S }]) => [name, S]),
    ).toEqual(expect.arrayContaining(Object.entries(sent)));
  });

  test('50 times at once under one key makes one order, and everybody can pay it', async () => {
    const shop = open();
    const answers = await Promise.all(Array.from({ length: 50 }, () => shop.call(latte)));

    expect(answers.map(({ status, body }) => [status, body.outTradeNo])).toEqual(
      Array.from({ length: 50 }, () => [200, NUMBER]),
    );
    expect(await writtenKeys(table)).toEqual([`ORDER#${NUMBER}`]);
    expect(shop.log.counts).toEqual({ OrderCreated: 1 });
    // A signature over everything but the nonce tells whether anything differed.
    const digests = shop.requests.map(({ fields }) => signV2(without(fields, 'nonce_str')));
    expect(new Set(digests).size).toBe(1);
  });

  test.each(['totalFen', 'openid', 'appid', 'notify_url', 'notifyUrl', 'mchid'])(
    'with %s is refused, and the field is named',
    async (field) => {
      const shop = open();
      const answer = await shop.call({ ...latte, [field]: '1' });

      expect(ending(shop, answer)).toEqual(refusedWith(400, 'INVALID_REQUEST'));
      expect(answer.body.error.message).toBe(`Invalid ${field}: unknown field.`);
      expect(shop.happened).toEqual([]);
    },
  );

  test.each<[string, unknown, number, string]>([
    ['a price of its own', { sku: 'latte', quantity: 1, amountFen: 1 }, 400, 'INVALID_REQUEST'],
    ['a negative quantity', { sku: 'latte', quantity: -1 }, 400, 'QUANTITY_INVALID'],
    ['a fraction of a product', { sku: 'latte', quantity: 0.5 }, 400, 'QUANTITY_INVALID'],
    ['0.1 + 0.2 fen', { sku: 'deposit', quantity: 1, amountFen: 0.1 + 0.2 }, 400, 'AMOUNT_INVALID'],
    ['an amount as text', { sku: 'deposit', quantity: 1, amountFen: '520' }, 400, 'AMOUNT_INVALID'],
    ['a product nobody sells', { sku: 'tea', quantity: 1 }, 404, 'PRODUCT_NOT_FOUND'],
  ])('with %s is refused', async (_name, item, status, code) => {
    const shop = open();

    expect(ending(shop, await shop.call({ items: [item] }))).toEqual(refusedWith(status, code));
    expect(await writtenKeys(table)).toEqual([]);
  });

  test.each(['{"items":', '', '[]', 'null'])(
    'that is not JSON of a cart (%j) is refused',
    async (body) => {
      const shop = open();
      const answer = await shop.call(body);

      expect(answer.status).toBe(400);
      expect(['INVALID_JSON', 'INVALID_REQUEST']).toContain(answer.body.error.code);
      expect(shop.happened).toEqual([]);
    },
  );

  test('whose price in the catalogue is no whole fen is an error of the shop, not of the buyer', async () => {
    await putRow(table, productRow('latte', { priceFen: 28.5 }));
    const shop = open();
    const answer = await shop.call({ items: [{ sku: 'latte', quantity: 2 }] });

    expect(ending(shop, answer)).toEqual(refusedWith(500, 'CONFIG_ERROR'));
    expect(shop.log.counts).toEqual({ ConfigError: 1 });
  });

  test('from nobody is refused before anything is read', async () => {
    const shop = open();

    expect(ending(shop, await shop.call(latte, { authorization: 'Bearer a.b.c' }))).toEqual(
      refusedWith(401, 'UNAUTHENTICATED'),
    );
    expect(shop.happened).toEqual([]);
  });
});

describe('the price that the buyer was shown', () => {
  test('lets the order through when it still holds', async () => {
    expect((await open().call({ ...latte, expectedTotalFen: 2800 })).status).toBe(200);
  });

  test('stops the order when it changed: the answer has the price, there is no row and no call', async () => {
    const shop = open();
    const answer = await shop.call({ ...latte, expectedTotalFen: 2500 });

    expect(ending(shop, answer)).toEqual(refusedWith(409, 'PRICE_CHANGED'));
    expect(answer.body.error.totalFen).toBe(2800);
    expect(await writtenKeys(table)).toEqual([]);
  });

  test('is compared with the order, not with the catalogue, once the order is there', async () => {
    const shop = open();
    await shop.call(latte);
    await putRow(table, productRow('latte', { priceFen: 3000 }));

    expect((await shop.call({ ...latte, expectedTotalFen: 2800 })).status).toBe(200);
    const answer = await shop.call({ ...latte, expectedTotalFen: 3000 });
    expect([answer.status, answer.body.error.code, answer.body.error.totalFen]).toEqual([
      409,
      'PRICE_CHANGED',
      2800,
    ]);
  });

  test('holds for an order that is paid again, and for a quote', async () => {
    const shop = open();
    await shop.call(latte);
    const again = await shop.call({ outTradeNo: NUMBER, expectedTotalFen: 1 });
    const quoted = await shop.call(
      { quote: await quote({}), expectedTotalFen: 1 },
      { key: 'tap-2' },
    );

    expect([again.status, again.body.error.totalFen]).toEqual([409, 2800]);
    expect([quoted.status, quoted.body.error.totalFen]).toEqual([409, 9900]);
    expect(await writtenKeys(table)).toEqual([`ORDER#${NUMBER}`]);
    expect(shop.requests).toHaveLength(1);
  });
});

describe('an idempotency key', () => {
  test('is required for a cart and for a quote', async () => {
    const shop = open();

    expect(ending(shop, await shop.call(latte, { key: undefined }))).toEqual(
      refusedWith(400, 'IDEMPOTENCY_KEY_REQUIRED'),
    );
    const quoted = await shop.call({ quote: await quote({}) }, { key: undefined });
    expect(ending(shop, quoted)).toEqual(refusedWith(400, 'IDEMPOTENCY_KEY_REQUIRED'));
  });

  test.each(['x'.repeat(129), 'two words', '按键', 'tab\there'])(
    'of other than 1 to 128 visible ASCII characters is refused (%j)',
    async (key) => {
      const shop = open();

      expect(ending(shop, await shop.call(latte, { key }))).toEqual(
        refusedWith(400, 'IDEMPOTENCY_KEY_INVALID'),
      );
      expect(shop.happened).toEqual([]);
    },
  );

  test.each(['!', '~'.repeat(128)])('like %j is taken', async (key) => {
    expect((await open().call(latte, { key })).status).toBe(200);
  });

  test('used again gives the same order, with one read and no write, in the same words to WeChat', async () => {
    const shop = open({ nonce: () => 'same' });
    const first = await shop.call(latte);
    shop.clock.nowMs += 600_000;
    shop.happened.length = 0;
    const again = await shop.call(latte, { ip: '198.51.100.99' });

    expect(again.body).toEqual({
      ...first.body,
      requestPayment: expect.objectContaining({ timeStamp: '1772331000' }),
    });
    expect(shop.happened).toEqual(['BatchGetItem', CREATE]);
    expect(shop.requests[1]?.fields).toEqual(shop.requests[0]?.fields);
    expect(shop.log.counts).toEqual({ OrderCreated: 1 });
  });

  test.each<[string, () => Promise<unknown>]>([
    [
      'removed',
      () =>
        table.client.send(
          new DeleteItemCommand({
            TableName: table.tableName,
            Key: { PK: { S: 'PRODUCT#latte' }, SK: { S: 'PRODUCT' } },
          }),
        ),
    ],
    ['repriced', () => putRow(table, productRow('latte', { priceFen: 9900 }))],
    [
      'switched off',
      () => putRow(table, productRow('latte', { priceFen: 2800 }, { active: { BOOL: false } })),
    ],
    [
      'spoilt',
      () => putRow(table, productRow('latte', { priceFen: 1 }, { priceFen: { S: '28' } })),
    ],
  ])('gives the same order after the product was %s', async (_name, change) => {
    const shop = open({ nonce: () => 'same' });
    const first = await shop.call(latte);
    await change();

    expect((await shop.call(latte)).body).toEqual(first.body);
    expect(shop.requests[1]?.fields).toEqual(shop.requests[0]?.fields);
  });

  test.each<[string, object]>([
    ['another quantity', { items: [{ sku: 'latte', quantity: 2 }] }],
    ['another product', { items: [{ sku: 'cookie', quantity: 1 }] }],
    ['another attach', { ...latte, attach: '外带' }],
  ])('used again for %s is refused and names its order', async (_name, body) => {
    const shop = open();
    await shop.call(latte);
    shop.happened.length = 0;
    const answer = await shop.call(body);

    expect(ending(shop, answer)).toEqual(refusedWith(422, 'IDEMPOTENCY_KEY_REUSED'));
    expect(answer.body.error.message).toContain(NUMBER);
    expect(await writtenKeys(table)).toEqual([`ORDER#${NUMBER}`]);
  });

  test('of another buyer is another key', async () => {
    const shop = open();
    await shop.call(latte);
    const other = await shop.call(latte, { openid: 'oSomebodyElse' });

    expect(other.status).toBe(200);
    expect(other.body.outTradeNo).not.toBe(NUMBER);
    expect(shop.requests[1]?.fields['openid']).toBe('oSomebodyElse');
  });

  test('whose order lost the race to another cart is refused without a call', async () => {
    const shop = open({
      // Between the read and the write of this request, another cart takes the key.
      onOperation: async ({ name, send }) => {
        if (name === 'PutItem') {
          await open().call({ items: [{ sku: 'cookie', quantity: 1 }] });
        }
        return send();
      },
    });
    const answer = await shop.call(latte);

    expect([answer.status, answer.body.error.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    expect(shop.requests).toEqual([]);
  });
});

describe('a call to WeChat', () => {
  test('that is lost answers 503, and a repeat sends the very same request', async () => {
    const answers = [timedOut(), { ...accepted, prepay_id: PREPAY_ID }];
    const shop = open({ nonce: () => 'same', answer: async () => answers.shift() ?? timedOut() });
    const lost = await shop.call(latte);
    const row = await rowOf(table, `ORDER#${NUMBER}`);
    shop.clock.nowMs += 90_000;
    const repeated = await shop.call(latte, { ip: '198.51.100.99' });

    expect([lost.status, lost.body.error.code]).toEqual([503, 'WECHAT_UNREACHABLE']);
    expect(repeated.status).toBe(200);
    expect(shop.requests[1]?.fields).toEqual(shop.requests[0]?.fields);
    expect(await rowOf(table, `ORDER#${NUMBER}`)).toEqual(row);
    expect(shop.happened).toEqual(['BatchGetItem', 'PutItem', CREATE, 'BatchGetItem', CREATE]);
  });

  test.each([
    ['ORDERPAID', 409, 'ORDER_ALREADY_PAID'],
    ['ORDERCLOSED', 409, 'ORDER_CLOSED'],
    ['SYSTEMERROR', 503, 'WECHAT_PAY_BUSY'],
    ['FREQUENCY_LIMITED', 503, 'WECHAT_PAY_BUSY'],
    ['NOAUTH', 500, 'CONFIG_ERROR'],
    ['APPID_MCHID_NOT_MATCH', 500, 'CONFIG_ERROR'],
    ['OUT_TRADE_NO_USED', 502, 'WECHAT_PAY_REFUSED'],
  ])(
    'refused with %s answers %i %s and leaves the order open',
    async (wechatCode, status, code) => {
      const shop = open({ answer: async () => refused(wechatCode) });
      const answer = await shop.call(latte);

      expect([answer.status, answer.body.error.code]).toEqual([status, code]);
      expect((await rowOf(table, `ORDER#${NUMBER}`))?.['tradeState']).toEqual({ S: 'NOTPAY' });
      expect(shop.happened).toEqual(['BatchGetItem', 'PutItem', CREATE]);
    },
  );

  test('with a forged answer gives the phone nothing to pay', async () => {
    const shop = open({ wechatKey: OTHER_KEY });
    const answer = await shop.call(latte);

    expect([answer.status, answer.body.error.code]).toEqual([502, 'SIGNATURE_INVALID']);
    expect(answer.body.requestPayment).toBeUndefined();
  });
});

test.each([
  ['v2', 'apiV2Key', 'APIv2密钥', ''],
  ['v3', 'merchantPrivateKey, merchantSerialNo', '商户API证书', 'SIGN_ERROR'],
] as const)(
  'a wrong key of API %s is told with secret, field and console page, counted, and costs one call',
  async (apiVersion, field, page, wechatCode) => {
    const v3 = v3Double({
      status: 401,
      json: { code: 'SIGN_ERROR', message: '签名错误' },
      headers: { 'wechatpay-signature': undefined },
    });
    const shop = open({
      answer: async () => ({ return_code: 'FAIL', return_msg: '签名错误' }),
      ...(apiVersion === 'v3' && { v3: v3.wechatPay }),
    });
    const { status, body } = await shop.call(latte, { language: 'zh-CN' });

    expect([status, body.error]).toEqual([
      500,
      { code: 'CONFIG_ERROR', message: '支付配置有误，请联系商家处理。' },
    ]);
    expect(shop.requests.length + v3.requests.length).toBe(1);
    expect(shop.log.counts).toMatchObject({ ConfigError: 1 });
    expect(shop.log.lines.filter(({ level }) => level === 'error')).toMatchObject([
      {
        message: 'request failed',
        fields: {
          status: 500,
          code: 'CONFIG_ERROR',
          outcome: 'unknown',
          wechatCode,
          secret: 'merchant',
          field,
          consolePage: expect.stringContaining(page),
          reason: expect.stringContaining('签名错误'),
        },
      },
    ]);
    expect((await rowOf(table, `ORDER#${NUMBER}`))?.['tradeState']).toEqual({ S: 'NOTPAY' });
  },
);

describe.each(['v2', 'v3'] as const)('a repeat of an order of API %s', (apiVersion) => {
  const REFUSALS = {
    time: ['PARAM_ERROR', 'time_expire时间过短，刷卡至少1分钟，其他5分钟'],
    'other terms': ['INVALID_REQUEST', '201 商户订单号重复'],
    'no permission': ['NO_AUTH', '无权限'],
  } as const;

  /** Lost at first; `because` is how WeChat refuses the repeat, which it takes otherwise. */
  async function repeat(secondsLeft: number, because?: keyof typeof REFUSALS) {
    const nowMs = () => (CREATED_AT + 1800 - secondsLeft) * 1000;
    const [code, text] = REFUSALS[because ?? 'time'];
    const lost = v3Double(() => timedOut()).wechatPay;
    await open({ answer: async () => timedOut(), ...(apiVersion === 'v3' && { v3: lost }) }).call(
      latte,
    );
    const v3 = v3Double(
      because ? { status: 400, json: { code, message: text } } : { json: { prepay_id: PREPAY_ID } },
      { nowMs },
    );
    const shop = open({
      answer: async (request) => (because ? refused(code, text) : createdOrder(request)),
      ...(apiVersion === 'v3' && { v3: v3.wechatPay }),
    });
    shop.clock.nowMs = nowMs();
    const { status, body } = await shop.call({ outTradeNo: NUMBER });
    const line = shop.log.lines.find(({ message }) => message === 'request failed');
    return {
      ending: [status, body.error?.code],
      calls: shop.requests.length + v3.requests.length,
      wechatCode: line?.fields?.['wechatCode'],
      counts: shop.log.counts,
    };
  }

  test('that WeChat refuses for its time, which is nearly over, has expired', async () => {
    expect(await repeat(329, 'time')).toMatchObject({ ending: [409, 'ORDER_EXPIRED'], counts: {} });
  });

  test.each([
    [331, 'time', [502, 'WECHAT_PAY_REFUSED'], 'PARAM_ERROR'],
    [329, 'other terms', [502, 'WECHAT_PAY_REFUSED'], 'INVALID_REQUEST'],
    [61, 'other terms', [502, 'WECHAT_PAY_REFUSED'], 'INVALID_REQUEST'],
    [61, 'no permission', [500, 'CONFIG_ERROR'], 'NO_AUTH'],
  ] as const)(
    'with %i s left that WeChat refuses for %s is not called expired: %j, and the log has %s',
    async (secondsLeft, because, ending, wechatCode) => {
      expect(await repeat(secondsLeft, because)).toEqual({
        ending,
        calls: 1,
        wechatCode,
        counts: { [ending[0] === 500 ? 'ConfigError' : 'WechatPayRefused']: 1 },
      });
    },
  );

  test('is placed with a minute left, and with less nobody is asked', async () => {
    expect(await repeat(60)).toMatchObject({ ending: [200, undefined], calls: 1 });
    expect(await repeat(59)).toMatchObject({ ending: [409, 'ORDER_EXPIRED'], calls: 0 });
  });
});

test('a second key of a quoted order stands for it from then on, and makes no cart order', async () => {
  const shop = open();
  const quoted = { quote: await quote({}) };
  const first = await shop.call(quoted, { key: 'tap-1' });
  const second = await shop.call(quoted, { key: 'tap-2' });
  expect(second.body.outTradeNo).toBe(first.body.outTradeNo);

  const cart = await shop.call(latte, { key: 'tap-2' });
  expect([cart.status, cart.body.error.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
});

test('a key that made a cart order does not find a quoted one', async () => {
  const shop = open();
  const quoted = { quote: await quote({}) };
  await shop.call(latte, { key: 'tap-1' });
  await shop.call(quoted, { key: 'tap-2' });

  const answer = await shop.call(quoted, { key: 'tap-1' });
  expect([answer.status, answer.body.error.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
});

test('numbers nested a thousand deep are refused like any other that is none', async () => {
  const nested = `${'['.repeat(15_000)}${']'.repeat(15_000)}`;
  const answer = await open().call(`{"items":[{"sku":"latte","quantity":${nested}}]}`);

  expect([answer.status, answer.body.error.code]).toEqual([400, 'QUANTITY_INVALID']);
});

describe('an order that is paid again', () => {
  test('needs its number only: one read, and the stored request in the same words', async () => {
    const shop = open({ nonce: () => 'same' });
    const first = await shop.call(latte);
    shop.happened.length = 0;
    const again = await shop.call({ outTradeNo: NUMBER }, { key: undefined, ip: '198.51.100.99' });

    expect(again).toEqual(first);
    expect(shop.happened).toEqual(['GetItem', CREATE]);
    expect(shop.requests[1]?.fields).toEqual(shop.requests[0]?.fields);
  });

  test('keeps the algorithm that it was made with, though the deployment changed', async () => {
    await open({ signType: 'MD5' }).call(latte);
    const shop = open({ signType: 'HMAC-SHA256' });
    const { body } = await shop.call({ outTradeNo: NUMBER });

    const { paySign, ...requestPayment } = body.requestPayment;
    expect(requestPayment['signType']).toBe('MD5');
    expect(paySign).toBe(signV2({ appId: APPID, ...requestPayment }, undefined, 'MD5'));
    const { sign, ...sent } = shop.requests[0]?.fields ?? {};
    expect(sign).toBe(signV2(sent, undefined, 'MD5'));
  });

  test.each([
    ['belongs to another buyer', () => NUMBER, 'oSomebodyElse'],
    ['does not exist', () => 'order-9999', OPENID],
    ['cannot exist', () => '订单'.repeat(16), OPENID],
  ])('and %s is not found, and WeChat is not asked', async (_name, number, openid) => {
    await open().call(latte);
    const shop = open();
    const outTradeNo = number();

    expect(ending(shop, await shop.call({ outTradeNo }, { openid }))).toEqual(
      refusedWith(404, 'ORDER_NOT_FOUND'),
    );
  });

  test('can be paid until a minute before its time ends', async () => {
    const shop = open();
    await shop.call(latte);
    shop.clock.nowMs = (CREATED_AT + 1740) * 1000;
    expect((await shop.call({ outTradeNo: NUMBER })).status).toBe(200);
    shop.clock.nowMs += 1;
    shop.happened.length = 0;

    expect(ending(shop, await shop.call({ outTradeNo: NUMBER }))).toEqual(
      refusedWith(409, 'ORDER_EXPIRED'),
    );
    expect(ending(shop, await shop.call(latte))).toEqual(refusedWith(409, 'ORDER_EXPIRED'));
  });

  test('and given up by its buyer is refused, under its number and under its key, from the mark on', async () => {
    const shop = open();
    await shop.call(latte);
    const order = await readOrder(table, orderId(NUMBER));
    await markClosing(table, order ?? sampleOrder(), CREATED_AT + 60);
    shop.happened.length = 0;
    const refusal = refusedWith(409, 'ORDER_CLOSED');

    expect(ending(shop, await shop.call({ outTradeNo: NUMBER }))).toEqual(refusal);
    expect(ending(shop, await shop.call(latte))).toEqual(refusal);
  });

  test.each([
    ['paid', false, 'ORDER_ALREADY_PAID'],
    ['refunded', true, 'ORDER_ALREADY_PAID'],
    ['closed', undefined, 'ORDER_CLOSED'],
  ] as const)(
    'and is %s is refused, under its number and under its key',
    async (_name, refunded, code) => {
      const shop = open();
      await shop.call(latte);
      await applyEvidence(
        table,
        orderId(NUMBER),
        refunded === undefined
          ? { kind: 'closed' }
          : { kind: 'paid', refunded, payment: samplePayment({ outTradeNo: NUMBER }) },
        CREATED_AT + 60,
      );
      shop.happened.length = 0;

      expect(ending(shop, await shop.call({ outTradeNo: NUMBER }))).toEqual(refusedWith(409, code));
      expect(ending(shop, await shop.call(latte))).toEqual(refusedWith(409, code));
    },
  );
});

describe('a repeat for an order whose row is damaged', () => {
  test.each<[string, Row]>([
    ['tradeState', { tradeState: { S: 'PAYING' } }],
    ['apiVersion', { apiVersion: { S: 'v4' } }],
    ['prepayRequest', { prepayRequest: { M: { path: { S: '/' } } } }],
    ['expiresAt', { expiresAt: { S: 'soon' } }],
    ['fingerprint', { fingerprint: { NULL: true } }],
  ])(
    'in its %s is a clear error with an alarm, by key and by number, and WeChat is not asked',
    async (attribute, bad) => {
      const cart = { items: [{ sku: 'latte', quantity: 1 }] };
      const { outTradeNo } = (await openPrepayShop(table).call(cart)).body;
      const spoilt = { ...(await rowOf(table, `ORDER#${outTradeNo}`)), ...bad };
      await putRow(table, spoilt);

      for (const body of [cart, { outTradeNo }]) {
        const shop = openPrepayShop(table);
        const answer = await shop.call(body);
        expect(ending(shop, answer)).toEqual(refusedWith(500, 'ORDER_UNREADABLE'));
        expect(shop.log.counts).toEqual({ OrderUnreadable: 1 });
        expect(shop.log.lines).toMatchObject([
          { level: 'error', fields: { row: `ORDER#${outTradeNo} ORDER`, attribute } },
        ]);
      }
      expect(await rowOf(table, `ORDER#${outTradeNo}`)).toEqual(spoilt);
    },
  );

  test('for a quote, by its row or by that of its key', async () => {
    const request = { quote: await quote({}) };
    await openPrepayShop(table).call(request);
    await putRow(table, {
      ...(await rowOf(table, 'ORDER#quote-0001')),
      checks: { S: '0' },
    });
    const byRow = await openPrepayShop(table).call(request);
    const binding = (await writtenKeys(table)).find((key) => key.startsWith('IDEMPOTENCY#'));
    await putRow(table, { PK: { S: String(binding) }, SK: { S: 'IDEMPOTENCY' } });
    const byKey = await openPrepayShop(table).call({ items: [{ sku: 'latte', quantity: 1 }] });

    for (const { status, body } of [byRow, byKey]) {
      expect([status, body.error.code]).toEqual([500, 'ORDER_UNREADABLE']);
    }
  });
});

/** `pay`: what is told to the shop's page, for everything that WeChat and the server may say. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ERROR_TEXTS } from '../../lib/http/error-texts.ts';
import {
  CLOSED,
  createPhone,
  LATTE,
  ok,
  OUT_TRADE_NO,
  PAID,
  PREPAID,
  refused,
  UNPAID,
} from './phone.ts';

const CANCEL = 'requestPayment:fail cancel';

/** What only the routes of the merchant's own systems answer. */
const OF_THE_MERCHANT = /^(REFUND_.*|ORDER_NOT_PAID|CALLER_UNKNOWN)$/;

describe('a payment', () => {
  test('that the server confirms is paid', async () => {
    const phone = createPhone();

    expect(await phone.pay.pay(LATTE)).toEqual({ status: 'paid', order: PAID });
    expect(phone.sheets).toEqual([PREPAID.requestPayment]);
    expect(phone.requests.map(({ method, path, data }) => [method, path, data])).toEqual([
      ['POST', '/login', { code: 'code-1' }],
      ['POST', '/prepay', LATTE],
      ['GET', `/orders/${OUT_TRADE_NO}`, undefined],
    ]);
  });

  test('that WeChat reports before the server knows is asked for again, with growing pauses', async () => {
    const phone = createPhone();
    phone.answer('/orders', ok(UNPAID), ok(UNPAID), ok(UNPAID), ok(PAID));

    expect(await phone.pay.pay(LATTE)).toMatchObject({ status: 'paid' });
    expect(phone.waits).toEqual([1000, 2000, 4000]);
  });

  test('that only the success callback claims is unknown, never paid', async () => {
    const phone = createPhone();
    phone.answer('/orders', ok(UNPAID));

    expect(await phone.pay.pay(LATTE)).toEqual({
      status: 'unknown',
      reason: 'unknown',
      outTradeNo: OUT_TRADE_NO,
      message: '确认中，请勿重复支付',
      resume: expect.any(Function),
    });
    expect(phone.sentTo('/orders')).toHaveLength(5);
    expect(phone.waits).toEqual([1000, 2000, 4000, 8000]);
  });

  test('that was unknown can be resumed until the server knows', async () => {
    const phone = createPhone();
    phone.answer('/orders', ok(UNPAID));
    const first = await phone.pay.pay(LATTE);
    const second = first.status === 'unknown' ? await first.resume() : first;
    phone.answer('/orders', ok(PAID));

    expect(second.status).toBe('unknown');
    expect(second.status === 'unknown' && (await second.resume())).toEqual({
      status: 'paid',
      order: PAID,
    });
    expect(phone.sheets).toHaveLength(1);
  });

  test('that the buyer cancels is cancelled after one look at the server', async () => {
    const phone = createPhone();
    phone.sheet(CANCEL);
    phone.answer('/orders', ok(UNPAID));

    expect(await phone.pay.pay(LATTE)).toEqual({ status: 'cancelled', order: UNPAID });
    expect(phone.sentTo('/orders')).toHaveLength(1);
    expect(phone.waits).toEqual([]);
  });

  test('that WeChat calls cancelled and the server paid is paid', async () => {
    const phone = createPhone();
    phone.sheet(CANCEL);

    expect(await phone.pay.pay(LATTE)).toEqual({ status: 'paid', order: PAID });
  });

  test('that WeChat calls failed and the server paid is paid', async () => {
    const phone = createPhone();
    phone.sheet('requestPayment:fail 该订单已支付');

    expect(await phone.pay.pay(LATTE)).toEqual({ status: 'paid', order: PAID });
  });

  test('of an order that was refunded since is paid, and the order says so', async () => {
    const phone = createPhone();
    const refunded = { ...PAID, tradeState: 'REFUND', refundedFen: 2800 };
    phone.answer('/orders', ok(refunded));

    expect(await phone.pay.pay(LATTE)).toEqual({ status: 'paid', order: refunded });
  });

  test('of an order that was closed meanwhile is failed', async () => {
    const phone = createPhone();
    phone.answer('/orders', ok(CLOSED));

    expect(await phone.pay.pay(LATTE)).toEqual({
      status: 'failed',
      reason: 'order-closed',
      message: '订单已关闭',
      order: CLOSED,
    });
  });
});

describe('a failed wx.requestPayment of an unpaid order', () => {
  test.each([
    ['支付验证签名失败', 'payment-invalid', '支付参数有误，请联系商家'],
    ['payment signature verification failed', 'payment-invalid', '支付参数有误，请联系商家'],
    [
      'parameter error: parameter.timeStamp should be String instead of Number;',
      'payment-invalid',
      '支付参数有误，请联系商家',
    ],
    ['JSAPI缺少参数total_fee', 'payment-expired', '已过期，请重新支付'],
    ['prepay_id已过期', 'payment-expired', '已过期，请重新支付'],
    ['下单账号与支付账号不一致，请核实后再支付', 'payment-wrong-account', '请用下单的微信号支付'],
    ['appid and openid do not match', 'payment-wrong-account', '请用下单的微信号支付'],
    ['no permission', 'payment-not-allowed', '商家暂不能收款'],
    ['jsapi has no permission', 'payment-not-allowed', '商家暂不能收款'],
    ['banned', 'payment-not-allowed', '商家暂不能收款'],
    ['permission denied', 'payment-not-here', '请在手机上用新版微信支付'],
    ['bridge already exists', 'payment-not-here', '请在手机上用新版微信支付'],
    ['当前商户支付方式异常', 'payment-not-here', '请在手机上用新版微信支付'],
    ['something new', 'payment-failed', '支付未完成'],
    ['', 'payment-failed', '支付未完成'],
  ])('with "%s" is %s', async (detail, reason, message) => {
    const phone = createPhone();
    const errMsg = `requestPayment:fail ${detail}`;
    phone.sheet(errMsg);
    phone.answer('/orders', ok(UNPAID));

    expect(await phone.pay.pay(LATTE)).toEqual({
      status: 'failed',
      reason,
      message,
      errMsg,
      order: UNPAID,
    });
  });
});

describe('a refused prepay', () => {
  test('because the price changed tells the new price and starts no payment', async () => {
    const phone = createPhone();
    phone.answer('/prepay', refused(409, 'PRICE_CHANGED', { totalFen: 3000 }));

    expect(await phone.pay.pay(LATTE)).toMatchObject({
      status: 'failed',
      reason: 'price-changed',
      message: 'text of PRICE_CHANGED',
      totalFen: 3000,
      requestId: 'request-1',
    });
    expect(phone.sheets).toEqual([]);
  });

  test('because the goods are virtual is final: no repeat, and the next tap is an order of its own', async () => {
    const phone = createPhone();
    phone.answer('/prepay', refused(403, 'VIRTUAL_GOODS_NOT_ALLOWED'), ok(PREPAID));

    expect(await phone.pay.pay(LATTE)).toMatchObject({
      reason: 'virtual-goods-not-allowed',
      httpStatus: 403,
    });
    expect([phone.sentTo('/prepay').length, phone.waits]).toEqual([1, []]);
    expect(await phone.pay.pay(LATTE)).toMatchObject({ status: 'paid' });
    const [refusedKey, key] = phone
      .sentTo('/prepay')
      .map(({ header }) => header['idempotency-key']);
    expect(key).not.toBe(refusedKey);
  });

  test('because of too many unpaid orders is shown and not repeated', async () => {
    const phone = createPhone();
    phone.answer('/prepay', refused(429, 'TOO_MANY_OPEN_ORDERS'), ok(PREPAID));

    expect(await phone.pay.pay(LATTE)).toMatchObject({
      status: 'failed',
      reason: 'too-many-open-orders',
      message: 'text of TOO_MANY_OPEN_ORDERS',
      httpStatus: 429,
      retryable: false,
    });
    expect([phone.sentTo('/prepay').length, phone.waits, phone.sheets]).toEqual([1, [], []]);
    expect(await phone.pay.pay(LATTE)).toMatchObject({ status: 'paid' });
  });

  test.each(Object.entries(ERROR_TEXTS))(
    'with %s is failed with that reason, message and request id, and starts no payment',
    async (code, { status }) => {
      const phone = createPhone();
      phone.answer('/prepay', refused(status, code));
      const reason = code.toLowerCase().replaceAll('_', '-');

      expect(await phone.pay.pay(LATTE)).toMatchObject({
        status: 'failed',
        reason,
        code,
        message: `text of ${code}`,
        requestId: 'request-1',
        retryable: status === 503,
      });
      expect(phone.sheets).toEqual([]);
      const types = readFileSync('miniprogram/pay/pay.d.ts', 'utf8');
      expect(types.includes(`'${reason}'`)).toBe(!OF_THE_MERCHANT.test(code));
    },
  );

  test('of an order that is paid already is paid', async () => {
    const phone = createPhone();
    phone.answer('/prepay', refused(409, 'ORDER_ALREADY_PAID'));

    expect(await phone.pay.pay({ outTradeNo: OUT_TRADE_NO })).toEqual({
      status: 'paid',
      order: PAID,
    });
    expect(phone.sheets).toEqual([]);
  });

  test('of an expired order that was paid in its last second is paid', async () => {
    const phone = createPhone();
    phone.answer('/prepay', refused(409, 'ORDER_EXPIRED'));

    expect(await phone.pay.pay({ outTradeNo: OUT_TRADE_NO })).toEqual({
      status: 'paid',
      order: PAID,
    });
  });

  test('of an expired, unpaid order is failed', async () => {
    const phone = createPhone();
    phone.answer('/prepay', refused(409, 'ORDER_EXPIRED'));
    phone.answer('/orders', ok(UNPAID));

    expect(await phone.pay.pay({ outTradeNo: OUT_TRADE_NO })).toMatchObject({
      status: 'failed',
      reason: 'order-expired',
    });
    expect(phone.sentTo('/prepay')).toHaveLength(1);
  });
});

describe('an incomplete order', () => {
  test.each([
    [{}, 'items-missing', '请选择商品', 'Choose what to buy.'],
    [undefined, 'items-missing', '请选择商品', 'Choose what to buy.'],
    [{ items: [] }, 'items-missing', '请选择商品', 'Choose what to buy.'],
    [{ items: [{ sku: '', quantity: 1 }] }, 'items-missing', '请选择商品', 'Choose what to buy.'],
    [{ quote: '' }, 'items-missing', '请选择商品', 'Choose what to buy.'],
    [
      { items: [{ sku: 'deposit', quantity: 1, amountFen: 0 }] },
      'amount-zero',
      '金额必须大于 0',
      'The amount must be above 0.',
    ],
    [
      { ...LATTE, expectedTotalFen: 0 },
      'amount-zero',
      '金额必须大于 0',
      'The amount must be above 0.',
    ],
    [{ outTradeNo: '' }, 'order-number-missing', '缺少订单号', 'The order number is missing.'],
  ])('%j is failed with %s, and nothing is sent', async (order, reason, zh, en) => {
    const chinese = createPhone();
    const english = createPhone({ language: 'en' });

    expect(await chinese.pay.pay(order as never)).toEqual({
      status: 'failed',
      reason,
      message: zh,
    });
    expect(await english.pay.pay(order as never)).toEqual({
      status: 'failed',
      reason,
      message: en,
    });
    expect(chinese.requests).toEqual([]);
  });

  test('without a number cannot be resumed', async () => {
    const phone = createPhone();

    expect(await phone.pay.resume('')).toMatchObject({ reason: 'order-number-missing' });
    expect(phone.requests).toEqual([]);
  });
});

describe('an order', () => {
  test.each([
    ['a cart', { items: LATTE.items, attach: 'table 7' }],
    ['a quote', { quote: 'eyJhbGciOiJIUzI1NiJ9.e30.c2ln', expectedTotalFen: 2800 }],
    ['an unpaid order', { outTradeNo: OUT_TRADE_NO }],
  ])('that is %s is sent as it is', async (_, order) => {
    const phone = createPhone();

    expect(await phone.pay.pay(order)).toMatchObject({ status: 'paid' });
    expect(phone.sentTo('/prepay').map(({ data }) => data)).toEqual([order]);
  });

  test('that the server does not know is failed', async () => {
    const phone = createPhone();
    phone.answer('/orders', refused(404, 'ORDER_NOT_FOUND'));

    expect(await phone.pay.resume('nobodys-order')).toMatchObject({
      status: 'failed',
      reason: 'order-not-found',
    });
    expect(phone.sentTo('/orders')).toHaveLength(1);
  });
});

test.each(['zh-CN', 'en'] as const)(
  'the server is asked in %s when the shop speaks it',
  async (language) => {
    const phone = createPhone({ language });
    await phone.pay.pay(LATTE);

    expect(phone.requests.map(({ header }) => header['accept-language'])).toEqual([
      language,
      language,
      language,
    ]);
  },
);

/** The network fails at every step; nobody pays twice and nothing is forgotten. */
import { describe, expect, test } from 'vitest';
import {
  createPhone,
  LATTE,
  LOST,
  ok,
  OUT_TRADE_NO,
  PAID,
  PREPAID,
  refused,
  UNPAID,
} from './phone.ts';
import type { Phone } from './phone.ts';

const CANCEL = 'requestPayment:fail cancel';

const keysOf = (phone: Phone) =>
  phone.sentTo('/prepay').map(({ header }) => header['idempotency-key']);

describe('before the payment', () => {
  test.each([
    ['wx.login', 'wx.login' as const, { errMsg: 'login:fail timeout' }],
    ['the login', '/login' as const, LOST],
  ])('%s lost once is repeated with a new login code', async (_, route, lost) => {
    const phone = createPhone();
    phone.answer(route, lost, undefined);

    expect(await phone.pay.pay(LATTE)).toMatchObject({ status: 'paid' });
    expect(phone.sentTo('/login').at(-1)).toMatchObject({ data: { code: 'code-2' } });
    expect(phone.waits).toEqual([500]);
  });

  test.each([
    ['no answer', LOST],
    ['a busy WeChat', refused(503, 'WECHAT_PAY_BUSY')],
    ['an error of a gateway', { statusCode: 504, data: { message: 'Gateway Timeout' } }],
    ['throttling', { statusCode: 429, data: { message: 'Too Many Requests' } }],
    ['the page of a Wi-Fi portal', { statusCode: 200, data: '<html>Welcome</html>' }],
    ['an empty answer', { statusCode: 200, data: null }],
  ])('prepay that meets %s is repeated under the same key', async (_, answer) => {
    const phone = createPhone();
    phone.answer('/prepay', answer, answer, ok(PREPAID));

    expect(await phone.pay.pay(LATTE)).toMatchObject({ status: 'paid' });
    expect(phone.waits).toEqual([500, 1500]);
    expect(keysOf(phone)).toHaveLength(3);
    expect(new Set(keysOf(phone)).size).toBe(1);
  });

  test('prepay that fails three times is failed, and no payment starts', async () => {
    const phone = createPhone();
    phone.answer('/prepay', LOST);

    expect(await phone.pay.pay(LATTE)).toEqual({
      status: 'failed',
      reason: 'network',
      message: '网络异常，请重试',
      retryable: true,
      httpStatus: 0,
      errMsg: 'request:fail timeout',
    });
    expect(phone.sentTo('/prepay')).toHaveLength(3);
    expect(phone.sheets).toEqual([]);
  });

  test('a wrong address is failed at once', async () => {
    const phone = createPhone();
    phone.answer('/prepay', { statusCode: 404, data: { message: 'Not Found' } });

    expect(await phone.pay.pay(LATTE)).toMatchObject({ reason: 'network', httpStatus: 404 });
    expect(phone.sentTo('/prepay')).toHaveLength(1);
  });

  test('the next tap on the same cart repeats the key, on another cart it does not', async () => {
    const phone = createPhone();
    phone.answer('/prepay', LOST, LOST, LOST, ok(PREPAID));
    await phone.pay.pay(LATTE);
    await phone.pay.pay(LATTE);
    await phone.pay.pay({ ...LATTE, expectedTotalFen: 3000 });
    const [first, , , second, third] = keysOf(phone);

    expect(second).toBe(first);
    expect(third).not.toBe(first);
  });
});

describe('after the payment', () => {
  test('a lost confirmation is repeated', async () => {
    const phone = createPhone();
    phone.answer('/orders', LOST, refused(503, 'WECHAT_UNREACHABLE'), ok(PAID));

    expect(await phone.pay.pay(LATTE)).toEqual({ status: 'paid', order: PAID });
    expect(phone.waits).toEqual([1000, 2000]);
  });

  test.each(['requestPayment:ok', CANCEL, 'requestPayment:fail 支付验证签名失败'])(
    'no confirmation at all after "%s" is unknown',
    async (errMsg) => {
      const phone = createPhone();
      phone.sheet(errMsg);
      phone.answer('/orders', LOST);

      expect(await phone.pay.pay(LATTE)).toMatchObject({
        status: 'unknown',
        outTradeNo: OUT_TRADE_NO,
        errMsg: 'request:fail timeout',
      });
      expect(phone.sentTo('/orders')).toHaveLength(5);
    },
  );

  test('a server that finds a contradiction leaves it unknown, with the request id', async () => {
    const phone = createPhone();
    phone.answer('/orders', refused(502, 'TRANSACTION_MISMATCH'));

    expect(await phone.pay.pay(LATTE)).toMatchObject({
      status: 'unknown',
      code: 'TRANSACTION_MISMATCH',
      requestId: 'request-1',
    });
  });

  test('an unknown payment is finished when the app is shown again, once', async () => {
    const phone = createPhone();
    phone.answer('/orders', LOST);
    await phone.pay.pay(LATTE);
    phone.answer('/orders', ok(PAID));

    expect(await phone.pay.resumePending()).toEqual([{ status: 'paid', order: PAID }]);
    expect(await phone.pay.resumePending()).toEqual([]);
  });

  test('a tap on what was paid unnoticed opens no second payment sheet', async () => {
    const phone = createPhone();
    phone.answer('/orders', LOST);
    await phone.pay.pay(LATTE);
    phone.answer('/orders', ok(PAID));

    expect(await phone.pay.pay(LATTE)).toEqual({ status: 'paid', order: PAID });
    expect(phone.sheets).toHaveLength(1);
    expect(phone.sentTo('/prepay')).toHaveLength(1);
  });

  test('a tap on what may be paid stays unknown while nobody can tell', async () => {
    const phone = createPhone();
    phone.answer('/orders', LOST);
    await phone.pay.pay(LATTE);

    expect(await phone.pay.pay(LATTE)).toMatchObject({ status: 'unknown' });
    expect(phone.sheets).toHaveLength(1);
  });

  test('a tap on what may be paid stays unknown when the server refuses to prepay it', async () => {
    const phone = createPhone();
    phone.answer('/orders', ok(UNPAID));
    await phone.pay.pay(LATTE);
    phone.answer('/prepay', refused(502, 'WECHAT_PAY_REFUSED'));

    expect(await phone.pay.pay(LATTE)).toMatchObject({ status: 'unknown' });
  });
});

describe('paying again', () => {
  test('after a cancellation carries the same order on', async () => {
    const phone = createPhone();
    phone.sheet(CANCEL, 'requestPayment:ok');
    phone.answer('/orders', ok(UNPAID), ok(PAID));

    expect(await phone.pay.pay(LATTE)).toMatchObject({ status: 'cancelled' });
    expect(await phone.pay.pay(LATTE)).toMatchObject({ status: 'paid' });
    expect(new Set(keysOf(phone)).size).toBe(1);
  });

  test('by number after a cancelled cart is the same order', async () => {
    const phone = createPhone();
    phone.sheet(CANCEL, 'requestPayment:ok');
    phone.answer('/orders', ok(UNPAID), ok(PAID));
    await phone.pay.pay(LATTE);

    expect(await phone.pay.pay({ outTradeNo: OUT_TRADE_NO })).toMatchObject({ status: 'paid' });
    expect(phone.sentTo('/prepay').at(-1)).toMatchObject({ data: { outTradeNo: OUT_TRADE_NO } });
  });

  test('after a payment is a new order', async () => {
    const phone = createPhone();
    await phone.pay.pay(LATTE);
    await phone.pay.pay(LATTE);

    expect(new Set(keysOf(phone)).size).toBe(2);
  });

  test('after the server refused is a new order', async () => {
    const phone = createPhone();
    phone.answer('/prepay', refused(409, 'PRICE_CHANGED', { totalFen: 3000 }), ok(PREPAID));
    await phone.pay.pay(LATTE);
    await phone.pay.pay(LATTE);

    expect(new Set(keysOf(phone)).size).toBe(2);
  });

  test.each(['ORDER_EXPIRED', 'ORDER_CLOSED'])(
    'a cancelled cart whose order is over (%s) makes a new order by itself',
    async (code) => {
      const phone = createPhone();
      phone.sheet(CANCEL, 'requestPayment:ok');
      phone.answer('/prepay', ok(PREPAID), refused(409, code), ok(PREPAID));
      phone.answer('/orders', ok(UNPAID), ok({ ...UNPAID, tradeState: 'CLOSED' }), ok(PAID));
      await phone.pay.pay(LATTE);

      expect(await phone.pay.pay(LATTE)).toMatchObject({ status: 'paid' });
      const [first, second, third] = keysOf(phone);
      expect(second).toBe(first);
      expect(third).not.toBe(first);
    },
  );

  test('a cancelled cart that was paid after all is paid, without a second sheet', async () => {
    const phone = createPhone();
    phone.sheet(CANCEL);
    phone.answer('/orders', ok(UNPAID), ok(PAID));
    phone.answer('/prepay', ok(PREPAID), refused(409, 'ORDER_ALREADY_PAID'));
    await phone.pay.pay(LATTE);

    expect(await phone.pay.pay(LATTE)).toEqual({ status: 'paid', order: PAID });
    expect(phone.sheets).toHaveLength(1);
  });
});

/** `close`: what is told to the shop's page when a buyer gives an order up. */
import { describe, expect, test } from 'vitest';
import {
  CLOSED,
  CLOSING,
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

const CANCEL = 'requestPayment:fail cancel';

/** A phone whose buyer has just left the payment sheet. */
async function leaveSheet() {
  const phone = createPhone();
  phone.sheet(CANCEL, 'requestPayment:ok');
  phone.answer('/orders', ok(UNPAID));
  await phone.pay.pay(LATTE);
  return phone;
}

const keysOf = (phone: ReturnType<typeof createPhone>) =>
  phone.sentTo('/prepay').map(({ header }) => header['idempotency-key']);

describe('an order that the buyer gives up', () => {
  test('is closed when the server says so, asked for once, as that buyer', async () => {
    const phone = createPhone();

    expect(await phone.pay.close(OUT_TRADE_NO)).toEqual({ status: 'closed', order: CLOSED });
    expect(phone.sentTo('/orders')).toMatchObject([
      {
        method: 'POST',
        path: `/orders/${OUT_TRADE_NO}/close`,
        data: {},
        header: { authorization: 'Bearer token-1' },
      },
    ]);
  });

  test('is closing while WeChat cannot close it yet', async () => {
    const phone = createPhone();
    phone.answer('/close', ok(CLOSING, 202));

    expect(await phone.pay.close(OUT_TRADE_NO)).toEqual({ status: 'closing', order: CLOSING });
  });

  test('is paid when a payment won the race', async () => {
    const phone = createPhone();
    phone.answer('/close', ok(PAID));

    expect(await phone.pay.close(OUT_TRADE_NO)).toEqual({ status: 'paid', order: PAID });
  });

  test('is paid when it was paid before, as the server shows it', async () => {
    const phone = createPhone();
    phone.answer('/close', refused(409, 'ORDER_ALREADY_PAID'));

    expect(await phone.pay.close(OUT_TRADE_NO)).toEqual({ status: 'paid', order: PAID });
  });

  test('is failed when the server does not know it', async () => {
    const phone = createPhone();
    phone.answer('/close', refused(404, 'ORDER_NOT_FOUND'));

    expect(await phone.pay.close(OUT_TRADE_NO)).toMatchObject({
      status: 'failed',
      reason: 'order-not-found',
      message: 'text of ORDER_NOT_FOUND',
      requestId: 'request-1',
    });
  });

  test('without its number is failed, and nothing is sent', async () => {
    const phone = createPhone();

    expect(await phone.pay.close('')).toMatchObject({ reason: 'order-number-missing' });
    expect(phone.requests).toEqual([]);
  });

  test('is asked for again after a lost answer and a busy server', async () => {
    const phone = createPhone();
    phone.answer('/close', LOST, refused(503, 'TEMPORARILY_UNAVAILABLE'), ok(CLOSED));

    expect(await phone.pay.close(OUT_TRADE_NO)).toMatchObject({ status: 'closed' });
    expect(phone.waits).toEqual([500, 1500]);
  });

  test('is failed after three lost answers, with a word for the buyer', async () => {
    const phone = createPhone();
    phone.answer('/close', LOST);

    expect(await phone.pay.close(OUT_TRADE_NO)).toMatchObject({
      status: 'failed',
      reason: 'network',
      message: '网络异常，请重试',
    });
    expect(phone.sentTo('/orders')).toHaveLength(3);
  });

  test('is closed under a new session when the old one has ended', async () => {
    const phone = createPhone();
    phone.answer('/close', refused(401, 'TOKEN_EXPIRED'), ok(CLOSED));

    expect(await phone.pay.close(OUT_TRADE_NO)).toMatchObject({ status: 'closed' });
    expect(phone.sentTo('/login')).toHaveLength(2);
  });
});

describe('after that', () => {
  test('the same goods are a new order once it is closed', async () => {
    const phone = await leaveSheet();
    await phone.pay.close(OUT_TRADE_NO);
    phone.answer('/orders', ok(PAID));
    await phone.pay.pay(LATTE);

    const [first, second] = keysOf(phone);
    expect(second).not.toBe(first);
  });

  test('the same goods are a new order also while it is closing', async () => {
    const phone = await leaveSheet();
    phone.answer('/close', ok(CLOSING, 202));
    await phone.pay.close(OUT_TRADE_NO);
    phone.answer('/prepay', refused(409, 'ORDER_CLOSED'), ok({ ...PREPAID, outTradeNo: 'second' }));
    phone.answer('/orders', ok(CLOSING), ok({ ...PAID, outTradeNo: 'second' }));

    expect(await phone.pay.pay(LATTE)).toMatchObject({
      status: 'paid',
      order: { outTradeNo: 'second' },
    });
    const [first, repeat, second] = keysOf(phone);
    expect(repeat).toBe(first);
    expect(second).not.toBe(first);
  });

  test('a look at it while it is closing says so, and does not offer to pay it', async () => {
    const phone = createPhone();
    phone.answer('/orders', ok(CLOSING));

    expect(await phone.pay.resume(OUT_TRADE_NO)).toEqual({
      status: 'failed',
      reason: 'order-closing',
      message: '订单正在关闭',
      order: CLOSING,
    });
  });

  test('a payment that WeChat called done stays unknown while it is closing: it may have won', async () => {
    const phone = createPhone();
    phone.answer('/orders', ok(CLOSING));

    expect(await phone.pay.pay(LATTE)).toMatchObject({ status: 'unknown' });
    phone.answer('/orders', ok(PAID));
    expect(await phone.pay.resumePending()).toEqual([{ status: 'paid', order: PAID }]);
  });
});

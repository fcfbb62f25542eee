/** Double taps, app switches and an app that ends in the middle. */
import { describe, expect, test } from 'vitest';
import { ERROR_TEXTS } from '../../lib/http/error-texts.ts';
import {
  CLOSED,
  createPhone,
  LATTE,
  NEVER,
  ok,
  OUT_TRADE_NO,
  PAID,
  PREPAID,
  type Phone,
  refused,
  settle,
  UNPAID,
} from './phone.ts';

const OTHER = { items: [{ sku: 'cookie', quantity: 2 }] };

describe('taps', () => {
  test('on the same order while it is being paid share one payment', async () => {
    const phone = createPhone();
    const results = await Promise.all([
      phone.pay.pay(LATTE),
      phone.pay.pay({ ...LATTE }),
      settle().then(() => phone.pay.resume(OUT_TRADE_NO)),
    ]);

    expect(results.map(({ status }) => status)).toEqual(['paid', 'paid', 'paid']);
    expect(phone.sentTo('/prepay')).toHaveLength(1);
    expect(phone.sheets).toHaveLength(1);
  });

  test('on another order while one is being paid are refused', async () => {
    const phone = createPhone();
    const [first, second] = await Promise.all([phone.pay.pay(LATTE), phone.pay.pay(OTHER)]);

    expect(first).toMatchObject({ status: 'paid' });
    expect(second).toEqual({ status: 'failed', reason: 'busy', message: '正在支付另一笔订单' });
    expect(phone.sheets).toHaveLength(1);
  });

  test('after the payment has ended count again', async () => {
    const phone = createPhone();
    await phone.pay.pay(LATTE);

    expect(await phone.pay.pay(OTHER)).toMatchObject({ status: 'paid' });
  });
});

describe('a refusal of the first request', () => {
  const keysOf = (phone: Phone) =>
    phone.sentTo('/prepay').map(({ header }) => header['idempotency-key']);
  const codes = Object.entries(ERROR_TEXTS).filter(([, { status }]) => status !== 401);

  test.each(codes.map(([code, { status }]) => [status, code] as const))(
    '%i %s makes no second order by itself: whatever is sent again has the same key',
    async (status, code) => {
      const phone = createPhone();
      phone.answer('/prepay', refused(status, code));

      expect(await phone.pay.pay(LATTE)).toMatchObject({ status: 'failed' });
      expect(new Set(keysOf(phone)).size).toBe(1);
      expect(phone.sheets).toEqual([]);
    },
  );

  test.each(
    codes
      .filter(([, { status }]) => status >= 500)
      .map(([code, { status }]) => [status, code] as const),
  )(
    '%i %s is repeated by the next tap under the same key: the order may be there',
    async (status, code) => {
      const phone = createPhone();
      phone.answer('/prepay', refused(status, code));
      await phone.pay.pay(LATTE);
      await phone.pay.pay(LATTE);

      expect(keysOf(phone).length).toBeGreaterThan(1);
      expect(new Set(keysOf(phone)).size).toBe(1);
    },
  );
});

describe('an app switch', () => {
  test('does not report a payment that is still being worked on twice', async () => {
    const phone = createPhone();
    phone.answer('/orders', ok(UNPAID), ok(PAID));
    const payment = phone.pay.pay(LATTE);
    await settle();

    expect(await phone.pay.resumePending()).toEqual([]);
    expect(await payment).toMatchObject({ status: 'paid' });
  });

  test('that swallows the callback does not swallow the payment', async () => {
    const phone = createPhone();
    phone.sheet(undefined);
    const payment = phone.pay.pay(LATTE);
    await settle();

    expect(await phone.pay.resumePending()).toEqual([]);
    expect(await payment).toEqual({ status: 'paid', order: PAID });
  });

  test('leaves an open payment sheet alone while the order is unpaid', async () => {
    const phone = createPhone();
    phone.sheet(undefined);
    phone.answer('/orders', ok(UNPAID));
    let isOver = false;
    void phone.pay.pay(LATTE).then(() => {
      isOver = true;
    });
    await settle();
    await phone.pay.resumePending();
    await settle();

    expect(isOver).toBe(false);
  });
});

describe('an app that ended', () => {
  test('before the answer to prepay repeats the key on the next tap', async () => {
    const phone = createPhone();
    phone.answer('/prepay', NEVER, undefined);
    void phone.pay.pay(LATTE);
    await settle();
    const restarted = phone.restart();
    await restarted.pay(LATTE);
    const keys = phone.sentTo('/prepay').map(({ header }) => header['idempotency-key']);

    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(1);
  });

  test('before the payment sheet opened has nothing to finish', async () => {
    const phone = createPhone();
    phone.answer('/prepay', { statusCode: 500, data: '' });
    await phone.pay.pay(LATTE);

    expect(await phone.restart().resumePending()).toEqual([]);
  });

  test('with the payment sheet open finds the payment when it starts again', async () => {
    const phone = createPhone();
    phone.sheet(undefined);
    void phone.pay.pay(LATTE);
    await settle();
    const restarted = phone.restart();

    expect(await restarted.resumePending()).toEqual([{ status: 'paid', order: PAID }]);
    expect(await restarted.resumePending()).toEqual([]);
  });

  test('with the payment sheet open and nothing paid is told so once, and can pay on', async () => {
    const phone = createPhone();
    phone.sheet(undefined, 'requestPayment:ok');
    void phone.pay.pay(LATTE);
    await settle();
    phone.answer('/orders', ok(UNPAID), ok(PAID));
    const restarted = phone.restart();

    expect(await restarted.resumePending()).toEqual([{ status: 'cancelled', order: UNPAID }]);
    expect(await restarted.resumePending()).toEqual([]);
    expect(await restarted.pay(LATTE)).toMatchObject({ status: 'paid' });
    const keys = phone.sentTo('/prepay').map(({ header }) => header['idempotency-key']);
    expect(new Set(keys).size).toBe(1);
  });

  test('after WeChat said ok keeps asking, start after start, until the server knows', async () => {
    const phone = createPhone();
    phone.answer('/orders', ok(UNPAID));
    await phone.pay.pay(LATTE);
    const restarted = phone.restart();

    expect(await restarted.resumePending()).toMatchObject([{ status: 'unknown' }]);
    phone.answer('/orders', ok(CLOSED));
    expect(await phone.restart().resumePending()).toMatchObject([
      { status: 'failed', reason: 'order-closed' },
    ]);
    expect(await phone.restart().resumePending()).toEqual([]);
  });

  test('with two payments open finishes both', async () => {
    const phone = createPhone();
    phone.answer('/orders', ok(UNPAID));
    phone.answer('/prepay', ok(PREPAID), ok({ ...PREPAID, outTradeNo: 'second-order' }));
    await phone.pay.pay(LATTE);
    await phone.pay.pay(OTHER);
    phone.answer('/orders', ok(PAID));

    expect(await phone.restart().resumePending()).toHaveLength(2);
    expect(
      phone
        .sentTo('/orders')
        .slice(-2)
        .map(({ path }) => path),
    ).toEqual(['/orders/second-order', `/orders/${OUT_TRADE_NO}`]);
  });
});

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ACKNOWLEDGEMENT, type Bench, sign, startBench } from '../support.ts';

let bench: Bench;
beforeEach(async () => {
  bench = await startBench();
});
afterEach(async () => bench.stop());

async function pay(outTradeNo: string, changes?: Record<string, string>, signType?: string) {
  const { prepay_id: prepayId = '' } = await bench.placeOrder(outTradeNo, changes, signType);
  return bench.payByPhone(prepayId, 'alice', signType);
}

const advance = async (advanceSeconds: number) =>
  bench.control('POST', '/clock', { advanceSeconds });

describe('a payment notification', () => {
  test.each(['MD5', 'HMAC-SHA256'])(
    'is what WeChat sends, signed with the %s of the order, without sign_type',
    async (signType) => {
      await pay('sent', { attach: '附加 & <数据>' }, signType);
      await bench.waitForAttempts('sent', 1);
      const [received] = bench.shop.received;
      const { nonce_str: nonce, sign: signature, ...rest } = received?.fields ?? {};
      expect(rest).toEqual({
        appid: bench.merchant.appid,
        attach: '附加 & <数据>',
        bank_type: 'OTHERS',
        cash_fee: '2800',
        fee_type: 'CNY',
        is_subscribe: 'N',
        mch_id: bench.merchant.mchid,
        openid: await bench.openidOf('alice'),
        out_trade_no: 'sent',
        result_code: 'SUCCESS',
        return_code: 'SUCCESS',
        time_end: expect.stringMatching(/^\d{14}$/),
        total_fee: '2800',
        trade_type: 'JSAPI',
        transaction_id: (await bench.book('sent')).transactionId,
      });
      expect(nonce).toHaveLength(32);
      expect(signature).toBe(sign(received?.fields ?? {}, bench.merchant.apiV2Key, signType));
      expect(received?.headers).toMatchObject({
        'user-agent': 'Mozilla/4.0',
        accept: '*/*',
        'content-type': 'text/xml',
      });
    },
  );

  test('that is acknowledged is not sent again', async () => {
    await pay('acknowledged');
    await bench.waitForAttempts('acknowledged', 1);
    await advance(100_000);
    expect(bench.shop.received).toHaveLength(1);
    expect((await bench.book('acknowledged')).notifications).toMatchObject([
      { state: 'acknowledged', nextAttemptAt: null, attempts: [{ outcome: 'acknowledged' }] },
    ]);
  });

  test('that is refused comes again at 15s 15s 30s 3m 10m 20m 30m 30m 30m 60m 3h 3h 3h 6h 6h, then never', async () => {
    bench.shop.answerWith(
      () => '<xml><return_code>FAIL</return_code><return_msg>busy</return_msg></xml>',
    );
    await pay('refused');
    await bench.waitForAttempts('refused', 1);
    await advance(24 * 3600 + 4 * 60);
    const [notification] = (await bench.book('refused')).notifications;
    const times = notification?.attempts.map(({ at }) => Date.parse(at)) ?? [];
    const gaps = times.slice(1).map((time, index) => (time - (times[index] ?? 0)) / 1000);
    const schedule = [
      15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10_800, 10_800, 10_800, 21_600, 21_600,
    ];
    expect(gaps).toHaveLength(15);
    for (const [index, gap] of gaps.entries()) {
      // Each attempt counts from the start of the one before; a delivery takes some milliseconds.
      expect(gap - (schedule[index] ?? 0)).toBeGreaterThanOrEqual(0);
      expect(gap - (schedule[index] ?? 0)).toBeLessThan(1);
    }
    expect(notification).toMatchObject({ state: 'given-up', nextAttemptAt: null });
    expect(notification?.attempts.every(({ outcome }) => outcome === 'refused')).toBe(true);
    await advance(1_000_000);
    expect(bench.shop.received).toHaveLength(16);
  });

  test('repeats byte for byte', async () => {
    bench.shop.answerWith(() => 'no');
    await pay('repeated');
    await advance(31);
    expect(new Set(bench.shop.received.map(({ body }) => body)).size).toBe(1);
    expect(bench.shop.received).toHaveLength(3);
  });

  test('that was refused and is then acknowledged ends there', async () => {
    bench.shop.answerWith(() => 'no');
    await pay('later');
    await bench.waitForAttempts('later', 1);
    bench.shop.answerWith(() => ACKNOWLEDGEMENT);
    await advance(15);
    expect((await bench.book('later')).notifications).toMatchObject([
      { state: 'acknowledged', attempts: [{ outcome: 'bad-answer' }, { outcome: 'acknowledged' }] },
    ]);
  });

  test('also comes by itself when real time passes', async () => {
    bench.shop.answerWith(() => 'no');
    await pay('by-itself');
    await bench.waitForAttempts('by-itself', 1);
    await advance(14);
    expect(bench.shop.received).toHaveLength(1);
    await bench.waitForAttempts('by-itself', 2);
  });

  test('does not follow for a payment that failed', async () => {
    const { prepay_id: prepayId = '' } = await bench.placeOrder('failed');
    await bench.payByPhone(prepayId, 'mallory');
    await advance(60);
    expect(bench.shop.received).toHaveLength(0);
    expect((await bench.book('failed')).notifications).toEqual([]);
  });
});

describe('an acknowledgement', () => {
  test.each([
    ['with CDATA', ACKNOWLEDGEMENT],
    ['without CDATA', '<xml><return_code>SUCCESS</return_code></xml>'],
    ['with a line break at its end', `${ACKNOWLEDGEMENT}\n`],
  ])('%s counts', async (_, answer) => {
    bench.shop.answerWith(() => answer);
    await pay('counts');
    const { notifications } = await bench.waitForAttempts('counts', 1);
    expect(notifications[0]?.state).toBe('acknowledged');
  });

  test.each([
    ['a bare word', 'success'],
    ['JSON', '{"code":"SUCCESS"}'],
    ['nothing', ''],
    ['HTML', '<html><body>SUCCESS</body></html>'],
    ['a byte order mark', `\uFEFF${ACKNOWLEDGEMENT}`],
    ['escaped quotes', String.raw`"<xml><return_code>SUCCESS<\/return_code><\/xml>"`],
    ['another root', '<root2><return_code>SUCCESS</return_code></root2>'],
  ])('of %s does not count', async (_, answer) => {
    bench.shop.answerWith(() => answer);
    await pay('no-count');
    const { notifications } = await bench.waitForAttempts('no-count', 1);
    expect(notifications[0]).toMatchObject({
      state: 'pending',
      attempts: [{ outcome: 'bad-answer', error: expect.any(String) }],
    });
  });

  test.each([204, 302, 400, 500, 503])('with status %i does not count', async (status) => {
    bench.shop.answerWith((_, response) => {
      response.writeHead(status, status === 302 ? { Location: bench.shop.notifyUrl } : {});
      response.end(status === 204 ? undefined : ACKNOWLEDGEMENT);
      return undefined;
    });
    await pay('status');
    const { notifications } = await bench.waitForAttempts('status', 1);
    expect(notifications[0]?.attempts).toMatchObject([
      { outcome: 'bad-answer', httpStatus: status, error: `status ${status} instead of 200` },
    ]);
    expect(bench.shop.received).toHaveLength(1);
  });

  test('after 5 seconds is too late', async () => {
    bench.shop.answerWith(() => undefined);
    await pay('slow');
    const startedAt = performance.now();
    const { notifications } = await bench.waitForAttempts('slow', 1);
    expect(performance.now() - startedAt).toBeGreaterThan(4500);
    expect(notifications[0]?.attempts).toMatchObject([{ outcome: 'timeout' }]);
  });

  test('from nobody is a failure that is recorded', async () => {
    await bench.placeOrder('nobody', { notify_url: 'http://127.0.0.1:9/notify' });
    await bench.control('POST', '/orders/nobody/pay');
    const { notifications } = await bench.waitForAttempts('nobody', 1);
    expect(notifications[0]?.attempts).toMatchObject([
      { outcome: 'connection-failed', error: 'ECONNREFUSED' },
    ]);
  });
});

describe('moving the clock', () => {
  test('attempts what becomes due in order, and answers after that', async () => {
    bench.shop.answerWith(() => 'no');
    await pay('first');
    await bench.waitForAttempts('first', 1);
    await advance(5);
    await pay('second');
    await bench.waitForAttempts('second', 1);
    await advance(40);
    const order = bench.shop.received.map(({ fields }) => fields['out_trade_no']);
    expect(order).toEqual(['first', 'second', 'first', 'second', 'first', 'second']);
  });

  test('tells the time and never goes back', async () => {
    const times: { now: string; offsetSeconds: number }[] = [];
    for (const seconds of [0, 3600, 0]) {
      times.push((await advance(seconds)).body as never);
    }
    const [before, after, last] = times.map(({ now }) => Date.parse(now)) as [
      number,
      number,
      number,
    ];
    expect(after - before).toBeGreaterThanOrEqual(3600 * 1000);
    expect(after - before).toBeLessThan(3610 * 1000);
    expect(last).toBeGreaterThanOrEqual(after);
    expect(times[2]?.offsetSeconds).toBeCloseTo(3600, 0);
    expect((await advance(-1)).status).toBe(400);
  });

  test('past many notifications attempts every one of them', async () => {
    bench.shop.answerWith(() => 'no');
    const numbers = Array.from({ length: 60 }, (_, index) => `many-${index}`);
    await Promise.all(numbers.map(async (number) => pay(number)));
    await advance(35);
    const attempts = await Promise.all(
      numbers.map(async (number) => (await bench.book(number)).notifications[0]?.attempts.length),
    );
    expect(attempts).toEqual(numbers.map(() => 3));
  });
});

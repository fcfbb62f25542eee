/** Amounts that choose what happens, without a call of the control API. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PRICE_LIST } from '../../../simulator/host/price-list.ts';
import { listProjectFiles, readProjectFile } from '../../repo/project.ts';
import { type Bench, startBench } from '../support.ts';
import { callV3, JSAPI, orderBody, paymentOf, placeV3, queryV3 } from '../v3-support.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(async () => bench.stop());

const fenOf = (number: number) => 7_700_000 + number;
const placeV2 = async (number: number, name = '') =>
  bench.placeOrder(`price-2${name}-${number}`, { total_fee: String(fenOf(number)) });
const order3 = async (number: number, name = '') =>
  placeV3(bench, `price-3${name}-${number}`, { amount: { total: fenOf(number) } });
const pay = async (outTradeNo: string) => bench.control('POST', `/orders/${outTradeNo}/pay`);
const stateOf = async (outTradeNo: string) => (await bench.book(outTradeNo)).tradeState;

/** The bytes of an answer, or that none came within 300 ms. */
async function attempt(number: number): Promise<string> {
  const body = {
    ...(await orderBody(bench, `price-3-${number}`)),
    amount: { total: fenOf(number) },
  };
  const answered = callV3(bench, 'POST', JSAPI, body).then(
    ({ status }) => `status ${status}`,
    (error: unknown) => (error instanceof SyntaxError ? 'not JSON' : 'failed'),
  );
  const silence = new Promise<string>((resolve) => {
    setTimeout(() => resolve('silence'), 300);
  });
  return Promise.race([answered, silence]);
}

describe('the list', () => {
  test('has each amount once, and none that a product of the demo costs', () => {
    const amounts = PRICE_LIST.map(({ fen }) => fen);
    expect(new Set(amounts).size).toBe(amounts.length);
    expect(Math.min(...amounts)).toBe(7_700_001);
    const sources = listProjectFiles('{local,miniprogram}/**/*.{ts,js}').map(readProjectFile);
    const numbers = sources.flatMap((text) => text.match(/\d[\d_]*/g) ?? []);
    const prices = new Set(numbers.map((text) => Number(text.replaceAll('_', ''))));
    expect(prices).toContain(16_800);
    expect(amounts.filter((fen) => prices.has(fen))).toEqual([]);
  });

  test.each(['README.md', 'README.zh-CN.md'])('is in %s, line by line', (file) => {
    const text = readProjectFile(`simulator/${file}`);
    const lines = PRICE_LIST.map(({ fen, at, en, zh }) => {
      const words = file === 'README.md' ? en : zh;
      return `| ¥${(fen / 100).toLocaleString('en-US', { minimumFractionDigits: 2 })} | \`${at}\` | ${words} |`;
    });
    expect(lines.filter((line) => !text.includes(line))).toEqual([]);
  });

  test('is at GET /_simulator, and at its own address', async () => {
    const page = await (await fetch(`${bench.simulator.url}/_simulator`)).text();
    expect(page).toContain('<code>¥77000.12 pay</code>');
    expect(page).toContain('lost, late, duplicate, reorder');
    expect(page).toContain('40243');
    const { body } = await bench.control('GET', '/price-list');
    expect(body).toMatchObject({ enabled: true });
    expect(body['prices']).toHaveLength(PRICE_LIST.length);
  });
});

describe('ordering for', () => {
  test.each([
    [1, 'SYSTEMERROR', 500],
    [3, 'NOAUTH', 403],
  ])('¥77,000.0%i is %s', async (number, code, status) => {
    expect(await placeV2(number)).toMatchObject({ result_code: 'FAIL', err_code: code });
    expect((await order3(number)).status).toBe(status);
  });

  test('¥77,000.02 is too often', async () => {
    expect(await placeV2(2)).toEqual({ return_code: 'FAIL', return_msg: '频率限制' });
    expect((await order3(2)).status).toBe(429);
  });

  test('¥77,000.04 is a wrong signature, unsigned', async () => {
    expect(await placeV2(4)).toEqual({ return_code: 'FAIL', return_msg: '签名错误' });
    const { status, headers } = await order3(4);
    expect([status, headers.get('wechatpay-signature')]).toEqual([401, null]);
  });

  test.each([
    [5, 'silence', 404],
    [6, 'silence', 200],
    [7, 'not JSON', 404],
    [8, 'not JSON', 200],
    [9, 'status 200', 200],
  ])('¥77,000.0%i ends as %s, and the book answers %i', async (number, end, status) => {
    expect(await attempt(number)).toBe(end);
    expect((await bench.control('GET', `/orders/price-3-${number}`)).status).toBe(status);
  });
});

describe('paying', () => {
  test('¥77,000.11 takes a coupon', async () => {
    await placeV2(11);
    await pay('price-2-11');
    expect(await bench.call('/pay/orderquery', { out_trade_no: 'price-2-11' })).toMatchObject({
      total_fee: '7700011',
      cash_fee: '7699911',
      coupon_count: '1',
    });
  });

  test('¥77,000.12 takes two, ¥77,000.13 foreign money', async () => {
    await order3(12);
    await pay('price-3-12');
    expect((await queryV3(bench, 'price-3-12')).json).toMatchObject({
      amount: { total: 7_700_012, payer_total: 7_699_712 },
      promotion_detail: [{ type: 'CASH' }, { type: 'NOCASH' }],
    });
    await order3(13);
    await pay('price-3-13');
    expect((await queryV3(bench, 'price-3-13')).json['amount']).toMatchObject({
      total: 7_700_013,
      payer_currency: 'HKD',
    });
  });

  test.each([
    [14, 'USERPAYING', 'requestPayment:fail 用户支付中'],
    [15, 'ACCEPT', 'requestPayment:ok'],
    [16, 'PAYERROR', 'requestPayment:fail 支付失败'],
  ])('¥77,000.%i is %s at first, and paid by the next attempt', async (number, state, errMsg) => {
    const { json } = await order3(number);
    const press = async () => {
      const payment = { user: 'alice', ...paymentOf(bench, json['prepay_id']) };
      return (await bench.control('POST', '/request-payment', payment)).body;
    };
    expect(await press()).toMatchObject({ errMsg });
    expect(await stateOf(`price-3-${number}`)).toBe(state);
    expect((await bench.book(`price-3-${number}`)).notifications).toEqual([]);
    expect(await press()).toEqual({ errMsg: 'requestPayment:ok' });
    expect(await stateOf(`price-3-${number}`)).toBe('SUCCESS');
  });

  test('¥77,000.17 revokes the order; ¥77,000.18 is too much for the buyer, each time', async () => {
    await placeV2(17);
    expect((await pay('price-2-17')).body['error']).toMatchObject({ code: 'ORDER_REVOKED' });
    expect(await stateOf('price-2-17')).toBe('REVOKED');
    await placeV2(18);
    for (const _ of [1, 2]) {
      expect((await pay('price-2-18')).body['error']).toMatchObject({ code: 'NOT_ENOUGH' });
      expect(await stateOf('price-2-18')).toBe('NOTPAY');
    }
  });
});

describe('the notification of', () => {
  const attemptsOf = async (number: number, count: number) => {
    await order3(number);
    await pay(`price-3-${number}`);
    const view = await bench.waitForAttempts(`price-3-${number}`, count);
    return view.notifications.flatMap(({ attempts }) => attempts);
  };

  test.each([
    [21, 'lost', 'lost'],
    [24, 'tamper', 'acknowledged'],
    [25, 'wrong-amount', 'acknowledged'],
    [26, 'probe', 'acknowledged'],
    [27, 'timeout-after', 'acknowledgement-lost'],
  ])('¥77,000.%i is %s at first', async (number, fault, outcome) => {
    expect((await attemptsOf(number, 1))[0]).toMatchObject({ fault, outcome });
  });

  test('¥77,000.23 comes twice', async () => {
    expect(await attemptsOf(23, 2)).toMatchObject([{ fault: 'duplicate' }, { fault: 'duplicate' }]);
  });

  test('¥77,000.27 comes again unharmed, ¥77,000.21 and ¥77,000.22 on their own time', async () => {
    await order3(22);
    await pay('price-3-22');
    expect((await bench.book('price-3-22')).notifications[0]?.attempts).toEqual([]);
    await bench.control('POST', '/clock', { advanceSeconds: 31 });
    const endsOf = async (number: number) =>
      (await bench.book(`price-3-${number}`)).notifications[0]?.attempts.map(
        ({ outcome }) => outcome,
      );
    expect(await endsOf(22)).toEqual(['acknowledged']);
    expect(await endsOf(27)).toEqual(['acknowledgement-lost', 'acknowledged']);
    expect(await endsOf(21)).toEqual(['lost', 'lost', 'lost']);
  });
});

describe('a query and a close of', () => {
  test('¥77,000.31 is SYSTEMERROR, ¥77,000.41 is 202, ¥77,000.42 is 500', async () => {
    await placeV2(31);
    const asked = await bench.call('/pay/orderquery', { out_trade_no: 'price-2-31' });
    expect(asked['err_code']).toBe('SYSTEMERROR');
    for (const [number, status] of [
      [41, 202],
      [42, 500],
    ] as const) {
      await order3(number);
      const close = `/v3/pay/transactions/out-trade-no/price-3-${number}/close`;
      const answer = await callV3(bench, 'POST', close, { mchid: bench.merchant.mchid });
      expect(answer.status).toBe(status);
      expect(await stateOf(`price-3-${number}`)).toBe('NOTPAY');
    }
  });

  test.each([32, 34])('¥77,000.%i is not JSON', async (number) => {
    await order3(number);
    await expect(queryV3(bench, `price-3-${number}`)).rejects.toThrow(SyntaxError);
  });
});

test('a fault that was asked for, and a way to pay, count more than the price', async () => {
  await bench.control('POST', '/faults', { point: 'unifiedorder', kind: 'error', times: 1 });
  expect(await placeV2(3, 'x')).toMatchObject({ err_code: 'SYSTEMERROR' });
  await placeV2(14, 'x');
  await bench.control('POST', '/orders/price-2x-14/pay', { coupons: [{ fen: 1 }] });
  expect(await stateOf('price-2x-14')).toBe('SUCCESS');
});

test('the list can be switched off by a call, and at the start', async () => {
  await bench.control('POST', '/price-list', { enabled: false });
  expect(await placeV2(1, 'off')).toMatchObject({ result_code: 'SUCCESS' });
  await bench.control('POST', '/reset');
  expect((await bench.control('GET', '/price-list')).body).toMatchObject({ enabled: false });
  expect((await bench.control('POST', '/price-list', { enabled: 1 })).status).toBe(400);
  await bench.control('POST', '/price-list', { enabled: true });
  expect(await placeV2(1, 'on')).toMatchObject({ err_code: 'SYSTEMERROR' });
  const other = await startBench({ priceList: false });
  expect((await other.control('GET', '/price-list')).body).toMatchObject({ enabled: false });
  await other.stop();
});

/** What a payment may look like: coupons of both types, a payer with foreign money. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bench, startBench } from '../support.ts';
import { type Json, openResource, placeV3, queryV3, type Resource } from '../v3-support.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(async () => bench.stop());

const COUPONS = [
  { fen: 100, type: 'CASH', couponId: '10001' },
  { fen: 300, type: 'NO_CASH', couponId: '10002' },
];

const pay = async (outTradeNo: string, body: object) =>
  bench.control('POST', `/orders/${outTradeNo}/pay`, body);

async function notified(outTradeNo: string) {
  await bench.waitForAttempts(outTradeNo, 1);
  const last = bench.shop.received.at(-1);
  if (last === undefined) {
    throw new Error('the shop was never notified');
  }
  return last;
}

describe('in v2', () => {
  test('coupons are taken off what the payer is charged, and listed', async () => {
    await bench.placeOrder('coupon-2');
    expect((await pay('coupon-2', { coupons: COUPONS })).status).toBe(200);
    const expected = {
      total_fee: '2800',
      cash_fee: '2400',
      settlement_total_fee: '2500',
      coupon_fee: '400',
      coupon_count: '2',
      coupon_type_0: 'CASH',
      coupon_id_0: '10001',
      coupon_fee_0: '100',
      coupon_type_1: 'NO_CASH',
      coupon_id_1: '10002',
      coupon_fee_1: '300',
      fee_type: 'CNY',
    };
    expect((await notified('coupon-2')).fields).toMatchObject(expected);
    const asked = await bench.call('/pay/orderquery', { out_trade_no: 'coupon-2' });
    expect(asked).toMatchObject({ ...expected, trade_state: 'SUCCESS', cash_fee_type: 'CNY' });
  });

  test('a payment without any has none of these fields', async () => {
    await bench.placeOrder('coupon-none');
    await pay('coupon-none', {});
    const { fields } = await notified('coupon-none');
    expect(Object.keys(fields).filter((name) => /coupon|settlement|rate|type/.test(name))).toEqual([
      'bank_type',
      'fee_type',
      'trade_type',
    ]);
    expect(fields['cash_fee']).toBe('2800');
  });

  test('a foreign payer is charged in the money of the card', async () => {
    await bench.placeOrder('foreign-2');
    await pay('foreign-2', { payerCurrency: 'HKD', payerTotal: 3080 });
    expect((await notified('foreign-2')).fields).toMatchObject({
      total_fee: '2800',
      fee_type: 'CNY',
      cash_fee: '3080',
      cash_fee_type: 'HKD',
      rate_value: '110000000',
    });
  });

  test('a refund of it settles the share that was settled', async () => {
    await bench.control('POST', '/orders/coupon-2/refund-in-console', { refundFen: 1400 });
    await bench.waitForAttempts('coupon-2', 2);
    const { messages } = (await bench.control('GET', '/messages')).body as unknown as {
      messages: { plaintext?: string }[];
    };
    expect(messages.findLast(({ plaintext }) => plaintext)?.plaintext).toMatch(
      /<settlement_refund_fee><!\[CDATA\[1250]]>.*\n<settlement_total_fee><!\[CDATA\[2500]]>/,
    );
  });
});

describe('in v3', () => {
  test('coupons lower payer_total, and are in promotion_detail', async () => {
    await placeV3(bench, 'coupon-3');
    await pay('coupon-3', { coupons: COUPONS });
    const expected = {
      trade_state: 'SUCCESS',
      amount: { total: 2800, payer_total: 2400, currency: 'CNY', payer_currency: 'CNY' },
      promotion_detail: [
        {
          coupon_id: '10001',
          name: '代金券',
          scope: 'GLOBAL',
          type: 'CASH',
          amount: 100,
          stock_id: '110001',
          wechatpay_contribute: 100,
          merchant_contribute: 0,
          other_contribute: 0,
          currency: 'CNY',
        },
        { coupon_id: '10002', type: 'NOCASH', amount: 300, merchant_contribute: 300 },
      ],
    };
    expect((await queryV3(bench, 'coupon-3')).json).toMatchObject(expected);
    const { resource } = JSON.parse((await notified('coupon-3')).body) as { resource: Resource };
    const opened = JSON.parse(openResource(resource, bench.merchant.apiV3Key)) as Json;
    expect(opened).toMatchObject(expected);
  });

  test('a foreign payer has another payer_currency', async () => {
    await placeV3(bench, 'foreign-3');
    await pay('foreign-3', { payerCurrency: 'USD', coupons: [{ fen: 800 }] });
    expect((await queryV3(bench, 'foreign-3')).json['amount']).toEqual({
      total: 2800,
      currency: 'CNY',
      payer_total: 280,
      payer_currency: 'USD',
    });
  });
});

test('the book shows how an order was paid', async () => {
  const { body } = await bench.control('GET', '/orders/foreign-2');
  expect(body['payment']).toEqual({ coupons: [], payerCurrency: 'HKD', payerTotal: 3080 });
});

test.each([
  [{ coupons: {} }, 'INVALID_FIELD', 'a list of up to 20'],
  [{ coupons: [{ fen: 2800 }] }, 'INVALID_FIELD', 'less than the price of 2800 fen'],
  [{ coupons: [{ fen: 1400 }, { fen: 1400 }] }, 'INVALID_FIELD', 'less than the price'],
  [{ coupons: [{}] }, 'MISSING_FIELD', '"fen" of a coupon'],
  [{ coupons: [{ fen: 1.5 }] }, 'INVALID_FIELD', 'whole number of fen'],
  [{ coupons: [{ fen: 1, type: 'FREE' }] }, 'INVALID_FIELD', 'CASH or NO_CASH'],
  [{ coupons: [{ fen: 1, couponId: '' }] }, 'INVALID_FIELD', '1 to 20'],
  [{ coupons: [{ fen: 1, value: 1 }] }, 'UNKNOWN_FIELD', 'value'],
  [{ payerCurrency: 'usd' }, 'INVALID_FIELD', 'three capital letters'],
  [{ payerCurrency: 'CHF' }, 'MISSING_FIELD', '"payerTotal" is needed'],
  [{ payerTotal: 5 }, 'INVALID_FIELD', 'belongs to a foreign "payerCurrency"'],
  [{ payerCurrency: 'USD', payerTotal: 0 }, 'INVALID_FIELD', 'a whole number above 0'],
])('%j is refused, and nothing is paid', async (body, code, message) => {
  await bench.placeOrder('coupon-bad');
  const answer = await pay('coupon-bad', body);
  expect([answer.status, answer.body['error']]).toEqual([
    400,
    { code, message: expect.stringContaining(message) as string },
  ]);
  expect((await bench.book('coupon-bad')).tradeState).toBe('NOTPAY');
});

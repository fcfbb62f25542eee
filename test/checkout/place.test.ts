import { describe, expect, test } from 'vitest';
import { placeAtWechat } from '../../lib/checkout/place.ts';
import { BuyerAccountError, OrderConflictError, WechatPayServiceError } from '../../lib/errors.ts';
import type { PrepayResult } from '../../lib/wechatpay/operations.ts';
import { sampleOrder } from '../support/sample-orders.ts';

const order = sampleOrder();

/** Places the sample order, whose time ends in as many seconds; WeChat answers what it is given. */
async function place(answer: () => Promise<PrepayResult>, secondsLeft = 1800) {
  const asked: unknown[] = [];
  const wechatPay = {
    prepay: (...input: unknown[]) => {
      asked.push(input);
      return answer();
    },
  };
  const nowMs = () => (order.expiresAtEpochSeconds - secondsLeft) * 1000;
  const placed = await placeAtWechat(wechatPay, order, nowMs).catch((error: unknown) => error);
  return { placed, asked };
}

const placed: PrepayResult = { kind: 'placed', prepayId: 'wx01' };

describe('an order is placed', () => {
  test('with all that its row keeps, in 8 seconds', async () => {
    expect(await place(async () => placed)).toEqual({
      placed: 'wx01',
      asked: [[order, { timeoutMs: 8_000 }]],
    });
  });

  test('while a minute is left; with less, nobody is asked', async () => {
    expect((await place(async () => placed, 60)).placed).toBe('wx01');
    expect(await place(async () => placed, 59.999)).toEqual({
      placed: new OrderConflictError('ORDER_EXPIRED', { outTradeNo: order.outTradeNo }),
      asked: [],
    });
  });
});

test.each([
  ['already-paid', 'ORDER_ALREADY_PAID'],
  ['closed', 'ORDER_CLOSED'],
  ['too-late', 'ORDER_EXPIRED'],
] as const)('an order that WeChat answers %s about is %s to its buyer', async (kind, code) => {
  const { placed: error } = await place(async () => ({ kind }));

  expect(error).toBeInstanceOf(OrderConflictError);
  expect(error).toMatchObject({ code, parameters: { outTradeNo: order.outTradeNo } });
});

test('a buyer whose account WeChat refuses is told so, and the log why', async () => {
  const { placed: error } = await place(async () => ({ kind: 'buyer-refused', reason: 'why' }));

  expect(error).toBeInstanceOf(BuyerAccountError);
  expect(error).toMatchObject({ code: 'BUYER_ACCOUNT_REFUSED', retryable: false, message: 'why' });
});

test('any other refusal is WeChat’s own, also when little time is left', async () => {
  const refusal = new WechatPayServiceError('rejected', 'NOAUTH', 'no');

  expect((await place(() => Promise.reject(refusal), 61)).placed).toBe(refusal);
});

/** The client against the real API and the simulator: what it sends is what they want. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPay } from '../../miniprogram/pay/pay.js';
import { type Stack, startStack } from '../../local/stack.ts';
import { call } from '../support/shop.ts';

const LATTE = { items: [{ sku: 'latte', quantity: 1 }], expectedTotalFen: 2800 };

let stack: Stack;

beforeAll(async () => {
  stack = await startStack({
    inMemory: true,
    port: 0,
    simulatorPort: 0,
    schedule: false,
    log: 'silent',
  });
});
afterAll(() => stack.stop());

interface WxArguments {
  readonly url: string;
  readonly method: string;
  readonly data: unknown;
  readonly header: Record<string, string>;
  readonly success: (result: object) => void;
  readonly fail: (result: object) => void;
}

/** A buyer's WeChat over HTTP; `press` is what the buyer does in the payment sheet. */
function openWechat(user: string) {
  const storage = new Map<string, unknown>();
  const phone = { press: 'pay', payer: user };
  const simulate = <T>(name: string, body: object) =>
    call<T>(`${stack.simulatorUrl}/_simulator/${name}`, 'POST', body);

  const wx = {
    login: ({ success }: WxArguments) =>
      void simulate<object>('login', { user }).then(({ body }) => success(body)),
    request: ({ url, method, data, header, success }: WxArguments) =>
      void call(url, method as 'GET' | 'POST', data, header).then(({ status, body }) =>
        success({ statusCode: status, data: body }),
      ),
    requestPayment: ({ success, fail, ...parameters }: WxArguments) =>
      void simulate<{ errMsg: string }>('request-payment', {
        ...parameters,
        user: phone.payer,
        cancel: phone.press === 'cancel',
      }).then(({ body }) => (body.errMsg.endsWith(':ok') ? success(body) : fail(body))),
    getStorageSync: (name: string) => storage.get(name) ?? '',
    setStorageSync: (name: string, value: unknown) => void storage.set(name, value),
  };
  const pay = createPay({ baseUrl: stack.apiUrl, wx, language: 'en' });
  return { phone, pay };
}

describe('over the whole stack', () => {
  test('a cart is paid', async () => {
    const { pay } = openWechat('alice');

    expect(await pay.pay(LATTE)).toMatchObject({
      status: 'paid',
      order: { tradeState: 'SUCCESS', totalFen: 2800, transactionId: expect.any(String) },
    });
  });

  test('a deposit of the buyer’s own amount is paid, with its note', async () => {
    const { pay } = openWechat('alice');
    const items = [{ sku: 'deposit', quantity: 1, amountFen: 521 }];

    expect(await pay.pay({ items, attach: '周六四人桌', expectedTotalFen: 521 })).toMatchObject({
      status: 'paid',
      order: { totalFen: 521 },
    });
  });

  test('an order that the buyer gives up is closing or closed, and the same cart is a new order', async () => {
    const { phone, pay } = openWechat('alice');
    phone.press = 'cancel';
    const first = await pay.pay(LATTE);
    const outTradeNo = first.status === 'cancelled' ? first.order.outTradeNo : '';

    // API v2 closes no order in its first 5 minutes.
    expect(await pay.close(outTradeNo)).toMatchObject({
      status: 'closing',
      order: { outTradeNo, tradeState: 'NOTPAY', closing: true },
    });
    expect(await pay.resume(outTradeNo)).toMatchObject({ reason: 'order-closing' });
    phone.press = 'pay';
    const again = await pay.pay(LATTE);
    expect(again).toMatchObject({ status: 'paid' });
    expect('order' in again && again.order?.outTradeNo).not.toBe(outTradeNo);
    expect(await pay.close(outTradeNo)).toMatchObject({ status: 'closing' });
  });

  test('virtual goods are refused with a reason that the buyer can read', async () => {
    const { pay } = openWechat('alice');
    const items = [...LATTE.items, { sku: 'membership', quantity: 1 }];

    expect(await pay.pay({ items, expectedTotalFen: 12_700 })).toMatchObject({
      status: 'failed',
      reason: 'virtual-goods-not-allowed',
      retryable: false,
      message: expect.stringMatching(
        /^Virtual goods cannot be bought here: the product membership is virtual\. .*Nothing was charged\./,
      ),
      requestId: expect.any(String),
    });
  });

  test('a cancelled cart is carried on as the same order, by cart or by number', async () => {
    const { phone, pay } = openWechat('alice');
    phone.press = 'cancel';
    const first = await pay.pay(LATTE);
    const second = await pay.pay(LATTE);
    phone.press = 'pay';
    const outTradeNo = first.status === 'cancelled' ? first.order.outTradeNo : '';
    const third = await pay.pay({ outTradeNo });

    expect(second).toMatchObject({ status: 'cancelled', order: { outTradeNo } });
    expect(third).toMatchObject({ status: 'paid', order: { outTradeNo } });
    expect(await pay.resume(outTradeNo)).toEqual(third);
    expect(await pay.pay({ outTradeNo })).toEqual(third);
  });

  test('a price that differs from the one shown charges nothing', async () => {
    const { pay } = openWechat('alice');

    expect(await pay.pay({ ...LATTE, expectedTotalFen: 2500 })).toMatchObject({
      status: 'failed',
      reason: 'price-changed',
      totalFen: 2800,
      message: 'The price is 2800 fen now; show it to the buyer and ask again.',
    });
  });

  test('a payment from another account is failed, and still unpaid', async () => {
    const { phone, pay } = openWechat('alice');
    phone.payer = 'bob';

    expect(await pay.pay(LATTE)).toMatchObject({
      status: 'failed',
      reason: 'payment-wrong-account',
      order: { tradeState: 'NOTPAY' },
    });
  });

  test('another buyer’s order is not found', async () => {
    const paid = await openWechat('alice').pay.pay(LATTE);
    const outTradeNo = paid.status === 'paid' ? paid.order.outTradeNo : '';

    expect(await openWechat('bob').pay.resume(outTradeNo)).toMatchObject({
      status: 'failed',
      reason: 'order-not-found',
    });
  });
});

/** What every version of WeChat's API must do, whatever its wire looks like. */
import { describe, expect, test } from 'vitest';
import { acknowledgeNotification } from '../../lib/wechatpay/open.ts';
import { said } from '../support/said.ts';
import {
  APPID,
  CREATED_AT,
  MCHID,
  OPENID,
  sampleOrder,
  samplePayment,
} from '../support/sample-orders.ts';
import { type NotificationChange, VERSIONS } from './wechat-pay.ts';

const options = { timeoutMs: 3_000 };
const parties = { appid: APPID, mchid: MCHID };
const order = { ...parties, outTradeNo: 'order-0001' };
const newOrder = {
  merchantKey: '',
  ...order,
  openid: OPENID,
  description: '拿铁',
  totalFen: 2800,
  clientIp: '203.0.113.7',
  createdAtEpochSeconds: CREATED_AT,
  expiresAtEpochSeconds: CREATED_AT + 1800,
  notifyBaseUrl: 'https://pay.example.com',
};

describe.each(VERSIONS)('API $name', ({ name, open, notification }) => {
  const request = open({ kind: 'closed' }).wechatPay.buildPrepayRequest(newOrder);
  const stored = sampleOrder({ apiVersion: name, prepayRequest: request });
  const read = (change: NotificationChange = {}) =>
    said(open({ kind: 'closed' }).wechatPay.parseNotification(notification(change)));

  test('names itself, and is told to notify below its own path', () => {
    expect(request.apiVersion).toBe(name);
    expect(JSON.stringify(request)).toContain(`https://pay.example.com/notify/${name}`);
  });

  test('builds the same request for the same order, without a call', () => {
    const { wechatPay, calls } = open({ kind: 'closed' });

    expect(wechatPay.buildPrepayRequest(newOrder)).toEqual(request);
    expect(calls()).toBe(0);
  });

  test('creates an order, and signs for the phone', async () => {
    const { wechatPay } = open({ kind: 'created', prepayId: 'wx0123' });

    expect(await wechatPay.prepay(stored, options)).toEqual({ kind: 'placed', prepayId: 'wx0123' });
    expect(await wechatPay.buildRequestPayment(stored, 'wx0123')).toEqual({
      timeStamp: String(CREATED_AT),
      nonceStr: expect.stringMatching(/^\w+$/),
      package: 'prepay_id=wx0123',
      signType: name === 'v2' ? 'HMAC-SHA256' : 'RSA',
      paySign: expect.stringMatching(/^.{64,}$/),
    });
  });

  test.each([
    ['paid', 'already-paid'],
    ['closed', 'closed'],
  ] as const)('does not create what WeChat knows as %s', async (because, kind) => {
    const { wechatPay } = open({ kind: 'refused', because });

    expect(await wechatPay.prepay(stored, options)).toEqual({ kind });
  });

  const placedWith = (because: 'too-short' | 'other-terms' | 'permission', secondsLeft: number) =>
    open({ kind: 'refused', because }).wechatPay.prepay(
      { ...stored, expiresAtEpochSeconds: CREATED_AT + secondsLeft },
      options,
    );

  test('does not create what has too little time left by WeChat’s word and by the clock', async () => {
    expect(await placedWith('too-short', 329)).toEqual({ kind: 'too-late' });
  });

  test.each([
    ['too-short', 331, 'WECHAT_PAY_REFUSED'],
    ['other-terms', 329, 'WECHAT_PAY_REFUSED'],
    ['permission', 329, 'CONFIG_ERROR'],
  ] as const)(
    'passes on WeChat’s code when it refuses (%s) with %i s left: %s',
    async (because, left, code) => {
      await expect(placedWith(because, left)).rejects.toMatchObject({
        code,
        retryable: false,
        wechatCode: expect.stringMatching(/^[A-Z_]+$/),
      });
    },
  );

  test('takes no order of the other version, and sends nothing', async () => {
    const { wechatPay, calls } = open({ kind: 'created', prepayId: 'wx0123' });
    const other = sampleOrder({ apiVersion: name === 'v2' ? 'v3' : 'v2' });
    const refusal = `an order of API ${other.apiVersion} was handed to API ${name}`;

    await expect(wechatPay.prepay(other, options)).rejects.toThrow(refusal);
    await expect(wechatPay.buildRequestPayment(other, 'wx0123')).rejects.toThrow(refusal);
    expect(calls()).toBe(0);
  });

  test('reports a payment in a query', async () => {
    const { wechatPay } = open({ kind: 'order', state: 'SUCCESS' });
    const paid = { kind: 'paid', refunded: false, payment: samplePayment() };

    expect(await wechatPay.queryOrder(order, options)).toEqual(paid);
  });

  test('reports a refund in a query', async () => {
    const { wechatPay } = open({ kind: 'order', state: 'REFUND' });

    expect(await wechatPay.queryOrder(order, options)).toMatchObject({
      kind: 'paid',
      refunded: true,
    });
  });

  test.each(['NOTPAY', 'USERPAYING', 'CLOSED', 'REVOKED', 'PAYERROR'])(
    'reports %s in a query',
    async (state) => {
      expect(await open({ kind: 'order', state }).wechatPay.queryOrder(order, options)).toEqual({
        kind: 'not-paid',
        tradeState: state,
      });
    },
  );

  test('reports that an order is unknown', async () => {
    const { wechatPay } = open({ kind: 'refused', because: 'unknown-order' });

    expect(await wechatPay.queryOrder(order, options)).toEqual({ kind: 'not-found' });
    expect(await wechatPay.closeOrder(order, options)).toBe('not-found');
  });

  test('closes, and says when a payment or an earlier close was first', async () => {
    expect(await open({ kind: 'closed' }).wechatPay.closeOrder(order, options)).toBe('closed');
    for (const [because, result] of [
      ['paid', 'already-paid'],
      ['closed', 'closed'],
    ] as const) {
      expect(await open({ kind: 'refused', because }).wechatPay.closeOrder(order, options)).toBe(
        result,
      );
    }
  });

  const calls = (word: Parameters<typeof open>[0]) => {
    const { wechatPay } = open(word);
    return [
      () => wechatPay.prepay(stored, options),
      () => wechatPay.queryOrder(order, options),
      () => wechatPay.closeOrder(order, options),
    ];
  };

  test('believes no answer that somebody else signed', async () => {
    for (const call of calls({ kind: 'forged' })) {
      await expect(call()).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
    }
  });

  test('leaves open what a busy WeChat did', async () => {
    for (const call of calls({ kind: 'refused', because: 'busy' })) {
      await expect(call()).rejects.toMatchObject({ outcome: 'unknown', retryable: true });
    }
  });

  test('passes a refusal on', async () => {
    for (const call of calls({ kind: 'refused', because: 'other-terms' })) {
      await expect(call()).rejects.toMatchObject({
        code: 'WECHAT_PAY_REFUSED',
        outcome: 'rejected',
        retryable: false,
      });
    }
  });

  test('says where the owner mends what only the owner can', async () => {
    for (const call of calls({ kind: 'refused', because: 'permission' })) {
      await expect(call()).rejects.toMatchObject({
        code: 'CONFIG_ERROR',
        retryable: false,
        parameters: {
          secret: 'merchant',
          field: 'mchid',
          consolePage: '商户平台 → 产品中心 → 我的产品 → JSAPI支付',
        },
      });
    }
  });

  test('does not take the answer about another order', async () => {
    const { wechatPay } = open({ kind: 'order', state: 'SUCCESS', outTradeNo: 'order-0002' });

    await expect(wechatPay.queryOrder(order, options)).rejects.toThrow('about another order');
  });

  test('does not ask about an order of another merchant', async () => {
    const { wechatPay, calls: sent } = open({ kind: 'closed' });

    await expect(
      wechatPay.queryOrder({ ...order, mchid: '1900000222' }, options),
    ).rejects.toMatchObject({ code: 'CONFIG_ERROR' });
    expect(sent()).toBe(0);
  });

  test('reads a notified payment', async () => {
    expect(await read()).toEqual({ kind: 'payment', payment: samplePayment() });
  });

  test('reads a notified refund; only a signature proves it', async () => {
    const notified = await read({ kind: 'refund' });

    expect(notified).toMatchObject({
      kind: 'refund',
      refund: {
        outTradeNo: 'order-0001',
        transactionId: '4200000001202603010000000001',
        outRefundNo: 'refund-0001',
        refundId: '50000000382026030100000000001',
        refundFen: 800,
        status: 'SUCCESS',
      },
    });
    expect('evidence' in notified).toBe(name === 'v3');
  });

  test.each([
    [{ subMchid: '1900000999' }],
    [{ subMchid: '1900000999', spAppid: 'wx00000000provider' }],
  ])('reads a payment in service-provider mode: %j', async (provider) => {
    expect(await read(provider)).toEqual({ kind: 'payment', payment: samplePayment(provider) });
  });

  test.each<[string, NotificationChange]>([
    ['forged', { forged: true }],
    ['forged', { forged: true, kind: 'refund' }],
    ['altered', { altered: true }],
    ['altered', { altered: true, kind: 'refund' }],
    ['another merchant’s', { mchid: '1900000222' }],
    ['another merchant’s', { mchid: '1900000222', kind: 'refund' }],
  ])('refuses a notification that is %s: %j', async (_, change) => {
    await expect(read(change)).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
  });

  test('answers a notification with a status that WeChat understands', () => {
    expect(acknowledgeNotification(name).statusCode).toBe(200);
    expect(acknowledgeNotification(name, { statusCode: 409, code: 'X' })).toMatchObject({
      statusCode: 409,
      body: expect.stringContaining('FAIL'),
    });
  });
});

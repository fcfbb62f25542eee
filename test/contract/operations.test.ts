/** What every version of WeChat's API must do, whatever its wire looks like. */
import { describe, expect, test } from 'vitest';
import { APPID, CREATED_AT, MCHID, OPENID, samplePayment } from '../support/sample-orders.ts';
import { type NotificationChange, VERSIONS } from './wechat-pay.ts';

const options = { timeoutMs: 3_000 };
const parties = { appid: APPID, mchid: MCHID };
const order = { ...parties, outTradeNo: 'order-0001' };
const newOrder = {
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
  const read = (change: NotificationChange = {}) =>
    open({ kind: 'closed' }).wechatPay.parseNotification(notification(change));

  test('names itself, and is told to notify below its own path', () => {
    expect(open({ kind: 'closed' }).wechatPay.apiVersion).toBe(name);
    expect(JSON.stringify(request)).toContain(`https://pay.example.com/notify/${name}`);
  });

  test('builds the same request for the same order, of texts only, without a call', () => {
    const { wechatPay, calls } = open({ kind: 'closed' });

    expect(wechatPay.buildPrepayRequest(newOrder)).toEqual(request);
    expect(Object.values(request).every((value) => typeof value === 'string')).toBe(true);
    expect(calls()).toBe(0);
  });

  test('creates an order, and signs for the phone', async () => {
    const { wechatPay } = open({ kind: 'created', prepayId: 'wx0123' });
    const prepayId = await wechatPay.prepay(request, options);

    expect(prepayId).toBe('wx0123');
    expect(await wechatPay.buildRequestPayment(request, prepayId)).toEqual({
      timeStamp: String(CREATED_AT),
      nonceStr: expect.stringMatching(/^\w+$/),
      package: 'prepay_id=wx0123',
      signType: name === 'v2' ? 'HMAC-SHA256' : 'RSA',
      paySign: expect.stringMatching(/^.{64,}$/),
    });
  });

  test.each([
    ['paid', 'ORDER_ALREADY_PAID'],
    ['closed', 'ORDER_CLOSED'],
  ] as const)('does not create what WeChat knows as %s', async (because, code) => {
    await expect(
      open({ kind: 'refused', because }).wechatPay.prepay(request, options),
    ).rejects.toMatchObject({ code, parameters: { outTradeNo: 'order-0001' } });
  });

  test('reports a payment in a query, by either number', async () => {
    const { wechatPay } = open({ kind: 'order', state: 'SUCCESS' });
    const paid = { kind: 'paid', refunded: false, payment: samplePayment() };
    const { transactionId } = samplePayment();

    expect(await wechatPay.queryOrder(order, options)).toEqual(paid);
    expect(await wechatPay.queryTransaction({ ...parties, transactionId }, options)).toEqual(paid);
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
    const { transactionId } = samplePayment();
    return [
      () => wechatPay.prepay(request, options),
      () => wechatPay.queryOrder(order, options),
      () => wechatPay.queryTransaction({ ...parties, transactionId }, options),
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
    for (const call of calls({ kind: 'refused', because: 'permission' })) {
      await expect(call()).rejects.toMatchObject({ outcome: 'rejected', retryable: false });
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

  test('reads a notified refund', async () => {
    expect(await read({ kind: 'refund' })).toEqual({
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
    const { wechatPay } = open({ kind: 'closed' });

    expect(wechatPay.acknowledge().statusCode).toBe(200);
    expect(wechatPay.acknowledge({ statusCode: 409, code: 'X' })).toMatchObject({
      statusCode: 409,
      body: expect.stringContaining('FAIL'),
    });
  });
});

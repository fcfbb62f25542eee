import { get } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ACKNOWLEDGEMENT, type Bench, startBench } from '../support.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
beforeEach(async () => {
  await bench.control('POST', '/reset');
});
afterAll(async () => bench.stop());

const raw = async (path: string, init: RequestInit = {}) =>
  fetch(`${bench.simulator.url}${path}`, init);

describe('the control API', () => {
  test('login gives a code and nothing else', async () => {
    expect(await bench.control('POST', '/login', { user: 'alice' })).toEqual({
      status: 200,
      body: { code: expect.stringMatching(/^0[0-9A-Za-z]{31}$/) },
    });
  });

  test.each([undefined, {}, { user: '' }, { user: ' ' }, { user: 7 }, { user: 'x'.repeat(65) }])(
    'login refuses %j',
    async (body) => {
      expect(await bench.control('POST', '/login', body)).toMatchObject({
        status: 400,
        body: { error: { code: 'INVALID_FIELD' } },
      });
    },
  );

  test.each([
    ['POST', '/nothing', 404, 'UNKNOWN_ADDRESS'],
    ['GET', '/', 404, 'UNKNOWN_ADDRESS'],
    ['GET', '/login', 405, 'METHOD_NOT_ALLOWED'],
    ['GET', '/orders/none', 404, 'ORDER_NOT_FOUND'],
    ['POST', '/orders/none/pay', 404, 'ORDER_NOT_FOUND'],
    ['POST', '/orders/none/refund-in-console', 404, 'ORDER_NOT_FOUND'],
    ['POST', '/clock', 400, 'MISSING_FIELD'],
    ['GET', '/messages?after=x', 400, 'INVALID_FIELD'],
    ['GET', '/messages?failed=yes', 400, 'INVALID_FIELD'],
    ['GET', '/messages?faild=1', 400, 'UNKNOWN_FIELD'],
    ['GET', '/orders/%ff', 400, 'INVALID_ADDRESS'],
  ])('%s %s answers %i %s', async (method, path, status, code) => {
    expect(await bench.control(method, path)).toMatchObject({
      status,
      body: { error: { code, message: expect.any(String) } },
    });
  });

  test.each([
    ['GET', '/login', 'POST'],
    ['PUT', '/faults', 'GET or POST or DELETE'],
    ['POST', '/messages', 'GET'],
  ])('%s %s: use %s', async (method, path, possible) => {
    expect(await bench.control(method, path)).toMatchObject({
      status: 405,
      body: { error: { message: `${method} /_simulator${path} is not possible: use ${possible}` } },
    });
  });

  test.each([
    ['/login', { user: 'alice', usr: 'bob' }, 'usr'],
    ['/faults', { point: 'notify', kind: 'late', secnds: 60 }, 'secnds'],
    ['/clock', { advanceSeconds: 1, seconds: 1 }, 'seconds'],
    ['/orders/none/pay', { evenIfclosed: true }, 'evenIfclosed'],
    ['/orders/none/refund-in-console', { fen: 1 }, 'fen'],
    ['/merchant', { subMerchants: [{ subMchId: '1900000109' }] }, 'subMchId'],
    ['/verification', { share: 1 }, 'share'],
    ['/platform-certificates', { rate: 1 }, 'rate'],
    ['/reset', { clock: true }, 'clock'],
  ])('%s refuses %j: nothing is lost without a word', async (path, body, field) => {
    expect(await bench.control('POST', path, body)).toMatchObject({
      status: 400,
      body: { error: { code: 'UNKNOWN_FIELD', message: expect.stringContaining(`"${field}"`) } },
    });
    expect((await bench.control('GET', '/faults')).body).toEqual({ faults: [] });
  });

  test('a phone ignores what it does not know, as wx.requestPayment does', async () => {
    const { prepay_id: prepayId = '' } = await bench.placeOrder('more-than-needed');
    const parameters = { ...bench.paymentParameters(prepayId), user: 'alice', total_fee: 2800 };
    expect((await bench.control('POST', '/request-payment', parameters)).body).toEqual({
      errMsg: 'requestPayment:ok',
    });
  });

  test('"evenIfClosed" is true or false', async () => {
    await bench.placeOrder('even-if');
    expect(
      await bench.control('POST', '/orders/even-if/pay', { evenIfClosed: 'yes' }),
    ).toMatchObject({ status: 400, body: { error: { code: 'INVALID_FIELD' } } });
  });

  test.each([
    ['text', 'user=alice', 400, 'INVALID_JSON'],
    ['a list', '[]', 400, 'INVALID_JSON'],
    ['null', 'null', 400, 'INVALID_JSON'],
    ['100 kB', JSON.stringify({ user: 'x'.repeat(100_000) }), 413, 'BODY_TOO_LARGE'],
  ])('refuses %s as a body', async (_, body, status, code) => {
    const response = await raw('/_simulator/login', { method: 'POST', body });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code } });
  });

  test.each([
    ['127.0.0.1:3900', 200],
    ['localhost', 200],
    ['rebound.example:3900', 403],
  ])('under the name %s answers %i', async (host, status) => {
    const answered = await new Promise<number | undefined>((resolve, reject) => {
      get(`${bench.simulator.url}/_simulator/orders`, { headers: { host } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on('error', reject);
    });

    expect(answered).toBe(status);
  });

  test('refuses pages of the internet, not pages of this machine', async () => {
    const from = async (Origin: string) =>
      (await raw('/_simulator/reset', { method: 'POST', headers: { Origin } })).status;
    expect(await from('https://evil.example')).toBe(403);
    expect(await from('http://127.0.0.1.evil.example')).toBe(403);
    expect(await from('http://localhost:3000')).toBe(200);
    expect(await from('http://127.0.0.1:3900')).toBe(200);
  });

  test('shows an order, and all orders', async () => {
    await bench.placeOrder('shown', { attach: 'x' });
    const { body } = await bench.control('GET', '/orders/shown');
    expect(body).toMatchObject({
      outTradeNo: 'shown',
      tradeState: 'NOTPAY',
      totalFen: 2800,
      user: 'alice',
      openid: await bench.openidOf('alice'),
      signType: 'HMAC-SHA256',
      transactionId: null,
      paidAt: null,
      closedAt: null,
      request: { out_trade_no: 'shown', attach: 'x' },
      prepayIds: [{ prepayId: expect.stringMatching(/^wx/) }],
      notifications: [],
    });
    expect(body['request']).not.toHaveProperty('sign');
    expect((await bench.control('GET', '/orders')).body).toEqual({ orders: [body] });
  });

  test('pays without a phone, once', async () => {
    await bench.placeOrder('no-phone');
    const paid = await bench.control('POST', '/orders/no-phone/pay');
    expect(paid).toEqual({
      status: 200,
      body: { errMsg: 'requestPayment:ok', transactionId: expect.stringMatching(/^\d{28}$/) },
    });
    expect(await bench.control('POST', '/orders/no-phone/pay')).toMatchObject({
      status: 409,
      body: { error: { code: 'ORDER_PAID' } },
    });
    await bench.waitForAttempts('no-phone', 1);
  });

  test('reset empties the book, the faults, the messages and the clock; openids stay', async () => {
    const openid = await bench.openidOf('alice');
    await bench.placeOrder('forgotten');
    await bench.control('POST', '/faults', { point: 'notify', kind: 'lost' });
    await bench.control('POST', '/clock', { advanceSeconds: 86_400 });
    expect((await bench.control('POST', '/reset')).status).toBe(200);
    expect((await bench.control('GET', '/orders')).body).toEqual({ orders: [] });
    expect((await bench.control('GET', '/faults')).body).toEqual({ faults: [] });
    expect((await bench.control('GET', '/messages')).body).toEqual({ messages: [] });
    expect((await bench.control('GET', '/clock')).body).toMatchObject({ offsetSeconds: 0 });
    expect(await bench.placeOrder('forgotten', { openid })).toMatchObject({
      result_code: 'SUCCESS',
    });
  });
});

describe('the failed messages', () => {
  const listFailed = async () => {
    const { body } = await bench.control('GET', '/messages?failed=1');
    return (body['messages'] as unknown as { kind: string }[]).map(({ kind }) => kind);
  };

  test('are those whose signature failed or that were refused, and no others', async () => {
    const { prepay_id: prepayId = '' } = await bench.placeOrder('failed-none');
    await bench.payByPhone(prepayId);
    await bench.waitForAttempts('failed-none', 1);
    expect(await listFailed()).toEqual([]);

    await bench.payByPhone(prepayId);
    await bench.call('/pay/orderquery', { out_trade_no: 'failed-never' });
    await bench.call('/pay/closeorder', { out_trade_no: 'failed-none', appid: 'wxother' });
    await raw('/sns/jscode2session?appid=x&secret=y');
    await raw('/v3/certificates');
    expect(await listFailed()).toEqual([
      'requestPayment',
      'orderquery',
      'closeorder',
      'code2session',
      'certificates',
    ]);
  });

  test('a notification that was refused is one', async () => {
    bench.shop.answerWith(() => 'success');
    const { prepay_id: prepayId = '' } = await bench.placeOrder('failed-notice');
    await bench.payByPhone(prepayId);
    await bench.waitForAttempts('failed-notice', 1);
    bench.shop.answerWith(() => ACKNOWLEDGEMENT);
    expect(await listFailed()).toEqual(['notify']);
  });
});

describe('the messages', () => {
  interface Message {
    id: number;
    from: string;
    to: string;
    kind: string;
    path: string;
    note?: string;
    response?: { status: number; body: string };
    signature?: { result: string; stringToSign: string };
  }
  const list = async (after = 0) =>
    (await bench.control('GET', `/messages?after=${after}`)).body[
      'messages'
    ] as unknown as Message[];

  test('show one payment from login to acknowledgement, in order', async () => {
    await bench.control('POST', '/login', { user: 'alice' });
    const { prepay_id: prepayId = '' } = await bench.placeOrder('told');
    await bench.payByPhone(prepayId);
    await bench.waitForAttempts('told', 1);
    const messages = await list();
    expect(messages.map(({ from, to, kind }) => `${from} → ${to}: ${kind}`)).toEqual([
      'phone of alice → wechat: login',
      'merchant → wechat: unifiedorder',
      'phone of alice → wechat: requestPayment',
      'wechat → merchant: notify',
    ]);
    const ids = messages.map(({ id }) => id);
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    expect(messages[3]).toMatchObject({
      path: bench.shop.notifyUrl,
      note: 'acknowledged',
      response: { status: 200 },
      signature: { result: 'own', stringToSign: expect.stringMatching(/^appid=.*&key=\*\*\*$/) },
    });
    expect((await list(ids[1])).map(({ id }) => id)).toEqual(ids.slice(2));
  });

  test('hold no key, wherever it may turn up', async () => {
    const { merchant } = bench;
    await bench.placeOrder('leak', { attach: merchant.apiV2Key, body: merchant.apiV3Key });
    const text = JSON.stringify(await list());
    expect(text).toContain('unifiedorder');
    expect(text).not.toContain(merchant.apiV2Key);
    expect(text).not.toContain(merchant.apiV3Key);
  });

  test('say why a body was not read', async () => {
    await raw('/pay/orderquery', { method: 'POST', body: '<xml><a>1</b></xml>' });
    const [message] = await list();
    expect(message?.note).toMatch(/^XML_FORMAT_ERROR: .*line 1/);
  });
});

describe('the list of addresses', () => {
  test('says what this is and names them', async () => {
    const response = await raw('/_simulator');
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const html = await response.text();
    expect(html).toContain('WeChat Pay simulator');
    expect(html).toContain('POST /_simulator/request-payment');
    expect(html).not.toContain(bench.merchant.apiV2Key);
  });

  test('an unknown address is told apart', async () => {
    const response = await raw('/pay/micropay', { method: 'POST' });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: 'UNKNOWN_ADDRESS' } });
  });
});

/** What an ended refund is told as (退款结果通知): to whom, in which version, and again until it is acknowledged. */
import { createDecipheriv, createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Bench, startBench, tenpayUtil } from '../support.ts';
import {
  callV3,
  isSignedBy,
  type Json,
  openResource,
  placeV3,
  type Resource,
} from '../v3-support.ts';

let bench: Bench;
beforeEach(async () => {
  bench = await startBench();
});
afterEach(async () => bench.stop());

const advance = async (advanceSeconds: number) =>
  bench.control('POST', '/clock', { advanceSeconds });
const end = async (outRefundNo: string, status: string) =>
  bench.control('POST', `/refunds/${outRefundNo}`, { status });
/** Without those of the payment. */
const refundNotices = () =>
  bench.shop.received.filter(
    ({ body }) => body.includes('req_info') || body.includes('"event_type":"REFUND.'),
  );
const refundUrl = () => `${new URL(bench.shop.notifyUrl).origin}/refunds`;

async function pay(outTradeNo: string): Promise<void> {
  await bench.placeOrder(outTradeNo);
  await bench.control('POST', `/orders/${outTradeNo}/pay`);
  await bench.waitForAttempts(outTradeNo, 1);
}
const refundV2 = async (outTradeNo: string, changes: Record<string, string | undefined> = {}) =>
  bench.call('/secapi/pay/refund', {
    out_trade_no: outTradeNo,
    out_refund_no: `${outTradeNo}-R1`,
    total_fee: '2800',
    refund_fee: '800',
    notify_url: refundUrl(),
    ...changes,
  });
const refundV3 = async (outTradeNo: string, changes: Json = {}) =>
  callV3(bench, 'POST', '/v3/refund/domestic/refunds', {
    out_trade_no: outTradeNo,
    out_refund_no: `${outTradeNo}-R1`,
    amount: { refund: 800, total: 2800, currency: 'CNY' },
    notify_url: refundUrl(),
    ...changes,
  });

async function readV2(): Promise<Record<string, string>> {
  const { req_info: secret = '' } = refundNotices().at(-1)?.fields ?? {};
  const key = createHash('md5').update(bench.merchant.apiV2Key).digest('hex');
  const decipher = createDecipheriv('aes-256-ecb', key, null);
  const inner = decipher.update(secret, 'base64', 'utf8') + decipher.final('utf8');
  return tenpayUtil.parseXML(inner.replaceAll('root>', 'xml>'));
}
function readV3(): { event: string; plaintext: Json } {
  const { body, headers } = refundNotices().at(-1) ?? { body: '{}', headers: {} };
  expect(isSignedBy(bench.merchant.wechatpayPublicKey, headers, body)).toBe(true);
  const message = JSON.parse(body) as { event_type: string; resource: Resource };
  expect(message.resource).toMatchObject({ original_type: 'refund' });
  const plaintext = openResource(message.resource, bench.merchant.apiV3Key);
  return { event: message.event_type, plaintext: JSON.parse(plaintext) as Json };
}

describe('a refund of v2', () => {
  test('is told three seconds later, encrypted, to its own address', async () => {
    await pay('told-2');
    const { refund_id: refundId } = await refundV2('told-2');
    await advance(2);
    expect(refundNotices()).toHaveLength(0);
    await advance(1);
    expect(refundNotices()).toHaveLength(1);
    expect(await readV2()).toEqual({
      out_refund_no: 'told-2-R1',
      out_trade_no: 'told-2',
      refund_account: 'REFUND_SOURCE_UNSETTLED_FUNDS',
      refund_fee: '800',
      refund_id: refundId,
      refund_recv_accout: '支付用户零钱',
      refund_request_source: 'API',
      refund_status: 'SUCCESS',
      settlement_refund_fee: '800',
      settlement_total_fee: '2800',
      success_time: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/) as string,
      total_fee: '2800',
      transaction_id: (await bench.book('told-2')).transactionId,
    });
  });

  test.each([
    ['CLOSED', 'REFUNDCLOSE'],
    ['ABNORMAL', 'CHANGE'],
  ])('that ends as %s is told as %s, without a time of success', async (status, name) => {
    await pay('other-end');
    await refundV2('other-end');
    await end('other-end-R1', status);
    await bench.waitForAttempts('other-end', 2);
    const { refund_status: told, success_time: time } = await readV2();
    expect([told, time]).toEqual([name, undefined]);
    await advance(100);
    expect(refundNotices()).toHaveLength(1);
    const asked = await bench.call('/pay/refundquery', { out_refund_no: 'other-end-R1' });
    expect(asked['refund_status_0']).toBe(name);
  });
});

describe('a refund of v3', () => {
  test('is told as REFUND.SUCCESS with the documented fields', async () => {
    await placeV3(bench, 'told-3');
    await bench.control('POST', '/orders/told-3/pay');
    const { json } = await refundV3('told-3');
    await advance(3);
    expect(readV3()).toEqual({
      event: 'REFUND.SUCCESS',
      plaintext: {
        amount: { payer_refund: 800, payer_total: 2800, refund: 800, total: 2800 },
        mchid: bench.merchant.mchid,
        out_refund_no: 'told-3-R1',
        out_trade_no: 'told-3',
        refund_id: json['refund_id'],
        refund_status: 'SUCCESS',
        success_time: expect.stringMatching(/\+08:00$/) as string,
        transaction_id: json['transaction_id'],
        user_received_account: '支付用户零钱',
      },
    });
  });

  test('that is ABNORMAL and then SUCCESS is told twice, also of an order of v2', async () => {
    await pay('two-ends');
    await refundV3('two-ends');
    await end('two-ends-R1', 'ABNORMAL');
    await bench.waitForAttempts('two-ends', 2);
    expect(readV3()).toMatchObject({
      event: 'REFUND.ABNORMAL',
      plaintext: { refund_status: 'ABNORMAL' },
    });
    await end('two-ends-R1', 'SUCCESS');
    await bench.waitForAttempts('two-ends', 3);
    expect(readV3().event).toBe('REFUND.SUCCESS');
  });

  test('that is closed is told as REFUND.CLOSED', async () => {
    await pay('closed-3');
    await refundV3('closed-3');
    await end('closed-3-R1', 'CLOSED');
    await bench.waitForAttempts('closed-3', 2);
    expect(readV3()).toMatchObject({ event: 'REFUND.CLOSED' });
    expect(readV3().plaintext).not.toHaveProperty('success_time');
  });
});

describe('without an address in the request', () => {
  test('nobody is told', async () => {
    await pay('silent');
    await refundV3('silent', { notify_url: undefined });
    await advance(100);
    expect(refundNotices()).toHaveLength(0);
  });

  test("the console's is, in v2, whatever the refund was made with", async () => {
    await bench.control('POST', '/merchant', { refundNotifyUrl: refundUrl() });
    await pay('console-url');
    await refundV3('console-url', { notify_url: undefined });
    await advance(3);
    expect(await readV2()).toMatchObject({ out_refund_no: 'console-url-R1' });
  });
});

test('an answer that is no acknowledgement brings it again after 15 s, 15 s, 30 s', async () => {
  await pay('again');
  bench.shop.answerWith((_, response) => {
    response.statusCode = 500;
    return 'busy';
  });
  await refundV2('again');
  await advance(3 + 15 + 15 + 30);
  expect(refundNotices()).toHaveLength(4);
});

describe('a refund by hand', () => {
  test.each(['CLOSED', 'ABNORMAL'])('may end as %s', async (status) => {
    await pay('by-hand');
    const { body } = await bench.control('POST', '/orders/by-hand/refund-in-console', {
      refundFen: 300,
      status,
    });
    expect(body).toMatchObject({ status, refundedFen: status === 'CLOSED' ? 0 : 300 });
    await bench.waitForAttempts('by-hand', 2);
    expect(await readV2()).toMatchObject({
      refund_fee: '300',
      refund_request_source: 'VENDOR_PLATFORM',
      refund_status: status === 'CLOSED' ? 'REFUNDCLOSE' : 'CHANGE',
    });
  });

  test('that is PROCESSING succeeds three seconds later', async () => {
    await pay('slow-hand');
    const { body } = await bench.control('POST', '/orders/slow-hand/refund-in-console', {
      status: 'PROCESSING',
    });
    expect(refundNotices()).toHaveLength(0);
    const asked = await callV3(
      bench,
      'GET',
      `/v3/refund/domestic/refunds/${String(body['outRefundNo'])}`,
    );
    expect(asked.json).toMatchObject({ status: 'PROCESSING', amount: { refund: 2800 } });
    await advance(3);
    expect(refundNotices()).toHaveLength(1);
  });

  test('beyond the balance is refused', async () => {
    await pay('poor');
    await bench.control('POST', '/merchant', { balanceFen: 0 });
    expect(await bench.control('POST', '/orders/poor/refund-in-console')).toMatchObject({
      status: 409,
      body: { error: { code: 'BALANCE_SHORT' } },
    });
  });
});

describe('the control API', () => {
  test.each<[string, object, number, string]>([
    ['/refunds/none', { status: 'SUCCESS' }, 404, 'REFUND_NOT_FOUND'],
    ['/refunds/shown-R1', {}, 400, 'MISSING_FIELD'],
    ['/refunds/shown-R1', { status: 'PROCESSING' }, 400, 'INVALID_FIELD'],
    ['/refunds/shown-R1', { state: 'CLOSED' }, 400, 'UNKNOWN_FIELD'],
    ['/orders/shown/refund-in-console', { status: 'X' }, 400, 'INVALID_FIELD'],
    ['/merchant', { balanceFen: -1 }, 400, 'INVALID_FIELD'],
    ['/merchant', { balanceFen: '1' }, 400, 'INVALID_FIELD'],
  ])('refuses %s %j with %i %s', async (path, body, status, code) => {
    await pay('shown');
    await refundV2('shown');
    expect(await bench.control('POST', path, body)).toMatchObject({
      status,
      body: { error: { code } },
    });
  });

  test('lists the refunds of an order, and shows one', async () => {
    await pay('listed');
    await refundV2('listed', { refund_desc: '商品已售完' });
    const shown = {
      outRefundNo: 'listed-R1',
      outTradeNo: 'listed',
      refundFen: 800,
      status: 'PROCESSING',
      reason: '商品已售完',
      api: 'v2',
      endedAt: null,
    };
    const { body } = await bench.control('GET', '/orders/listed');
    expect(body).toMatchObject({ refunds: [shown], refundedFen: 800, tradeState: 'REFUND' });
    expect((await bench.control('GET', '/refunds/listed-R1')).body).toMatchObject(shown);
  });

  test('forgets refunds with a reset', async () => {
    await pay('forgotten');
    await refundV2('forgotten');
    await bench.control('POST', '/reset');
    expect((await bench.control('GET', '/refunds/forgotten-R1')).status).toBe(404);
  });
});

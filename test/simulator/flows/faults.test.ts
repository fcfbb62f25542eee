import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Bench, type Fields, sign, startBench } from '../support.ts';

let bench: Bench;
beforeEach(async () => {
  bench = await startBench();
});
afterEach(async () => bench.stop());

const fault = async (body: Record<string, unknown>) => bench.control('POST', '/faults', body);
const advance = async (advanceSeconds: number) =>
  bench.control('POST', '/clock', { advanceSeconds });

async function pay(outTradeNo: string) {
  const { prepay_id: prepayId = '' } = await bench.placeOrder(outTradeNo);
  await bench.payByPhone(prepayId);
}

const isSignedRight = (fields: Fields) =>
  fields['sign'] === sign(fields, bench.merchant.apiV2Key, 'HMAC-SHA256');
const receivedNumbers = () => bench.shop.received.map(({ fields }) => fields['out_trade_no']);
const outcomesOf = async (outTradeNo: string) =>
  (await bench.book(outTradeNo)).notifications.flatMap(({ attempts }) =>
    attempts.map(({ outcome }) => outcome),
  );

describe('a notification', () => {
  test('lost never arrives, counts as an attempt, and comes again on schedule', async () => {
    await fault({ point: 'notify', kind: 'lost', times: 1 });
    await pay('lost');
    await bench.waitForAttempts('lost', 1);
    expect(bench.shop.received).toHaveLength(0);
    await advance(15);
    expect(bench.shop.received).toHaveLength(1);
    expect((await bench.book('lost')).notifications[0]?.attempts).toMatchObject([
      { outcome: 'lost', fault: 'lost' },
      { outcome: 'acknowledged' },
    ]);
  });

  test('late comes so many seconds later, once', async () => {
    await fault({ point: 'notify', kind: 'late', seconds: 120 });
    await pay('late');
    await advance(119);
    expect(bench.shop.received).toHaveLength(0);
    await advance(1);
    await bench.waitForAttempts('late', 1);
    expect(await outcomesOf('late')).toEqual(['acknowledged']);
  });

  test('duplicate comes twice at the same moment', async () => {
    let open = 0;
    let most = 0;
    bench.shop.answerWith(async () => {
      open += 1;
      most = Math.max(most, open);
      await new Promise((resolve) => setTimeout(resolve, 200));
      open -= 1;
      return '<xml><return_code>SUCCESS</return_code></xml>';
    });
    await fault({ point: 'notify', kind: 'duplicate' });
    await pay('duplicate');
    await bench.waitForAttempts('duplicate', 2);
    expect(most).toBe(2);
    const [first, second] = bench.shop.received;
    expect(first?.body).toBe(second?.body);
    await advance(100);
    expect(bench.shop.received).toHaveLength(2);
  });

  test('duplicate with seconds comes again that much later, although acknowledged', async () => {
    await fault({ point: 'notify', kind: 'duplicate', seconds: 600 });
    await pay('duplicate-later');
    await bench.waitForAttempts('duplicate-later', 1);
    await advance(599);
    expect(bench.shop.received).toHaveLength(1);
    await advance(1);
    expect(bench.shop.received).toHaveLength(2);
    await advance(100_000);
    expect(bench.shop.received).toHaveLength(2);
  });

  test('reorder lets the next one pass', async () => {
    await fault({ point: 'notify', kind: 'reorder', times: 1 });
    await pay('first');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(bench.shop.received).toHaveLength(0);
    await pay('second');
    await bench.waitForAttempts('first', 1);
    expect(receivedNumbers()).toEqual(['second', 'first']);
  });

  test('reorder without a next one comes after 10 seconds', async () => {
    await fault({ point: 'notify', kind: 'reorder', times: 1 });
    await pay('alone');
    await advance(10);
    expect(receivedNumbers()).toEqual(['alone']);
  });

  test('tamper says one fen more than was signed', async () => {
    await fault({ point: 'notify', kind: 'tamper' });
    await pay('tampered');
    await bench.waitForAttempts('tampered', 1);
    const { fields = {} } = bench.shop.received[0] ?? {};
    expect(fields['total_fee']).toBe('2801');
    expect(isSignedRight(fields)).toBe(false);
    expect(isSignedRight({ ...fields, total_fee: '2800' })).toBe(true);
  });

  test('wrong-amount is signed over one fen more', async () => {
    await fault({ point: 'notify', kind: 'wrong-amount' });
    await pay('amount');
    await bench.waitForAttempts('amount', 1);
    const { fields = {} } = bench.shop.received[0] ?? {};
    expect(fields).toMatchObject({ total_fee: '2801', cash_fee: '2801' });
    expect(isSignedRight(fields)).toBe(true);
    expect((await bench.book('amount')).totalFen).toBe(2800);
  });

  test('wrong-merchant is signed with the key, for another mch_id and appid', async () => {
    await fault({ point: 'notify', kind: 'wrong-merchant' });
    await pay('merchant');
    await bench.waitForAttempts('merchant', 1);
    const { fields = {} } = bench.shop.received[0] ?? {};
    expect(fields['mch_id']).not.toBe(bench.merchant.mchid);
    expect(fields['appid']).not.toBe(bench.merchant.appid);
    expect(isSignedRight(fields)).toBe(true);
  });

  test('timeout-after is acknowledged, but WeChat does not hear it and sends again', async () => {
    await fault({ point: 'notify', kind: 'timeout-after', times: 1 });
    await pay('deaf');
    await bench.waitForAttempts('deaf', 1);
    await advance(15);
    expect(await outcomesOf('deaf')).toEqual(['acknowledgement-lost', 'acknowledged']);
    expect(bench.shop.received).toHaveLength(2);
  });

  test('drop is cut in the middle of the body', async () => {
    await fault({ point: 'notify', kind: 'drop', times: 1 });
    await pay('cut');
    await bench.waitForAttempts('cut', 1);
    expect(bench.shop.received).toHaveLength(0);
    await advance(15);
    expect(await outcomesOf('cut')).toEqual(['cut', 'acknowledged']);
  });
});

describe('an answer', () => {
  const POINTS = ['unifiedorder', 'orderquery', 'closeorder'] as const;

  /** One call at this point that would succeed. */
  async function callAt(point: (typeof POINTS)[number], options = {}): Promise<Fields> {
    const fields =
      point === 'unifiedorder' ? await bench.orderFields('new') : { out_trade_no: 'existing' };
    return bench.call(`/pay/${point}`, fields, options);
  }

  beforeEach(async () => {
    await bench.placeOrder('existing');
    await advance(300);
  });

  test.each(POINTS)('of %s fails with the code that was asked for', async (point) => {
    await fault({ point, kind: 'error', code: 'ORDERPAID', times: 1 });
    const answer = await callAt(point);
    expect(answer).toMatchObject({
      return_code: 'SUCCESS',
      result_code: 'FAIL',
      err_code: 'ORDERPAID',
      err_code_des: '该订单已支付',
    });
    expect(isSignedRight(answer)).toBe(true);
    expect(await callAt(point)).toMatchObject({ result_code: 'SUCCESS' });
  });

  test.each(POINTS)('of %s fails with SYSTEMERROR when no code was asked for', async (point) => {
    await fault({ point, kind: 'error' });
    expect(await callAt(point)).toMatchObject({ err_code: 'SYSTEMERROR' });
  });

  test('to too many orders has a text only; to too many queries a misleading one', async () => {
    for (const point of POINTS) {
      await fault({ point, kind: 'error', code: 'FREQUENCY_LIMITED' });
    }
    expect(await callAt('unifiedorder')).toEqual({ return_code: 'FAIL', return_msg: '频率限制' });
    expect(await callAt('orderquery')).toMatchObject({
      err_code: 'FREQUENCY_LIMITED',
      err_code_des: '频率限制，1个月之前的订单申请退款请降低频率再重试。',
    });
  });

  test.each([
    ['timeout-before', 'NOTPAY'],
    ['timeout-after', 'CLOSED'],
  ])('of closeorder with %s never comes, and the order is %s', async (kind, tradeState) => {
    await fault({ point: 'closeorder', kind });
    const response = fetch(`${bench.simulator.url}/pay/closeorder`, {
      method: 'POST',
      signal: AbortSignal.timeout(400),
      body: await closeRequest(),
    });
    await expect(response).rejects.toThrow(/timeout/);
    expect((await bench.book('existing')).tradeState).toBe(tradeState);
  });

  async function closeRequest(): Promise<string> {
    const { merchant } = bench;
    const fields = {
      appid: merchant.appid,
      mch_id: merchant.mchid,
      nonce_str: 'n',
      out_trade_no: 'existing',
    };
    const elements = Object.entries({ ...fields, sign: sign(fields, merchant.apiV2Key) });
    return `<xml>${elements.map(([name, value]) => `<${name}>${value}</${name}>`).join('')}</xml>`;
  }

  test('of closeorder with drop is a cut connection before the effect', async () => {
    await fault({ point: 'closeorder', kind: 'drop' });
    await expect(callAt('closeorder')).rejects.toThrow('fetch failed');
    expect((await bench.book('existing')).tradeState).toBe('NOTPAY');
  });

  test('late comes after so many real seconds, with the effect', async () => {
    await fault({ point: 'closeorder', kind: 'late', seconds: 0.5 });
    const startedAt = performance.now();
    expect(await callAt('closeorder')).toMatchObject({ result_code: 'SUCCESS' });
    expect(performance.now() - startedAt).toBeGreaterThan(490);
  });

  test.each([
    ['unifiedorder', 'prepay_id'],
    ['orderquery', 'trade_state'],
    ['closeorder', 'nonce_str'],
  ] as const)('of %s with tamper has another %s than was signed', async (point, field) => {
    await fault({ point, kind: 'tamper' });
    const answer = await callAt(point);
    expect(answer['result_code']).toBe('SUCCESS');
    expect(answer).toHaveProperty(field);
    expect(isSignedRight(answer)).toBe(false);
  });

  test('to a query with tamper claims a payment that never was', async () => {
    await fault({ point: 'orderquery', kind: 'tamper' });
    expect(await callAt('orderquery')).toMatchObject({ trade_state: 'SUCCESS' });
    expect((await bench.book('existing')).tradeState).toBe('NOTPAY');
  });

  test('wrong-amount waits for a paid order', async () => {
    await fault({ point: 'orderquery', kind: 'wrong-amount', times: 1 });
    expect(await callAt('orderquery')).toMatchObject({ trade_state: 'NOTPAY', total_fee: '2800' });
    await bench.control('POST', '/orders/existing/pay');
    const answer = await callAt('orderquery');
    expect(answer).toMatchObject({ trade_state: 'SUCCESS', total_fee: '2801' });
    expect(isSignedRight(answer)).toBe(true);
  });

  test('wrong-merchant carries another mch_id, signed right', async () => {
    await fault({ point: 'orderquery', kind: 'wrong-merchant' });
    const answer = await callAt('orderquery');
    expect(answer['mch_id']).not.toBe(bench.merchant.mchid);
    expect(isSignedRight(answer)).toBe(true);
  });

  test('to a wrong signature stays 签名错误 and does not use up the fault', async () => {
    await fault({ point: 'orderquery', kind: 'error', times: 1 });
    expect(await bench.call('/pay/orderquery', { sign_type: 'MD5' })).toMatchObject({
      return_msg: '签名错误',
    });
    expect(await callAt('orderquery')).toMatchObject({ err_code: 'SYSTEMERROR' });
  });

  test('of a primary host that is down does not come; the backup answers', async () => {
    await fault({ point: 'host', kind: 'down', seconds: 60 });
    await expect(callAt('orderquery')).rejects.toThrow('fetch failed');
    expect(await callAt('orderquery', { url: bench.simulator.backupUrl })).toMatchObject({
      trade_state: 'NOTPAY',
    });
    await advance(60);
    expect(await callAt('orderquery')).toMatchObject({ trade_state: 'NOTPAY' });
  });
});

describe('the list of faults', () => {
  test.each([
    [{ point: 'nothing', kind: 'lost' }, 'UNKNOWN_FAULT_POINT'],
    [{ point: 'constructor', kind: 'lost' }, 'UNKNOWN_FAULT_POINT'],
    [{ point: 'downloadbill', kind: 'lost' }, 'FAULT_NOT_POSSIBLE'],
    [{ point: 'billdownload', kind: 'wrong-amount' }, 'FAULT_NOT_POSSIBLE'],
    [{ point: 'orderquery', kind: 'error', code: '20002' }, 'UNKNOWN_ERROR_CODE'],
    [{ point: 'downloadbill', kind: 'error', code: 'Bill Lost' }, 'UNKNOWN_ERROR_CODE'],
    [{ point: 'notify', kind: 'error' }, 'FAULT_NOT_POSSIBLE'],
    [{ point: 'notify', kind: 'timeout-before' }, 'FAULT_NOT_POSSIBLE'],
    [{ point: 'unifiedorder', kind: 'wrong-amount' }, 'FAULT_NOT_POSSIBLE'],
    [{ point: 'code2session', kind: 'tamper' }, 'FAULT_NOT_POSSIBLE'],
    [{ point: 'host', kind: 'lost' }, 'FAULT_NOT_POSSIBLE'],
    [{ point: 'notify' }, 'MISSING_FIELD'],
    [{ point: 'notify', kind: 'lost', rate: 2 }, 'INVALID_FIELD'],
    [{ point: 'notify', kind: 'lost', rate: '1' }, 'INVALID_FIELD'],
    [{ point: 'notify', kind: 'lost', times: 0 }, 'INVALID_FIELD'],
    [{ point: 'notify', kind: 'late', seconds: -1 }, 'INVALID_FIELD'],
    [{ point: 'notify', kind: 'lost', code: 'X' }, 'INVALID_FIELD'],
    [{ point: 'orderquery', kind: 'error', code: 'NOPE' }, 'UNKNOWN_ERROR_CODE'],
    [{ point: 'code2session', kind: 'error', code: 'SYSTEMERROR' }, 'UNKNOWN_ERROR_CODE'],
  ])('refuses %j: %s', async (wish, code) => {
    expect(await fault(wish)).toMatchObject({ status: 400, body: { error: { code } } });
    expect((await bench.control('GET', '/faults')).body['faults']).toEqual([]);
  });

  test('gives an id, removes one and all', async () => {
    const ids = [];
    for (const kind of ['lost', 'tamper', 'drop']) {
      ids.push((await fault({ point: 'notify', kind })).body['id']);
    }
    expect(new Set(ids).size).toBe(3);
    expect(await bench.control('DELETE', `/faults/${ids[0]}`)).toMatchObject({ status: 200 });
    expect(await bench.control('DELETE', `/faults/${ids[0]}`)).toMatchObject({
      status: 404,
      body: { error: { code: 'FAULT_NOT_FOUND' } },
    });
    await bench.control('DELETE', '/faults');
    expect((await bench.control('GET', '/faults')).body['faults']).toEqual([]);
  });

  test('ends a fault after its seconds on the clock', async () => {
    await fault({ point: 'orderquery', kind: 'error', seconds: 60 });
    await bench.placeOrder('expiring');
    const query = async () => bench.call('/pay/orderquery', { out_trade_no: 'expiring' });
    expect(await query()).toMatchObject({ err_code: 'SYSTEMERROR' });
    await advance(60);
    expect(await query()).toMatchObject({ trade_state: 'NOTPAY' });
  });
});

describe('a seed', () => {
  async function drawWith(seed: string): Promise<string> {
    const other = await startBench({ seed });
    await other.control('POST', '/faults', { point: 'orderquery', kind: 'error', rate: 0.5 });
    let drawn = '';
    for (let index = 0; index < 40; index += 1) {
      const answer = await other.call('/pay/orderquery', { out_trade_no: 'x' });
      drawn += answer['err_code'] === 'SYSTEMERROR' ? '1' : '0';
    }
    await other.stop();
    return drawn;
  }

  test('makes a run repeatable, another seed makes another run', async () => {
    const first = await drawWith('one');
    expect(await drawWith('one')).toBe(first);
    expect(await drawWith('two')).not.toBe(first);
  });

  test('hits a share that is near the rate', async () => {
    await fault({ point: 'notify', kind: 'lost', rate: 0.33 });
    await fault({ point: 'orderquery', kind: 'error', rate: 0.33 });
    let hits = 0;
    for (let index = 0; index < 300; index += 1) {
      const answer = await bench.call('/pay/orderquery', { out_trade_no: 'x' });
      hits += Number(answer['err_code'] === 'SYSTEMERROR');
    }
    expect(hits).toBeGreaterThan(70);
    expect(hits).toBeLessThan(130);
  });
});

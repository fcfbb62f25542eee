/** Misbehaviour of API v3 on request. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ACKNOWLEDGEMENT, type Bench, startBench } from '../support.ts';
import {
  callV3,
  isSignedBy,
  type Json,
  openResource,
  payV3,
  placeV3,
  queryV3,
  type Resource,
} from '../v3-support.ts';

let bench: Bench;
beforeEach(async () => {
  bench = await startBench({ verification: 'switching' });
});
afterEach(async () => bench.stop());

const addFault = async (fault: object) => {
  const { status } = await bench.control('POST', '/faults', { times: 1, ...fault });
  expect(status).toBe(200);
};

const isGenuine = (headers: Headers, text: string) =>
  isSignedBy(bench.merchant.platformCertificate, headers, text);

describe('answers', () => {
  test.each(['unifiedorder', 'orderquery', 'closeorder', 'certificates'])(
    'a probe at %s has a wrong signature with its prefix',
    async (point) => {
      await placeV3(bench, 'v3-probed');
      await addFault({ point, kind: 'probe' });
      const { mchid } = bench.merchant;
      const close = '/v3/pay/transactions/out-trade-no/v3-probed/close';
      const call: Record<string, () => ReturnType<typeof callV3>> = {
        unifiedorder: async () => placeV3(bench, 'v3-probed'),
        orderquery: async () => queryV3(bench, 'v3-probed'),
        closeorder: async () => callV3(bench, 'POST', close, { mchid }),
        certificates: async () => callV3(bench, 'GET', '/v3/certificates'),
      };
      const probed = await call[point]?.();
      expect(probed?.headers.get('wechatpay-signature')).toMatch(/^WECHATPAY\/SIGNTEST\//);
      expect(isGenuine(probed?.headers ?? new Headers(), probed?.text ?? '')).toBe(false);
      const honest = await call[point]?.();
      expect(isGenuine(honest?.headers ?? new Headers(), honest?.text ?? '')).toBe(true);
    },
  );

  test('tampering alters a field after signing, and the signature of an answer without a body', async () => {
    await placeV3(bench, 'v3-tampered');
    await addFault({ point: 'orderquery', kind: 'tamper' });
    const queried = await queryV3(bench, 'v3-tampered');
    expect(queried.json).toMatchObject({ trade_state: 'SUCCESS' });
    expect(isGenuine(queried.headers, queried.text)).toBe(false);
    await addFault({ point: 'closeorder', kind: 'tamper' });
    const closed = await callV3(
      bench,
      'POST',
      '/v3/pay/transactions/out-trade-no/v3-tampered/close',
      { mchid: bench.merchant.mchid },
    );
    expect([closed.status, isGenuine(closed.headers, '')]).toEqual([204, false]);
  });

  test('a wrong amount or merchant is signed correctly', async () => {
    await payV3(bench, 'v3-wrong');
    await addFault({ point: 'orderquery', kind: 'wrong-amount' });
    const amount = await queryV3(bench, 'v3-wrong');
    expect(amount.json['amount']).toMatchObject({ total: 2801, payer_total: 2801 });
    expect(isGenuine(amount.headers, amount.text)).toBe(true);
    await addFault({ point: 'orderquery', kind: 'wrong-merchant' });
    const merchant = await queryV3(bench, 'v3-wrong');
    expect(merchant.json['mchid']).not.toBe(bench.merchant.mchid);
    expect(isGenuine(merchant.headers, merchant.text)).toBe(true);
  });

  test.each([
    ['SYSTEM_ERROR', 500, 'SYSTEM_ERROR'],
    ['SYSTEMERROR', 500, 'SYSTEM_ERROR'],
    ['FREQUENCY_LIMITED', 429, 'FREQUENCY_LIMITED'],
    ['USER_PAYING', 202, 'USER_PAYING'],
    ['ORDERPAID', 400, 'ORDER_PAID'],
    [undefined, 500, 'SYSTEM_ERROR'],
  ])('an error %s is answered with %i %s, without effect', async (code, status, answered) => {
    await addFault({ point: 'unifiedorder', kind: 'error', ...(code ? { code } : {}) });
    const { json, ...answer } = await placeV3(bench, 'v3-error');
    expect([answer.status, json['code']]).toEqual([status, answered]);
    expect((await queryV3(bench, 'v3-error')).status).toBe(404);
  });

  test('a code of v3 is given its v2 name at a v2 address', async () => {
    await addFault({ point: 'orderquery', kind: 'error', code: 'ORDER_NOT_EXIST' });
    await bench.placeOrder('v2-error');
    expect(await bench.call('/pay/orderquery', { out_trade_no: 'v2-error' })).toMatchObject({
      err_code: 'ORDERNOTEXIST',
    });
  });

  test('a probe waits for a v3 call', async () => {
    await addFault({ point: 'orderquery', kind: 'probe' });
    await bench.placeOrder('v2-unprobed');
    expect(await bench.call('/pay/orderquery', { out_trade_no: 'v2-unprobed' })).toMatchObject({
      result_code: 'SUCCESS',
    });
    const { headers } = await queryV3(bench, 'v2-unprobed');
    expect(headers.get('wechatpay-signature')).toMatch(/^WECHATPAY/);
  });
});

describe('notifications', () => {
  /** The shop verifies like the documentation says and answers 200 or 401. */
  const notified = async (outTradeNo: string, attempts: number) => {
    const { merchant, shop } = bench;
    const verdicts: string[] = [];
    shop.answerWith(({ headers, body }, response) => {
      if (!isSignedBy(merchant.platformCertificate, headers, body)) {
        verdicts.push('bad signature');
        response.statusCode = 401;
        return '{"code":"FAIL","message":"signature"}';
      }
      try {
        const { resource } = JSON.parse(body) as { resource: Resource };
        const { mchid, amount } = JSON.parse(openResource(resource, merchant.apiV3Key)) as Json & {
          amount: { total: number };
        };
        verdicts.push(`${mchid === merchant.mchid ? 'ours' : 'foreign'} ${amount.total}`);
        response.statusCode = 204;
      } catch {
        verdicts.push('not decrypted');
        response.statusCode = 500;
      }
      return '';
    });
    await payV3(bench, outTradeNo);
    const view = await bench.waitForAttempts(outTradeNo, attempts);
    return { verdicts, view };
  };

  test.each([
    [{ kind: 'tamper' }, 'bad signature'],
    [{ kind: 'tamper', part: 'body' }, 'bad signature'],
    [{ kind: 'tamper', part: 'signature' }, 'bad signature'],
    [{ kind: 'tamper', part: 'ciphertext' }, 'not decrypted'],
    [{ kind: 'tamper', part: 'tag' }, 'not decrypted'],
    [{ kind: 'probe' }, 'bad signature'],
    [{ kind: 'wrong-amount' }, 'ours 2801'],
    [{ kind: 'wrong-merchant' }, 'foreign 2800'],
  ])('%j is what an honest receiver calls "%s"', async (fault, verdict) => {
    await addFault({ point: 'notify', ...fault });
    const { verdicts } = await notified('v3-faulty', 1);
    expect(verdicts).toEqual([verdict]);
  });

  test('a probe is refused, comes again on schedule, correctly signed, with the same id', async () => {
    await addFault({ point: 'notify', kind: 'probe' });
    const { verdicts, view } = await notified('v3-probe', 1);
    expect(view.notifications[0]?.attempts[0]).toMatchObject({
      outcome: 'refused',
      fault: 'probe',
    });
    await bench.control('POST', '/clock', { advanceSeconds: 15 });
    await bench.waitForAttempts('v3-probe', 2);
    expect(verdicts).toEqual(['bad signature', 'ours 2800']);
    const [first, second] = bench.shop.received;
    expect(second?.body).toBe(first?.body);
    expect(second?.headers['wechatpay-nonce']).not.toBe(first?.headers['wechatpay-nonce']);
    expect((await bench.book('v3-probe')).notifications[0]?.state).toBe('acknowledged');
  });

  test('the message log has what was encrypted, and the state of the signature', async () => {
    await addFault({ point: 'notify', kind: 'probe' });
    await notified('v3-logged', 1);
    const { body } = await bench.control('GET', '/messages');
    const messages = body['messages'] as unknown as (Json & { kind: string; plaintext: string })[];
    const message = messages.findLast(({ kind }) => kind === 'notify');
    expect(JSON.parse(message?.plaintext ?? '')).toMatchObject({ out_trade_no: 'v3-logged' });
    expect(message?.['signature']).toMatchObject({
      result: 'invalid',
      serial: bench.merchant.platformSerialNo,
      keyName: 'platform certificate',
      likelyCauses: [{ code: 'PROBE' }],
    });
  });

  test.each([
    [200, 'acknowledged'],
    [204, 'acknowledged'],
    [201, 'bad-answer'],
    [302, 'bad-answer'],
    [401, 'refused'],
    [500, 'refused'],
  ])('the answer %i counts as %s', async (status, outcome) => {
    bench.shop.answerWith((_, response) => {
      response.statusCode = status;
      return status === 204 ? '' : '{"code":"SUCCESS"}';
    });
    await payV3(bench, 'v3-answered');
    const view = await bench.waitForAttempts('v3-answered', 1);
    expect(view.notifications[0]?.attempts[0]).toMatchObject({ outcome, httpStatus: status });
  });

  test('lost, late and duplicate work as in v2', async () => {
    await addFault({ point: 'notify', kind: 'lost' });
    const { view } = await notified('v3-lost', 1);
    expect(view.notifications[0]?.attempts[0]?.outcome).toBe('lost');
    await addFault({ point: 'notify', kind: 'duplicate' });
    const twice = await notified('v3-twice', 2);
    expect(twice.verdicts).toEqual(['ours 2800', 'ours 2800']);
  });

  test('"part" and "probe" are refused where they mean nothing', async () => {
    for (const fault of [
      { point: 'notify', kind: 'lost', part: 'tag' },
      { point: 'orderquery', kind: 'tamper', part: 'tag' },
      { point: 'notify', kind: 'tamper', part: 'head' },
      { point: 'code2session', kind: 'probe' },
    ]) {
      expect((await bench.control('POST', '/faults', fault)).status).toBe(400);
    }
  });

  test('a part of a v3 message waits for a v3 notification', async () => {
    await addFault({ point: 'notify', kind: 'tamper', part: 'tag' });
    bench.shop.answerWith(() => ACKNOWLEDGEMENT);
    const { prepay_id: prepayId = '' } = await bench.placeOrder('v2-untouched');
    await bench.payByPhone(prepayId);
    const view = await bench.waitForAttempts('v2-untouched', 1);
    expect(view.notifications[0]?.state).toBe('acknowledged');
  });

  test.each(['tamper', 'wrong-amount'])('%s of a refund notification', async (kind) => {
    await payV3(bench, 'v3-refunded');
    await bench.waitForAttempts('v3-refunded', 1);
    await addFault({ point: 'notify', kind });
    await bench.control('POST', '/orders/v3-refunded/refund-in-console');
    await bench.waitForAttempts('v3-refunded', 2);
    const { body } = await bench.control('GET', '/messages');
    const messages = body['messages'] as unknown as Json[];
    const notice = messages.findLast(({ kind: what }) => what === 'notify');
    expect(notice).toMatchObject({ fault: kind });
    expect(String(notice?.['plaintext']).includes('<refund_fee><![CDATA[2801]]>')).toBe(
      kind === 'wrong-amount',
    );
  });
});

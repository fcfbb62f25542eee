import { describe, expect, test } from 'vitest';
import { ConfigError, WechatPayTransportError } from '../../../../lib/errors.ts';
import type { WechatRequest } from '../../../../lib/transport/transport.ts';
import { call } from '../../../../lib/wechatpay/v3/protocol/call.ts';
import { CREATED_AT, MCHID } from '../../../support/sample-orders.ts';
import { secretVersions } from '../../../support/secret-versions.ts';
import { type V3Answer, v3Double } from '../../../support/v3-double.ts';
import {
  merchantKey,
  PUBLIC_KEY_ID,
  transaction,
  v3Headers,
  v3Merchant,
  wechatSigner,
} from '../../../support/v3-message.ts';
import { newCertifiedKey, newKeyPair } from '../../../support/rsa-keys.ts';
import { neverRuns } from '../../../support/no-timer.ts';

const order = { outTradeNo: 'order-0001', appid: 'wx8888888888888888', mchid: MCHID };
const options = { timeoutMs: 3_000 };
const forger = { serial: PUBLIC_KEY_ID, privateKey: newKeyPair().privateKey };

const query = (answer: V3Answer) => {
  const double = v3Double(answer);
  return { ...double, result: double.wechatPay.queryOrder(order, options) };
};

const failure = (code: string, status: number, more: object = {}): V3Answer => ({
  status,
  json: { code, message: 'why', ...more },
});

describe('a request', () => {
  test('is signed, names the key for its answer, and asks for JSON', async () => {
    const { requests, result } = query({ json: transaction() });
    await result;

    expect(requests).toMatchObject([
      {
        method: 'GET',
        path: `/v3/pay/transactions/out-trade-no/order-0001?mchid=${MCHID}`,
        headers: {
          accept: 'application/json',
          authorization: expect.stringContaining(`serial_no="${merchantKey.serialNo}"`),
          'wechatpay-serial': PUBLIC_KEY_ID,
        },
        body: undefined,
        repeatable: true,
      },
    ]);
  });

  test.each([true, false])(
    'goes out twice only if its caller allows it: %j',
    async (repeatable) => {
      const sent: WechatRequest[] = [];
      const answer = call(
        {
          transport: async (request) => {
            sent.push(request);
            throw new WechatPayTransportError('unknown', 'no answer');
          },
          merchant: secretVersions(v3Merchant()),
          nonce: () => 'nonce',
          nowMs: () => 0,
          startTimer: neverRuns,
          findKey: async () => undefined,
        },
        MCHID,
        { method: 'GET', path: '/v3/refund', body: '' },
        { timeoutMs: 3_000, repeatable },
      );
      await expect(answer).rejects.toThrow('no answer');

      expect(sent).toMatchObject([{ repeatable, timeoutMs: 3_000 }]);
    },
  );

  test('does not name a key while the merchant has certificates only', async () => {
    const secret = v3Merchant({ wechatpayPublicKeyId: undefined, wechatpayPublicKey: undefined });
    const { wechatPay, requests } = v3Double(
      { status: 500, json: { code: 'SYSTEM_ERROR' } },
      { merchant: secretVersions(secret) },
    );
    await expect(wechatPay.queryOrder(order, options)).rejects.toThrow('SYSTEM_ERROR');

    expect(requests[0]?.headers).not.toHaveProperty('wechatpay-serial');
  });

  test('of an order of another merchant is not sent', async () => {
    const { wechatPay, requests } = v3Double({ json: transaction() });

    await expect(
      wechatPay.queryOrder({ ...order, mchid: '1900000222' }, options),
    ).rejects.toMatchObject({
      name: ConfigError.name,
      message:
        'an order belongs to merchant 1900000222, but the secret is that of merchant 1900000109',
      parameters: { secret: 'merchant', field: 'mchid' },
    });
    expect(requests).toEqual([]);
  });

  test('of an order of the merchant before is signed as that one, and names its key for the answer', async () => {
    const own = newCertifiedKey(CREATED_AT * 1000);
    const now = v3Merchant({
      mchid: '1900000222',
      merchantSerialNo: own.serialNo,
      merchantPrivateKey: own.privateKey,
      wechatpayPublicKeyId: 'PUB_KEY_ID_0222',
    });
    const { wechatPay, requests } = v3Double(
      { json: transaction() },
      { merchant: secretVersions(now, v3Merchant()) },
    );

    await expect(wechatPay.queryOrder(order, options)).resolves.toMatchObject({ kind: 'paid' });
    expect(requests[0]?.headers).toMatchObject({
      authorization: expect.stringContaining(
        `mchid="${MCHID}",nonce_str="nonce1",timestamp="${CREATED_AT}",serial_no="${merchantKey.serialNo}"`,
      ),
      'wechatpay-serial': PUBLIC_KEY_ID,
    });
  });

  test.each(['merchantSerialNo', 'merchantPrivateKey'])(
    'is not sent without %s in the secret',
    async (field) => {
      const merchant = secretVersions(v3Merchant({ [field]: undefined }));
      const { wechatPay, requests } = v3Double({ json: transaction() }, { merchant });

      await expect(wechatPay.queryOrder(order, options)).rejects.toBeInstanceOf(ConfigError);
      expect(requests).toEqual([]);
    },
  );

  test('that does not reach WeChat fails as the connection did', async () => {
    const broken = new WechatPayTransportError('not-sent', 'no connection');
    const { wechatPay } = v3Double(() => broken);

    await expect(wechatPay.queryOrder(order, options)).rejects.toBe(broken);
  });
});

test.each([200, 404])(
  'an answer of status %i whose key is not there in time leaves open what happened',
  async (statusCode) => {
    const body = JSON.stringify(
      statusCode === 200 ? transaction() : { code: 'ORDER_NOT_EXIST', message: '' },
    );
    const delays: number[] = [];
    const answer = call(
      {
        transport: async () => ({
          statusCode,
          headers: v3Headers(body),
          body: Buffer.from(body),
        }),
        merchant: secretVersions(v3Merchant()),
        nonce: () => 'nonce',
        nowMs: () => CREATED_AT * 1000,
        findKey: () => new Promise(() => undefined),
        startTimer: (delayMs, run) => {
          delays.push(delayMs);
          setImmediate(run);
          return () => undefined;
        },
      },
      MCHID,
      { method: 'GET', path: '/v3/refund', body: '' },
      { timeoutMs: 3_000, repeatable: true },
    );

    await expect(answer).rejects.toMatchObject({
      code: 'WECHAT_UNREACHABLE',
      outcome: 'unknown',
      message: 'no key to verify the answer with in time',
    });
    expect(delays).toEqual([3_000]);
  },
);

describe('an answer', () => {
  test.each<[string, V3Answer]>([
    ['without a signature', { headers: { 'wechatpay-signature': undefined } }],
    ['signed by somebody else', { stamp: { signer: forger } }],
    ['of ten minutes ago', { stamp: { timestamp: CREATED_AT - 600 } }],
  ])('%s is not believed', async (_, answer) => {
    await expect(query({ json: transaction(), ...answer }).result).rejects.toMatchObject({
      code: 'SIGNATURE_INVALID',
      outcome: 'unknown',
    });
  });

  test('signed by somebody else is not asked for again', async () => {
    const { requests, result } = query({ json: transaction(), stamp: { signer: forger } });

    await expect(result).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
    expect(requests).toHaveLength(1);
  });

  test.each([199, 300, 304])('with status %i is no success, whatever it says', async (status) => {
    await expect(query({ status, json: transaction() }).result).rejects.toMatchObject({
      code: 'WECHAT_UNREACHABLE',
      message: `HTTP status ${status}`,
    });
  });

  test.each([200, 299])('with status %i is one', async (status) => {
    expect(await query({ status, json: transaction() }).result).toMatchObject({ kind: 'paid' });
  });

  test('under the id of a public key that the secret lacks is not believed', async () => {
    const merchant = secretVersions(v3Merchant({ wechatpayPublicKey: undefined }));
    const { wechatPay } = v3Double({ json: transaction() }, { merchant });

    await expect(wechatPay.queryOrder(order, options)).rejects.toMatchObject({
      code: 'SIGNATURE_INVALID',
    });
  });

  test('that is not JSON is not understood', async () => {
    await expect(query({ text: '<html>' }).result).rejects.toThrow('not JSON');
  });

  test('with an error in it is an error, whatever its status says', async () => {
    await expect(query(failure('PARAM_ERROR', 200)).result).rejects.toMatchObject({
      outcome: 'rejected',
      wechatCode: 'PARAM_ERROR',
    });
  });
});

describe('an error of WeChat', () => {
  test('is a refusal, with where and why and the request’s number', async () => {
    const detail = { field: '/amount/total', issue: 'must be an integer', value: 'secret' };
    const answer = {
      ...failure('PARAM_ERROR', 400, { detail }),
      headers: { 'request-id': '08-268435461' },
    };

    await expect(query(answer).result).rejects.toMatchObject({
      code: 'WECHAT_PAY_REFUSED',
      retryable: false,
      wechatText: 'why; /amount/total; must be an integer; Request-ID 08-268435461',
    });
  });

  test.each([
    ['SYSTEM_ERROR', 500],
    ['BANK_ERROR', 400],
    ['FREQUENCY_LIMITED', 429],
    ['SOMETHING', 502],
    ['RATELIMIT_EXCEEDED', 403],
  ])('%s (%i) leaves open what happened', async (code, status) => {
    await expect(query(failure(code, status)).result).rejects.toMatchObject({
      code: 'WECHAT_PAY_BUSY',
      outcome: 'unknown',
      retryable: true,
      wechatCode: code,
    });
  });

  test.each<[string, V3Answer]>([
    ['is not signed', { headers: { 'wechatpay-signature': undefined } }],
    ['is signed by somebody else', { stamp: { signer: forger } }],
  ])('that %s is no evidence', async (_, answer) => {
    await expect(
      query({ ...failure('ORDER_NOT_EXIST', 404), ...answer }).result,
    ).rejects.toMatchObject({ outcome: 'unknown', wechatCode: 'ORDER_NOT_EXIST' });
  });

  test.each(['<html>502</html>', '', '{"message":"no code"}', '{"code":""}'])(
    'that says nothing (%j) is one of the connection',
    async (text) => {
      await expect(query({ status: 502, text }).result).rejects.toMatchObject({
        code: 'WECHAT_UNREACHABLE',
        outcome: 'unknown',
      });
    },
  );

  test('with parts that are null is read all the same', async () => {
    const answer = { status: 400, json: { code: 'INVALID_REQUEST', message: null, detail: null } };

    await expect(query(answer).result).rejects.toMatchObject({
      wechatText: 'Request-ID 08F78BB7',
    });
    await expect(
      query({ ...answer, headers: { 'request-id': undefined } }).result,
    ).rejects.toMatchObject({ wechatText: '' });
  });
});

describe('a probe in place of an answer', () => {
  const probe = { 'wechatpay-signature': 'WECHATPAY/SIGNTEST/AAAA' };

  test.each([
    [{ json: transaction() }],
    [{ status: 404, json: { code: 'ORDER_NOT_EXIST', message: '' } }],
  ])('is asked for again, once: %j', async (answer) => {
    let calls = 0;
    const { wechatPay, requests } = v3Double(() => {
      calls += 1;
      return calls === 1 ? { ...answer, headers: probe } : answer;
    });

    expect(await wechatPay.queryOrder(order, options)).toMatchObject({
      kind: expect.stringMatching(/paid|not-found/),
    });
    expect(requests.map(({ path }) => path)).toEqual([requests[0]?.path, requests[0]?.path]);
    expect(requests[0]?.headers['authorization']).not.toBe(requests[1]?.headers['authorization']);
  });

  test('and another one fails like any wrong signature', async () => {
    const { requests, result } = query({ json: transaction(), headers: probe });

    await expect(result).rejects.toMatchObject({ code: 'SIGNATURE_INVALID', isProbe: true });
    expect(requests).toHaveLength(2);
  });

  test('is not asked for again when the time is over', async () => {
    let nowMs = CREATED_AT * 1000;
    const { wechatPay, requests } = v3Double(
      () => {
        nowMs += 3_000;
        return { json: transaction(), headers: probe };
      },
      { nowMs: () => nowMs },
    );

    await expect(wechatPay.queryOrder(order, options)).rejects.toMatchObject({ isProbe: true });
    expect(requests).toHaveLength(1);
  });
});

test('the signer of the samples is the public key of the secret', () => {
  expect(wechatSigner.serial).toBe(v3Merchant().wechatpayPublicKeyId);
});

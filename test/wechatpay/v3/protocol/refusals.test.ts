import { describe, expect, test } from 'vitest';
import type { MerchantSecret } from '../../../../lib/secrets/merchant.ts';
import { APPID, CREATED_AT, MCHID, sampleOrder } from '../../../support/sample-orders.ts';
import { type V3Answer, v3Double } from '../../../support/v3-double.ts';
import { merchantKey, transaction, v3Merchant } from '../../../support/v3-message.ts';
import { newCertifiedKey } from '../../../support/rsa-keys.ts';

const order = { outTradeNo: 'order-0001', appid: APPID, mchid: MCHID };
const options = { timeoutMs: 3_000 };
const UNSIGNED = { 'wechatpay-signature': undefined };

/** The operations, each of which is answered this, and what they sent. */
function answering(answer: V3Answer, nowMs = CREATED_AT * 1000) {
  const { wechatPay, requests } = v3Double(answer, { nowMs: () => nowMs });
  const operations = {
    prepay: () => wechatPay.prepay(sampleOrder({ apiVersion: 'v3' }), options),
    query: () => wechatPay.queryOrder(order, options),
    close: () => wechatPay.closeOrder(order, options),
  };
  return { operations, requests };
}

const failure = (status: number, code: unknown, more: object = {}): V3Answer => ({
  status,
  json: { code, message: '为何', ...more },
});

describe.each(['prepay', 'query', 'close'] as const)('a refusal of %s', (name) => {
  describe.each([
    ['signed', {}],
    ['not signed', { headers: UNSIGNED }],
  ])('that is %s', (_, signature) => {
    test.each([
      [401, 'SIGN_ERROR', 'merchant', 'merchantPrivateKey, merchantSerialNo', '商户API证书'],
      [401, 'A_NEW_CODE', 'merchant', 'merchantPrivateKey, merchantSerialNo', '商户API证书'],
      [401, 'PARAM_ERROR', 'merchant', 'merchantPrivateKey, merchantSerialNo', '商户API证书'],
      [403, 'NO_AUTH', 'merchant', 'mchid', 'JSAPI支付'],
      [500, 'OPENID_MISMATCH', 'mini-program, merchant', 'appid, spAppid', 'AppID'],
      [404, 'MCH_NOT_EXISTS', 'merchant', 'mchid', '商户信息'],
      [400, 'MCH_NOT_EXISTS', 'merchant', 'mchid', '商户信息'],
      [400, 'APPID_MCHID_NOT_MATCH', 'mini-program, merchant', 'appid, mchid', 'AppID账号管理'],
    ])(
      'with %i %s is the owner’s to mend, and one call',
      async (status, code, secret, field, page) => {
        const { operations, requests } = answering({ ...failure(status, code), ...signature });

        await expect(operations[name]()).rejects.toMatchObject({
          code: 'CONFIG_ERROR',
          retryable: false,
          wechatCode: code,
          parameters: { secret, field, consolePage: expect.stringContaining(page) },
        });
        expect(requests).toHaveLength(1);
      },
    );

    test.each([
      [500, 'SYSTEM_ERROR'],
      [400, 'SYSTEMERROR'],
      [500, 'BANK_ERROR'],
      [400, 'BANKERROR'],
      [400, 'BIZERR_NEED_RETRY'],
      [429, 'FREQUENCY_LIMITED'],
      [403, 'FREQUENCY_LIMITED'],
      [429, 'RATELIMIT_EXCEEDED'],
      [403, 'RATELIMIT_EXCEED'],
      [429, 'A_NEW_CODE'],
      [429, 'PARAM_ERROR'],
      [500, 'A_NEW_CODE'],
      [599, 'ORDER_NOT_EXIST'],
    ])('with %i %s may be repeated', async (status, code) => {
      const { operations } = answering({ ...failure(status, code), ...signature });

      await expect(operations[name]()).rejects.toMatchObject({
        code: 'WECHAT_PAY_BUSY',
        retryable: true,
        outcome: 'unknown',
        wechatCode: code,
      });
    });

    test.each([
      [400, 'PARAM_ERROR'],
      [400, 'INVALID_REQUEST'],
      [403, 'OUT_TRADE_NO_USED'],
      [403, 'RULE_LIMIT'],
    ])('with %i %s is lasting', async (status, code) => {
      const { operations } = answering({ ...failure(status, code), ...signature });

      await expect(operations[name]()).rejects.toMatchObject({
        code: 'WECHAT_PAY_REFUSED',
        retryable: false,
        wechatCode: code,
      });
    });
  });

  test.each([
    [428, 'A_NEW_CODE'],
    [430, 'A_NEW_CODE'],
    [499, 'A_NEW_CODE'],
    [402, 'A_NEW_CODE'],
  ])(
    'with %i %s is lasting when WeChat signed it, and repeatable when not',
    async (status, code) => {
      const refusal = failure(status, code);

      await expect(answering(refusal).operations[name]()).rejects.toMatchObject({
        outcome: 'rejected',
        retryable: false,
      });
      await expect(
        answering({ ...refusal, headers: UNSIGNED }).operations[name](),
      ).rejects.toMatchObject({ outcome: 'unknown', retryable: true });
    },
  );

  test.each([
    'ORDER_PAID',
    'ORDER_CLOSED',
    'ORDER_NOT_EXIST',
    'RESOURCE_NOT_EXISTS',
    'USER_PAYING',
  ])('with %s that WeChat did not sign is not believed about the order', async (code) => {
    const { operations } = answering({ ...failure(400, code), headers: UNSIGNED });

    await expect(operations[name]()).rejects.toMatchObject({
      code: 'WECHAT_PAY_BUSY',
      outcome: 'unknown',
      wechatCode: code,
    });
  });

  test.each([
    { detail: { location: 'body', value: 'oUpF8uMuAJO' } },
    { detail: { detail: { issue: 'sign not match' }, sign_information: { url: 'oUpF8uMuAJO' } } },
    { detail: {} },
    { detail: '' },
    { detail: [] },
    { detail: [{ field: 'a', value: 'oUpF8uMuAJO' }, 'b', 3, null] },
    { detail: 5 },
    { detail: null },
    { detail: 'x'.repeat(5_000) },
    { detail: { detail: { detail: { detail: { detail: { issue: 'deep' } } } } } },
    { detail: { field: 7, issue: {}, location: true } },
    { message: undefined },
    { message: 5 },
    { message: null },
    { message: { text: 'no' } },
    { message: '长'.repeat(5_000) },
    { value: 'oUpF8uMuAJO' },
  ])('is what its code says, whatever stands beside it: %j', async (more) => {
    const wechatText = expect.stringMatching(/^(?!.*oUpF8uMuAJO)[^\n]{0,900}$/);
    await expect(
      answering(failure(400, 'PARAM_ERROR', more)).operations[name](),
    ).rejects.toMatchObject({
      code: 'WECHAT_PAY_REFUSED',
      outcome: 'rejected',
      wechatCode: 'PARAM_ERROR',
      wechatText,
    });
    await expect(
      answering({ ...failure(401, 'SIGN_ERROR', more), headers: UNSIGNED }).operations[name](),
    ).rejects.toMatchObject({ code: 'CONFIG_ERROR', wechatCode: 'SIGN_ERROR', wechatText });
  });

  test.each(['', 'no digits', '-', '08-x', undefined, 'y'.repeat(9_000)])(
    'is what its code says, whatever its Request-ID: %j',
    async (requestId) => {
      const answer = {
        ...failure(400, 'PARAM_ERROR'),
        headers: { 'request-id': requestId },
      };

      await expect(answering(answer).operations[name]()).rejects.toMatchObject({
        outcome: 'rejected',
        wechatCode: 'PARAM_ERROR',
      });
    },
  );

  describe.each([
    ['a code that is a number', '{"code":5,"message":"x"}'],
    ['a code that is null', '{"code":null}'],
    ['an empty code', '{"code":""}'],
    ['no body', ''],
    ['HTML', '<html><body>Bad</body></html>'],
    ['half of a JSON', '{"code":"ORDER_PAI'],
    ['a list', '["ORDER_PAID"]'],
    ['null', 'null'],
    ['a text', '"ORDER_PAID"'],
    ['no UTF-8', Buffer.from([0x7b, 0xff]).toString('latin1')],
  ])('with %s', (_what, text) => {
    test('and 401 is of our signature', async () => {
      await expect(answering({ status: 401, text }).operations[name]()).rejects.toMatchObject({
        code: 'CONFIG_ERROR',
        wechatCode: 'HTTP status 401',
        message: expect.stringContaining('(WeChat Pay answered HTTP status 401)'),
      });
    });

    test.each([400, 403, 404, 418, 429, 500, 502])(
      'and %i is told by its status, and may be repeated',
      async (status) => {
        await expect(answering({ status, text }).operations[name]()).rejects.toMatchObject({
          code: 'WECHAT_UNREACHABLE',
          retryable: true,
          outcome: 'unknown',
          message: `HTTP status ${status}`,
        });
      },
    );
  });
});

describe('a refusal of our signature', () => {
  const signError = (changes: object = {}) => failure(401, 'SIGN_ERROR', changes);

  test.each([
    ['商户证书序列号有误。请使用签名私钥匹配的证书序列号', 'merchantSerialNo'],
    ['商户号不存在或与证书不匹配', 'mchid'],
    ['错误的签名，验签失败', 'merchantPrivateKey, merchantSerialNo'],
  ])('that says "%s" names %s', async (message, field) => {
    await expect(answering(signError({ message })).operations.query()).rejects.toMatchObject({
      code: 'CONFIG_ERROR',
      parameters: { secret: 'merchant', field },
    });
  });

  test.each([
    [400, 'ahead of'],
    [-400, 'behind'],
  ])('by a clock that is %i s off says so', async (offSeconds, direction) => {
    const wechatMs = (CREATED_AT - offSeconds) * 1000;
    for (const headers of [
      { 'wechatpay-timestamp': String(wechatMs / 1000) },
      { 'wechatpay-timestamp': undefined, date: new Date(wechatMs).toUTCString() },
      { 'wechatpay-timestamp': 'soon', date: new Date(wechatMs).toUTCString() },
    ]) {
      const { operations, requests } = answering({ ...signError(), headers });

      await expect(operations.query()).rejects.toMatchObject({
        code: 'CONFIG_ERROR',
        message: expect.stringContaining(
          `our clock is 400 s ${direction} WeChat's, which takes at most 300 s`,
        ),
        parameters: { field: `clock, 400 s ${direction} WeChat's` },
      });
      expect(requests).toHaveLength(1);
    }
  });

  test.each([
    [269, false],
    [-269, false],
    [270, true],
    [-270, true],
  ])('with a clock %i s off is of the clock: %j', async (offSeconds, isOfClock) => {
    const headers = { 'wechatpay-timestamp': String(CREATED_AT - offSeconds) };

    await expect(answering({ ...signError(), headers }).operations.query()).rejects.toMatchObject({
      parameters: { field: expect.stringMatching(isOfClock ? /^clock/ : /^merchant/) },
    });
  });

  test.each(['not a date', undefined])('without a time (%j) is of the keys', async (date) => {
    const headers = { 'wechatpay-timestamp': undefined, date };

    await expect(answering({ ...signError(), headers }).operations.query()).rejects.toMatchObject({
      parameters: { secret: 'merchant' },
    });
  });

  test('is not asked about again for a permission, whatever the secret is by then', async () => {
    const { double, requests } = renewed(v3Merchant(), failure(403, 'NO_AUTH'));

    await expect(double.queryOrder(order, options)).rejects.toMatchObject({ code: 'CONFIG_ERROR' });
    expect(requests).toHaveLength(1);
  });

  const successor = newCertifiedKey(CREATED_AT * 1000);

  /** WeChat takes the successor's signature only; the secret changes when it is read afresh. */
  function renewed(next: MerchantSecret, refusal = signError()) {
    let secret = v3Merchant();
    const { wechatPay: double, requests } = v3Double(
      ({ headers }) =>
        headers['authorization']?.includes(successor.serialNo) ? { json: transaction() } : refusal,
      {
        merchant: {
          current: async () => secret,
          async *candidates() {
            yield secret;
            secret = next;
            yield secret;
          },
        },
        merchantKeys: () =>
          new Map([merchantKey, successor].map((key) => [key.serialNo, key.publicKey])),
      },
    );
    return { double, requests };
  }

  test('goes out again when the secret, read afresh, has other keys', async () => {
    const { double, requests } = renewed(
      v3Merchant({
        merchantSerialNo: successor.serialNo,
        merchantPrivateKey: successor.privateKey,
      }),
    );

    expect(await double.queryOrder(order, options)).toMatchObject({ kind: 'paid' });
    expect(requests).toHaveLength(2);
  });

  test.each<[string, MerchantSecret]>([
    ['the same keys', v3Merchant()],
    ['no serial', v3Merchant({ merchantSerialNo: undefined })],
    ['no private key', v3Merchant({ merchantPrivateKey: undefined })],
    [
      'the keys of another merchant',
      v3Merchant({ mchid: '1900000222', merchantSerialNo: successor.serialNo }),
    ],
  ])('is final when the secret, read afresh, has %s', async (_, next) => {
    const { double, requests } = renewed(next);

    await expect(double.queryOrder(order, options)).rejects.toMatchObject({ code: 'CONFIG_ERROR' });
    expect(requests).toHaveLength(1);
  });
});

describe.each([
  ['signed', {}],
  ['not signed', { headers: UNSIGNED }],
])('prepay refused, %s,', (_, signature) => {
  test.each(['NOT_ENOUGH', 'NOTENOUGH', 'ACCOUNT_ERROR', 'ACCOUNTERROR', 'USER_ACCOUNT_ABNORMAL'])(
    'with %s is of the buyer’s account',
    async (code) => {
      const { operations } = answering({ ...failure(403, code), ...signature });

      expect(await operations.prepay()).toEqual({
        kind: 'buyer-refused',
        reason: expect.stringContaining(code),
      });
    },
  );
});

test.each([202, 400])(
  'prepay of an order that the buyer is paying (%i) may be repeated',
  async (status) => {
    const { operations } = answering(failure(status, 'USER_PAYING'));

    await expect(operations.prepay()).rejects.toMatchObject({
      code: 'WECHAT_PAY_BUSY',
      retryable: true,
      wechatCode: 'USER_PAYING',
    });
  },
);

import { constants, privateDecrypt } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { WechatPayTransportError } from '../../../lib/errors.ts';
import { storedRequestOf } from '../../../lib/order/stored-request.ts';
import type {
  RefundOrder,
  RefundReference,
  StoredRefund,
} from '../../../lib/wechatpay/refund-results.ts';
import { newCertifiedKey, newKeyPair } from '../../support/rsa-keys.ts';
import {
  CREATED_AT,
  MCHID,
  sampleRefund,
  sampleRefundEvidence,
} from '../../support/sample-orders.ts';
import { secretVersions } from '../../support/secret-versions.ts';
import { certificateList, type SentV3, type V3Answer, v3Double } from '../../support/v3-double.ts';
import { PUBLIC_KEY_ID, v3Merchant } from '../../support/v3-message.ts';

const options = { timeoutMs: 3_000 };
const idle = v3Double({}).wechatPay;

const newRefund: RefundOrder = {
  ...sampleRefund(),
  merchantKey: '',
  notifyBaseUrl: 'https://pay.example.com',
};
const requestOf = (changes: Partial<RefundOrder> = {}) =>
  storedRequestOf(idle.buildRefundRequest({ ...newRefund, ...changes }), 'v3');
const stored = (changes: Partial<RefundReference> = {}): StoredRefund => ({
  ...sampleRefund(changes),
  refundRequest: requestOf(changes),
});

/** A refund as v3 answers it. */
const answered = (changes: object = {}) => ({
  refund_id: '50000000382026030100000000001',
  out_refund_no: 'refund-0001',
  transaction_id: '4200000001202603010000000001',
  out_trade_no: 'order-0001',
  channel: 'ORIGINAL',
  create_time: '2026-03-01T10:30:00+08:00',
  status: 'PROCESSING',
  funds_account: 'AVAILABLE',
  amount: { total: 2800, refund: 800, payer_total: 2800, payer_refund: 800, currency: 'CNY' },
  promotion_detail: [],
  ...changes,
});
const evidence = sampleRefundEvidence({ createdAtEpochSeconds: CREATED_AT + 1800 });

type Answering = Parameters<typeof v3Double>[0];

const refunding = async (answer: Answering, refund = stored()) => {
  const double = v3Double(answer);
  return { ...double, result: await double.wechatPay.refund(refund, options) };
};
const refusal = (status: number, code: string, message = 'why'): V3Answer => ({
  status,
  json: { code, message },
});

describe('the request of a refund', () => {
  test('says what WeChat needs, and nothing that it does not know', () => {
    expect(requestOf()).toEqual({
      apiVersion: 'v3',
      path: '/v3/refund/domestic/refunds',
      body: '{"transaction_id":"4200000001202603010000000001","out_refund_no":"refund-0001","notify_url":"https://pay.example.com/notify/v3","amount":{"refund":800,"total":2800,"currency":"CNY"}}',
    });
  });

  test('carries sub-merchant, reason, funds and goods', () => {
    const { body } = requestOf({
      subMchid: '1900000999',
      merchantKey: 'tea',
      reason: '少了一杯',
      fundsAccount: 'AVAILABLE',
      goods: [
        {
          merchantGoodsId: 'latte',
          wechatpayGoodsId: '1001',
          goodsName: '拿铁',
          unitPriceFen: 400,
          refundFen: 800,
          quantity: 2,
        },
        { merchantGoodsId: 'cup', unitPriceFen: 0, refundFen: 0, quantity: 1 },
      ],
    });

    expect(JSON.parse(body)).toEqual({
      sub_mchid: '1900000999',
      transaction_id: '4200000001202603010000000001',
      out_refund_no: 'refund-0001',
      reason: '少了一杯',
      notify_url: 'https://pay.example.com/notify/tea/v3',
      funds_account: 'AVAILABLE',
      amount: { refund: 800, total: 2800, currency: 'CNY' },
      goods_detail: [
        {
          merchant_goods_id: 'latte',
          wechatpay_goods_id: '1001',
          goods_name: '拿铁',
          unit_price: 400,
          refund_amount: 800,
          refund_quantity: 2,
        },
        { merchant_goods_id: 'cup', unit_price: 0, refund_amount: 0, refund_quantity: 1 },
      ],
    });
  });
});

describe('a refund', () => {
  test('that WeChat accepts is processed, and was sent as it is stored', async () => {
    const { result, requests } = await refunding({ json: answered() });

    expect(result).toEqual({ kind: 'accepted', refund: evidence });
    const { path, body } = requestOf();
    expect(requests).toMatchObject([{ method: 'POST', path, body, repeatable: true }]);
  });

  test('may be done at once', async () => {
    const { result } = await refunding({
      json: answered({
        status: 'SUCCESS',
        success_time: '2026-03-01T10:31:00+08:00',
        user_received_account: '支付用户零钱',
      }),
    });

    expect(result).toEqual({
      kind: 'accepted',
      refund: {
        ...evidence,
        status: 'SUCCESS',
        succeededAtEpochSeconds: CREATED_AT + 1860,
        userReceivedAccount: '支付用户零钱',
      },
    });
  });

  test('of a sub-merchant is his', async () => {
    const subMchid = '1900000999';
    const { result } = await refunding({ json: answered() }, stored({ subMchid }));

    expect(result).toMatchObject({ kind: 'accepted', refund: { mchid: MCHID, subMchid } });
  });

  test.each<[object]>([
    [{ out_refund_no: 'refund-0002' }],
    [{ out_trade_no: 'order-0002' }],
    [{ transaction_id: '1' }],
    [{ amount: { total: 2800, refund: 700 } }],
    [{ amount: { total: 2900, refund: 800 } }],
    [{ amount: { total: 2800, refund: 800, currency: 'HKD' } }],
    [{ mchid: '1900000222' }],
    [{ sp_mchid: '1900000222', mchid: MCHID }],
    [{ sub_mchid: '1900000999' }],
    [{ status: 'PERHAPS' }],
    [{ status: undefined }],
    [{ refund_id: undefined }],
    [{ amount: { total: 2800, refund: 8.5 } }],
    [{ amount: undefined }],
  ])('whose answer is about another one may have been carried out: %j', async (change) => {
    const { result } = await refunding({ json: answered(change) });

    expect(result).toMatchObject({
      kind: 'unknown',
      failure: { code: 'MALFORMED_MESSAGE' },
      mayHaveReached: true,
      slower: false,
    });
  });

  const unknown = (mayHaveReached: boolean, slower = false) =>
    ({ kind: 'unknown', mayHaveReached, slower }) as const;
  const refused = (mayHaveReached = false) => ({ kind: 'refused', mayHaveReached }) as const;
  const balance = { kind: 'waiting', waitingFor: 'BALANCE', mayHaveReached: false } as const;

  test.each<[number, string, string, object]>([
    [500, 'SYSTEM_ERROR', 'why', unknown(true)],
    [500, 'SYSTEMERROR', 'why', unknown(true)],
    [400, 'BIZERR_NEED_RETRY', 'why', unknown(true)],
    [429, 'FREQUENCY_LIMITED', 'why', unknown(true, true)],
    [429, 'RATELIMIT_EXCEEDED', 'why', unknown(true, true)],
    [429, 'RATELIMIT_EXCEED', 'why', unknown(true, true)],
    [403, 'FREQUENCY_LIMIT_EXCEED', 'why', unknown(true, true)],
    [400, 'NEVER_HEARD_OF', 'why', unknown(true)],
    [404, 'RESOURCE_NOT_EXISTS', 'why', unknown(false)],
    [404, 'ORDER_NOT_EXIST', 'why', unknown(false)],
    [404, 'ORDERNOTEXIST', 'why', unknown(false)],
    [400, 'INVALID_REQUEST', '同一订单多次退款需间隔1分钟', unknown(false, true)],
    [403, 'NOT_ENOUGH', '基本账户余额不足', balance],
    [403, 'NOTENOUGH', 'why', balance],
    [400, 'INVALID_REQUEST', '可用余额不足', balance],
    [403, 'USER_ACCOUNT_ABNORMAL', 'why', refused()],
    [400, 'TRADE_OVERDUE', 'why', refused()],
    [400, 'PARAM_ERROR', 'why', refused()],
    [400, 'INVALID_REQUEST', '申请退款金额大于订单可退金额', refused()],
    [400, 'INVALID_REQUEST', '订单金额或退款金额与之前请求不一致，请核实后再试', refused(true)],
  ])('that is refused with %i %s (%s)', async (status, code, message, expected) => {
    const { result, requests } = await refunding(refusal(status, code, message));

    expect(result).toMatchObject({
      ...expected,
      failure: { code, message: expect.stringContaining(message) },
    });
    expect(requests).toHaveLength(1);
  });

  test.each<[number, string, string]>([
    [401, 'SIGN_ERROR', 'merchantPrivateKey, merchantSerialNo'],
    [403, 'NO_AUTH', 'mchid, subMchid'],
    [403, 'NOAUTH', 'mchid, subMchid'],
    [404, 'MCH_NOT_EXISTS', 'mchid'],
    [400, 'APPID_MCHID_NOT_MATCH', 'appid, mchid'],
  ])('that %i %s stops waits for the owner', async (status, code, field) => {
    const { result, requests } = await refunding(refusal(status, code));

    expect(result).toMatchObject({
      kind: 'waiting',
      waitingFor: 'CONFIG',
      failure: { code, message: expect.stringContaining('why') },
      cause: { code: 'CONFIG_ERROR', parameters: { field } },
    });
    expect(requests).toHaveLength(1);
  });

  const forger = { serial: PUBLIC_KEY_ID, privateKey: newKeyPair().privateKey };

  test.each([400, 403, 404])(
    'may have been carried out when nobody signed the refusal: %i',
    async (status) => {
      const answer = { ...refusal(status, 'USER_ACCOUNT_ABNORMAL'), stamp: { signer: forger } };

      expect((await refunding(answer)).result).toMatchObject({
        kind: 'unknown',
        mayHaveReached: true,
      });
    },
  );

  test('after a probe may have been carried out the first time', async () => {
    let calls = 0;
    const probe = { 'wechatpay-signature': 'WECHATPAY/SIGNTEST/1' };
    const { result } = await refunding(() => {
      calls += 1;
      return calls === 1
        ? { json: answered(), headers: probe }
        : refusal(403, 'USER_ACCOUNT_ABNORMAL');
    });

    expect([calls, result]).toMatchObject([2, { kind: 'refused', mayHaveReached: true }]);
  });

  test.each([
    ['not-sent', false],
    ['unknown', true],
  ] as const)('that is %s', async (outcome, mayHaveReached) => {
    const { result } = await refunding(() => new WechatPayTransportError(outcome, 'broken'));

    expect(result).toMatchObject(unknown(mayHaveReached));
  });

  test('of an order of v2 is not sent', async () => {
    const { wechatPay, requests } = v3Double({ json: answered() });
    const refundRequest = { apiVersion: 'v2', fields: {} } as const;

    await expect(wechatPay.refund({ ...stored(), refundRequest }, options)).rejects.toThrow(
      'an order of API v2 was handed to API v3',
    );
    expect(requests).toEqual([]);
  });

  test('of another merchant is not sent', async () => {
    const refund = stored({ mchid: '1900000222' });
    const { result, requests } = await refunding({ json: answered() }, refund);

    expect(result).toMatchObject({ kind: 'waiting', waitingFor: 'CONFIG', mayHaveReached: false });
    expect(requests).toEqual([]);
  });

  test('is not listed', async () => {
    expect(await idle.listRefunds(sampleRefund(), options)).toEqual({ kind: 'not-offered' });
  });
});

describe('the query of a refund', () => {
  const querying = async (answer: Answering, refund = sampleRefund()) => {
    const double = v3Double(answer);
    return { ...double, result: await double.wechatPay.queryRefund(refund, options) };
  };

  test('asks by our number', async () => {
    const { result, requests } = await querying({ json: answered() });

    expect(result).toEqual({ kind: 'found', refund: evidence });
    expect(requests).toMatchObject([
      { method: 'GET', path: '/v3/refund/domestic/refunds/refund-0001', body: undefined },
    ]);
  });

  test('names the sub-merchant, and writes an odd number as WeChat reads it', async () => {
    const outRefundNo = 'a|b*c@d';
    const refund = sampleRefund({ subMchid: '1900000999', outRefundNo });
    const { result, requests } = await querying(
      { json: answered({ out_refund_no: outRefundNo }) },
      refund,
    );

    expect(result).toMatchObject({ refund: { subMchid: '1900000999', outRefundNo } });
    expect(requests[0]?.path).toBe('/v3/refund/domestic/refunds/a%7Cb*c%40d?sub_mchid=1900000999');
  });

  test.each(['PROCESSING', 'SUCCESS', 'CLOSED', 'ABNORMAL'])('says %s', async (status) => {
    const { result } = await querying({ json: answered({ status }) });

    expect(result).toMatchObject({ kind: 'found', refund: { status } });
  });

  test.each([null, '', 'yesterday', '2026-03-01'])(
    'leaves out a time that it cannot read: %j',
    async (time) => {
      const { result } = await querying({
        json: answered({ create_time: time, success_time: time }),
      });

      expect(result).toEqual({ kind: 'found', refund: sampleRefundEvidence() });
    },
  );

  test('does without total and currency', async () => {
    const { result } = await querying({ json: answered({ amount: { refund: 800 } }) });

    expect(result).toEqual({ kind: 'found', refund: evidence });
  });

  test.each(['RESOURCE_NOT_EXISTS', 'REFUND_NOT_EXISTS', 'REFUNDNOTEXIST'])(
    'that finds none says so: %s',
    async (code) => {
      expect((await querying(refusal(404, code))).result).toEqual({ kind: 'not-found' });
    },
  );

  test('that is refused otherwise proves nothing', async () => {
    await expect(querying(refusal(400, 'PARAM_ERROR'))).rejects.toMatchObject({
      code: 'WECHAT_PAY_REFUSED',
      wechatCode: 'PARAM_ERROR',
    });
  });

  test('refuses an answer about another amount, with both', async () => {
    const answer = { json: answered({ amount: { total: 2800, refund: 700 } }) };

    await expect(querying(answer)).rejects.toMatchObject({
      code: 'MALFORMED_MESSAGE',
      field: 'refundFen',
      expected: 800,
      observed: 700,
    });
  });
});

describe('an abnormal refund', () => {
  const refund = { ...sampleRefund(), refundId: '50000000382026030100000000001' };
  const path = '/v3/refund/domestic/refunds/50000000382026030100000000001/apply-abnormal-refund';
  const card = {
    kind: 'BUYER_CARD',
    bankType: 'ICBC_DEBIT',
    bankAccount: '6222020000000000000',
    realName: '张三',
  } as const;

  /** What WeChat reads of a field that is encrypted for it. */
  const decrypted = (text: unknown, key: string) =>
    privateDecrypt(
      { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' },
      Buffer.from(String(text), 'base64'),
    ).toString();

  test('goes to the merchant’s account', async () => {
    const { wechatPay, requests } = v3Double({ json: answered() });

    expect(await wechatPay.endAbnormal(refund, { kind: 'MERCHANT_ACCOUNT' }, options)).toEqual({
      kind: 'accepted',
      refund: evidence,
    });
    expect(requests).toMatchObject([{ method: 'POST', path }]);
    expect(requests[0]?.json).toEqual({ out_refund_no: 'refund-0001', type: 'MERCHANT_BANK_CARD' });
  });

  test('of a sub-merchant names him', async () => {
    const { wechatPay, requests } = v3Double({ json: answered() });
    const subMchid = '1900000999';
    await wechatPay.endAbnormal({ ...refund, subMchid }, { kind: 'MERCHANT_ACCOUNT' }, options);

    expect(requests[0]?.json).toMatchObject({ sub_mchid: subMchid });
  });

  test('goes to another card, whose owner only WeChat can read', async () => {
    const keys = newKeyPair();
    const merchant = secretVersions(v3Merchant({ wechatpayPublicKey: keys.publicKey }));
    const signer = { serial: PUBLIC_KEY_ID, privateKey: keys.privateKey };
    const { wechatPay, requests } = v3Double(
      { json: answered() },
      { merchant, signer: () => signer },
    );

    expect(await wechatPay.endAbnormal(refund, card, options)).toMatchObject({ kind: 'accepted' });
    const [sent] = requests;
    expect(sent?.headers['wechatpay-serial']).toBe(PUBLIC_KEY_ID);
    expect(sent?.json).toMatchObject({ type: 'USER_BANK_CARD', bank_type: 'ICBC_DEBIT' });
    expect(decrypted(sent?.json['bank_account'], keys.privateKey)).toBe(card.bankAccount);
    expect(decrypted(sent?.json['real_name'], keys.privateKey)).toBe('张三');
  });

  /** A merchant of today has none. */
  const certificates = (list: readonly ReturnType<typeof newCertifiedKey>[]): V3Answer =>
    list.length === 0 ? refusal(404, 'RESOURCE_NOT_EXISTS') : { json: certificateList(list) };

  const withCertificates = (
    list: readonly ReturnType<typeof newCertifiedKey>[],
    changes: Parameters<typeof v3Merchant>[0] = {
      wechatpayPublicKeyId: undefined,
      wechatpayPublicKey: undefined,
    },
  ) => {
    const merchant = secretVersions(v3Merchant(changes));
    const [signer = newCertifiedKey(CREATED_AT * 1000)] = list;
    const answering = ({ path: asked }: SentV3) =>
      asked === '/v3/certificates' ? certificates(list) : { json: answered() };
    return v3Double(answering, {
      merchant,
      signer: () => ({ serial: signer.serialNo, privateKey: signer.privateKey }),
    });
  };

  test('is encrypted for the valid platform certificate that ends last, where there is no public key', async () => {
    const older = newCertifiedKey(CREATED_AT * 1000);
    const newer = newCertifiedKey(CREATED_AT * 1000, {
      notAfterMs: (CREATED_AT + 900 * 86_400) * 1000,
    });
    // WeChat lists a successor days before its first use.
    const successor = newCertifiedKey(CREATED_AT * 1000, {
      notBeforeMs: (CREATED_AT + 86_400) * 1000,
      notAfterMs: (CREATED_AT + 1_800 * 86_400) * 1000,
    });
    const { wechatPay, requests } = withCertificates([older, newer, successor]);

    expect(await wechatPay.endAbnormal(refund, card, options)).toMatchObject({ kind: 'accepted' });
    const sent = requests.find(({ method }) => method === 'POST');
    expect(sent?.headers['wechatpay-serial']).toBe(newer.serialNo);
    expect(decrypted(sent?.json['real_name'], newer.privateKey)).toBe('张三');
    await wechatPay.endAbnormal(refund, card, options);
    expect(requests.map(({ method }) => method)).toEqual(['GET', 'POST', 'POST']);
  });

  test.each([undefined, { wechatpayPublicKeyId: undefined }, { wechatpayPublicKey: undefined }])(
    'waits for the owner when there is no key to encrypt for, and sends nothing: %j',
    async (changes) => {
      const { wechatPay, requests } = withCertificates([], changes);

      expect(await wechatPay.endAbnormal(refund, card, options)).toMatchObject({
        kind: 'waiting',
        waitingFor: 'CONFIG',
        failure: { message: expect.stringContaining('no key to encrypt') },
        mayHaveReached: false,
      });
      expect(requests.map(({ method }) => method)).toEqual(['GET']);
    },
  );

  test.each<[number, string, object]>([
    [400, 'INVALID_REQUEST', { kind: 'refused', mayHaveReached: false }],
    [500, 'SYSTEM_ERROR', { kind: 'unknown', mayHaveReached: true }],
  ])('that is refused with %i %s', async (status, code, expected) => {
    const { wechatPay } = v3Double(refusal(status, code));

    expect(
      await wechatPay.endAbnormal(refund, { kind: 'MERCHANT_ACCOUNT' }, options),
    ).toMatchObject(expected);
  });
});

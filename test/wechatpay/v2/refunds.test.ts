import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { WechatPayTransportError } from '../../../lib/errors.ts';
import { storedRequestOf } from '../../../lib/order/stored-request.ts';
import type { RefundReference, StoredRefund } from '../../../lib/wechatpay/refund-results.ts';
import {
  APPID,
  CREATED_AT,
  MCHID,
  sampleRefund,
  sampleRefundEvidence,
} from '../../support/sample-orders.ts';
import {
  certifiedMerchant,
  type RefundAnswering,
  v2RefundDouble,
} from '../../support/v2-refund-double.ts';
import { type WireFields, without } from '../../support/v2-message.ts';

const options = { timeoutMs: 3_000 };
const idle = v2RefundDouble(() => new Error('idle')).wechatPay;

const newRefund = {
  ...sampleRefund(),
  merchantKey: '',
  notifyBaseUrl: 'https://pay.example.com',
};
const stored = (changes: Partial<RefundReference> = {}): StoredRefund => ({
  ...sampleRefund(changes),
  refundRequest: idle.buildRefundRequest({ ...newRefund, ...changes }),
});

const answer = (changes: WireFields = {}): WireFields => ({
  return_code: 'SUCCESS',
  result_code: 'SUCCESS',
  appid: APPID,
  mch_id: MCHID,
  nonce_str: 'n',
  ...changes,
});

const accepted = (changes: WireFields = {}) =>
  answer({
    transaction_id: '4200000001202603010000000001',
    out_trade_no: 'order-0001',
    out_refund_no: 'refund-0001',
    refund_id: '50000000382026030100000000001',
    refund_fee: '800',
    total_fee: '2800',
    cash_fee: '2800',
    refund_channel: '',
    ...changes,
  });

const refused = (code: string, text = 'why') =>
  answer({ result_code: 'FAIL', err_code: code, err_code_des: text });

const refunding = async (answering: RefundAnswering, from = stored()) => {
  const double = v2RefundDouble(answering);
  return { ...double, result: await double.wechatPay.refund(from, options) };
};

describe('the request of a refund', () => {
  test('says what WeChat needs, by its own number of the payment', () => {
    expect(idle.buildRefundRequest(newRefund)).toEqual({
      apiVersion: 'v2',
      fields: {
        appid: APPID,
        mch_id: MCHID,
        sign_type: 'HMAC-SHA256',
        transaction_id: '4200000001202603010000000001',
        out_refund_no: 'refund-0001',
        total_fee: '2800',
        refund_fee: '800',
        refund_fee_type: 'CNY',
        notify_url: 'https://pay.example.com/notify/v2/refund',
      },
    });
  });

  test.each([
    ['AVAILABLE', 'REFUND_SOURCE_RECHARGE_FUNDS'],
    ['UNSETTLED', 'REFUND_SOURCE_UNSETTLED_FUNDS'],
  ] as const)('carries reason and %s', (fundsAccount, account) => {
    const refund = { ...newRefund, reason: '少了一杯', fundsAccount, merchantKey: 'tea' };

    expect(idle.buildRefundRequest(refund)).toMatchObject({
      fields: {
        refund_desc: '少了一杯',
        refund_account: account,
        notify_url: 'https://pay.example.com/notify/tea/v2/refund',
      },
    });
  });

  test('names provider, sub-merchant and the sub-merchant’s mini-program', () => {
    const provider = { subMchid: '1900000999', spAppid: 'wx00000000provider' };

    expect(idle.buildRefundRequest({ ...newRefund, ...provider })).toMatchObject({
      fields: {
        appid: 'wx00000000provider',
        sub_appid: APPID,
        mch_id: MCHID,
        sub_mch_id: '1900000999',
      },
    });
  });

  test('takes no goods', () => {
    const goods = [{ merchantGoodsId: 'latte', unitPriceFen: 800, refundFen: 800, quantity: 1 }];

    expect(() => idle.buildRefundRequest({ ...newRefund, goods })).toThrow(
      expect.objectContaining({
        code: 'INVALID_REQUEST',
        parameters: expect.objectContaining({ field: 'goods' }),
      }),
    );
  });
});

describe('a refund', () => {
  test('that WeChat accepts is processed, and was sent with the certificate', async () => {
    const { result, requests, opened } = await refunding(() => accepted());

    expect(result).toEqual({ kind: 'accepted', refund: sampleRefundEvidence() });
    const { merchantCertificate: certificate, merchantPrivateKey: privateKey } =
      certifiedMerchant();
    expect(opened).toEqual([{ certificate, privateKey }]);
    expect(requests).toMatchObject([
      { path: '/secapi/pay/refund', isCertified: true, repeatable: true, timeoutMs: 3_000 },
    ]);
    const { fields } = storedRequestOf(stored().refundRequest, 'v2');
    expect(without(requests[0]?.fields ?? {}, 'nonce_str', 'sign')).toEqual(fields);
  });

  test('may be answered without the order’s total and currency', async () => {
    const { result } = await refunding(() => without(accepted(), 'total_fee', 'out_trade_no'));

    expect(result).toMatchObject({ kind: 'accepted', refund: { totalFen: 2800, currency: 'CNY' } });
  });

  test('of a sub-merchant is his', async () => {
    const subMchid = '1900000999';
    const { result } = await refunding(
      () => accepted({ sub_mch_id: subMchid }),
      stored({ subMchid }),
    );

    expect(result).toMatchObject({ kind: 'accepted', refund: { mchid: MCHID, subMchid } });
  });

  test.each<[WireFields]>([
    [{ out_refund_no: 'refund-0002' }],
    [{ refund_fee: '700' }],
    [{ total_fee: '2900' }],
    [{ transaction_id: '4200000001202603010000000002' }],
    [{ out_trade_no: 'order-0002' }],
    [{ fee_type: 'HKD' }],
    [{ refund_id: '' }],
    [{ refund_fee: '8.00' }],
  ])('whose answer is about another one may have been carried out: %j', async (change) => {
    const { result } = await refunding(() => accepted(change));

    expect(result).toMatchObject({
      kind: 'unknown',
      failure: { code: 'MALFORMED_MESSAGE' },
      mayHaveReached: true,
      slower: false,
    });
  });

  const CODES: readonly (readonly [string, string, object])[] = [
    ['SYSTEMERROR', 'why', { kind: 'unknown', mayHaveReached: true, slower: false }],
    ['BIZERR_NEED_RETRY', 'why', { kind: 'unknown', mayHaveReached: true, slower: false }],
    ['FREQUENCY_LIMITED', 'why', { kind: 'unknown', mayHaveReached: true, slower: true }],
    ['RATELIMIT_EXCEEDED', 'why', { kind: 'unknown', mayHaveReached: true, slower: true }],
    ['INVALID_REQ_TOO_MUCH', 'why', { kind: 'unknown', mayHaveReached: true, slower: true }],
    ['NEVER_HEARD_OF', 'why', { kind: 'unknown', mayHaveReached: true, slower: false }],
    ['ORDERNOTEXIST', 'why', { kind: 'unknown', mayHaveReached: false, slower: false }],
    ['ORDER_NOT_READY', 'why', { kind: 'unknown', mayHaveReached: false, slower: false }],
    [
      'INVALID_REQUEST',
      '同一笔订单的退款间隔需大于1分钟',
      { kind: 'unknown', mayHaveReached: false, slower: true },
    ],
    [
      'NOTENOUGH',
      '可用余额不足',
      { kind: 'waiting', waitingFor: 'BALANCE', mayHaveReached: false },
    ],
    [
      'ERROR',
      '基本账户余额不足，请充值',
      { kind: 'waiting', waitingFor: 'BALANCE', mayHaveReached: false },
    ],
    ['USER_ACCOUNT_ABNORMAL', 'why', { kind: 'refused', mayHaveReached: false }],
    ['TRADE_OVERDUE', 'why', { kind: 'refused', mayHaveReached: false }],
    ['ERROR', '订单已全额退款', { kind: 'refused', mayHaveReached: false }],
    ['INVALID_TRANSACTIONID', 'why', { kind: 'refused', mayHaveReached: false }],
    ['PARAM_ERROR', 'why', { kind: 'refused', mayHaveReached: false }],
    ['INVALID_REQUEST', 'why', { kind: 'refused', mayHaveReached: false }],
    ['XML_FORMAT_ERROR', 'why', { kind: 'refused', mayHaveReached: false }],
    ['REQUIRE_POST_METHOD', 'why', { kind: 'refused', mayHaveReached: false }],
    ['LACK_PARAMS', 'why', { kind: 'refused', mayHaveReached: false }],
    ['POST_DATA_EMPTY', 'why', { kind: 'refused', mayHaveReached: false }],
    ['NOT_UTF8', 'why', { kind: 'refused', mayHaveReached: false }],
    ['REFUND_FEE_MISMATCH', 'why', { kind: 'refused', mayHaveReached: true }],
    [
      'PARAM_ERROR',
      '订单金额或退款金额与之前请求不一致，请核实后再试',
      { kind: 'refused', mayHaveReached: true },
    ],
    ...(
      [
        ['SIGNERROR', 'why', 'apiV2Key'],
        ['NOAUTH', 'why', 'mchid, subMchid'],
        ['NOAUTH', '异常IP请求不予受理', 'mchid'],
        ['APPID_NOT_EXIST', 'why', 'appid'],
        ['APPID_MCHID_NOT_MATCH', 'why', 'appid, mchid'],
        ['MCHID_NOT_EXIST', 'why', 'mchid'],
        ['CERT_ERROR', 'why', 'merchantCertificate and merchantPrivateKey, or merchantP12'],
      ] as const
    ).map(
      ([code, text, field]) =>
        [
          code,
          text,
          {
            kind: 'waiting',
            waitingFor: 'CONFIG',
            mayHaveReached: false,
            cause: { code: 'CONFIG_ERROR', parameters: { field } },
          },
        ] as const,
    ),
  ];

  test.each(CODES)('that is refused with %s (%s)', async (code, text, expected) => {
    const { result, requests } = await refunding(() => refused(code, text));

    expect(result).toMatchObject({ ...expected, failure: { code, message: text } });
    expect(requests).toHaveLength(1);
  });

  test('that IP protection refuses says so', async () => {
    const { result } = await refunding(() => refused('NOAUTH', '异常IP请求不予受理'));

    expect(result).toMatchObject({
      cause: {
        message: expect.stringContaining('certain addresses'),
        parameters: { consolePage: expect.stringContaining('IP白名单') },
      },
    });
  });

  test.each<[string, WireFields, object]>([
    [
      'of a wrong key',
      { return_code: 'FAIL', return_msg: '签名错误' },
      { kind: 'waiting', waitingFor: 'CONFIG' },
    ],
    ['without words', { return_code: 'FAIL' }, { kind: 'unknown' }],
    ['with a final code', { return_code: 'FAIL', err_code: 'TRADE_OVERDUE' }, { kind: 'unknown' }],
  ])('may have been carried out after an unsigned refusal %s', async (_, fields, expected) => {
    const { result } = await refunding(() => fields);

    expect(result).toMatchObject({ ...expected, mayHaveReached: true });
  });

  test.each([
    ['not-sent', false],
    ['unknown', true],
  ] as const)('that is %s', async (outcome, mayHaveReached) => {
    const { result } = await refunding(() => new WechatPayTransportError(outcome, 'broken'));

    expect(result).toMatchObject({ kind: 'unknown', mayHaveReached, slower: false });
  });

  test('that a second host refuses may have been carried out by the first', async () => {
    const { wechatPay } = v2RefundDouble(() => refused('TRADE_OVERDUE'), {
      otherAttempts: { count: 1, maybeDelivered: true },
    });

    expect(await wechatPay.refund(stored(), options)).toMatchObject({
      kind: 'refused',
      mayHaveReached: true,
    });
  });

  test('of an order of v3 is not sent', async () => {
    const { wechatPay, requests } = v2RefundDouble(() => accepted());
    const refundRequest = { apiVersion: 'v3', path: '/', body: '' } as const;

    await expect(wechatPay.refund({ ...stored(), refundRequest }, options)).rejects.toThrow(
      'an order of API v3 was handed to API v2',
    );
    expect(requests).toEqual([]);
  });

  test('of another merchant is not sent', async () => {
    const { result, requests } = await refunding(() => accepted(), stored({ mchid: '1900000222' }));

    expect(result).toMatchObject({
      kind: 'waiting',
      waitingFor: 'CONFIG',
      mayHaveReached: false,
      cause: { parameters: { field: 'mchid' } },
    });
    expect(requests).toEqual([]);
  });

  test('without a certificate in the secret is not sent', async () => {
    const { wechatPay, requests } = v2RefundDouble(() => accepted(), {
      merchant: () => certifiedMerchant({ merchantCertificate: undefined }),
    });

    expect(await wechatPay.refund(stored(), options)).toMatchObject({
      kind: 'waiting',
      waitingFor: 'CONFIG',
      failure: {
        code: 'CONFIG_ERROR',
        message: expect.stringContaining('no client certificate'),
      },
      mayHaveReached: false,
    });
    expect(requests).toEqual([]);
  });

  test('cannot be ended otherwise by API', async () => {
    const refund = { ...sampleRefund(), refundId: '1' };

    expect(await idle.endAbnormal(refund, { kind: 'MERCHANT_ACCOUNT' }, options)).toEqual({
      kind: 'not-offered',
    });
  });
});

describe('the query of a refund', () => {
  const found = (changes: WireFields = {}) =>
    answer({
      transaction_id: '4200000001202603010000000001',
      out_trade_no: 'order-0001',
      total_fee: '2800',
      refund_fee: '800',
      refund_count: '1',
      total_refund_count: '1',
      out_refund_no_0: 'refund-0001',
      refund_id_0: '50000000382026030100000000001',
      refund_fee_0: '800',
      refund_status_0: 'PROCESSING',
      ...changes,
    });
  const querying = async (fields: WireFields) => {
    const double = v2RefundDouble(() => fields);
    return { ...double, result: await double.wechatPay.queryRefund(sampleRefund(), options) };
  };

  test('asks by our number, without the certificate', async () => {
    const { result, requests } = await querying(found());

    expect(result).toEqual({ kind: 'found', refund: sampleRefundEvidence() });
    expect(requests).toMatchObject([
      {
        path: '/pay/refundquery',
        isCertified: false,
        repeatable: true,
        fields: { out_refund_no: 'refund-0001', mch_id: MCHID },
      },
    ]);
    expect(requests[0]?.fields).not.toHaveProperty('transaction_id');
  });

  test.each([
    ['PROCESSING', 'PROCESSING'],
    ['SUCCESS', 'SUCCESS'],
    ['REFUNDCLOSE', 'CLOSED'],
    ['CHANGE', 'ABNORMAL'],
  ])('says %s in the words of v3: %s', async (wire, status) => {
    const { result } = await querying(found({ refund_status_0: wire }));

    expect(result).toMatchObject({ kind: 'found', refund: { status } });
  });

  test('tells when and where the money arrived, in WeChat’s own spelling', async () => {
    const { result } = await querying(
      found({
        refund_status_0: 'SUCCESS',
        refund_success_time_0: '2026-03-01 11:00:00',
        refund_recv_accout_0: '支付用户零钱',
      }),
    );

    expect(result).toMatchObject({
      refund: {
        succeededAtEpochSeconds: CREATED_AT + 3600,
        userReceivedAccount: '支付用户零钱',
      },
    });
  });

  test.each(['', 'yesterday', '2026-02-31 11:00:00'])(
    'leaves out a time that it cannot read: %j',
    async (text) => {
      const { result } = await querying(found({ refund_success_time_0: text }));

      expect(result).toEqual({ kind: 'found', refund: sampleRefundEvidence() });
    },
  );

  test('does without the fields of the order', async () => {
    const { result } = await querying(
      without(found(), 'total_fee', 'transaction_id', 'out_trade_no', 'total_refund_count'),
    );

    expect(result).toEqual({ kind: 'found', refund: sampleRefundEvidence() });
  });

  test('finds its own among several', async () => {
    const { result } = await querying(
      found({
        refund_count: '2',
        out_refund_no_0: 'refund-0000',
        refund_fee_0: '1',
        out_refund_no_1: 'refund-0001',
        refund_id_1: '50000000382026030100000000001',
        refund_fee_1: '800',
        refund_status_1: 'SUCCESS',
      }),
    );

    expect(result).toMatchObject({ refund: { refundFen: 800, status: 'SUCCESS' } });
  });

  test('that finds none says so', async () => {
    expect((await querying(refused('REFUNDNOTEXIST'))).result).toEqual({ kind: 'not-found' });
  });

  test.each(['PARAM_ERROR', 'ORDERNOTEXIST', 'INVALID_TRANSACTIONID'])(
    'that is refused with %s proves nothing',
    async (code) => {
      await expect(querying(refused(code))).rejects.toMatchObject({
        code: 'WECHAT_PAY_REFUSED',
        wechatCode: code,
      });
    },
  );

  test.each<[WireFields, object]>([
    [{ refund_fee_0: '700' }, { field: 'refundFen', expected: 800, observed: 700 }],
    [{ out_trade_no: 'order-0002' }, { field: 'outTradeNo' }],
    [{ transaction_id: '1' }, { field: 'transactionId' }],
    [{ total_fee: '1' }, { field: 'totalFen' }],
    [{ out_refund_no_0: 'refund-0002' }, { message: 'the answer is about another refund' }],
    [{ refund_status_0: 'FAIL' }, { message: expect.stringContaining('unknown refund_status') }],
    [{ refund_id_0: '' }, { message: 'the message has no refund_id_0' }],
    [{ refund_count: '' }, { message: 'the message has no refund_count' }],
    [{ refund_count: '51' }, { message: expect.stringContaining('more refunds') }],
  ])('refuses an answer about another refund: %j', async (change, expected) => {
    await expect(querying(found(change))).rejects.toMatchObject({
      code: 'MALFORMED_MESSAGE',
      ...expected,
    });
  });
});

describe('answers of other implementations', () => {
  const { sign: vectors } = JSON.parse(
    readFileSync(new URL('../../vectors/v2.json', import.meta.url), 'utf8'),
  ) as { sign: { id: string; params: WireFields }[] };
  const fieldsOf = (id: string): WireFields => ({
    ...vectors.find((vector) => vector.id === id)?.params,
    appid: APPID,
    mch_id: MCHID,
  });
  const asked = (changes: Partial<RefundReference>) =>
    sampleRefund({ refundFen: 1, totalFen: 100, outRefundNo: '1415701182', ...changes });

  test('to a refund are read', async () => {
    const refund = asked({
      transactionId: '4008450740201411110005820873',
      outTradeNo: '1415757673',
    });
    const { result } = await refunding(() => fieldsOf('sdkgo-RefundByTransactionID-response'), {
      ...stored(),
      ...refund,
    });

    expect(result).toMatchObject({
      kind: 'accepted',
      refund: { refundId: '2008450740201411110000174436', refundFen: 1, totalFen: 100 },
    });
  });

  test.each(['sdkgo-QueryRefundByRefundID-response', 'linjunpop-query_refund-response'])(
    'to a query are read: %s',
    async (id) => {
      const { wechatPay } = v2RefundDouble(() => fieldsOf(id));
      const { out_trade_no: outTradeNo = '' } = fieldsOf(id);
      const refund = asked({
        transactionId: '1008450740201411110005820873',
        outTradeNo: outTradeNo || 'order-0001',
      });

      expect(await wechatPay.queryRefund(refund, options)).toMatchObject({
        kind: 'found',
        refund: { refundId: '2008450740201411110000174436', status: 'PROCESSING' },
      });
    },
  );
});

describe('the list of an order’s refunds', () => {
  const order = { ...sampleRefund() };

  /** WeChat with so many refunds of the order, in pages of 10. */
  const wechatWith = (count: number): RefundAnswering => {
    return ({ fields }) => {
      const offset = Number(fields['offset']);
      const size = Math.min(10, count - offset);
      const refunds = Array.from({ length: size }, (_, n) => [
        [`out_refund_no_${n}`, `refund-${offset + n}`],
        [`refund_id_${n}`, `5${offset + n}`],
        [`refund_fee_${n}`, String(10 + offset + n)],
        [`refund_status_${n}`, 'SUCCESS'],
      ]).flat();
      return answer({
        transaction_id: order.transactionId,
        out_trade_no: order.outTradeNo,
        total_fee: '2800',
        refund_count: String(size),
        total_refund_count: String(count),
        ...Object.fromEntries(refunds),
      });
    };
  };

  test.each([
    [1, ['0']],
    [10, ['0']],
    [11, ['0', '10']],
    [50, ['0', '10', '20', '30', '40']],
  ])('has all %i, page by page', async (count, offsets) => {
    const { wechatPay, requests } = v2RefundDouble(wechatWith(count));
    const result = await wechatPay.listRefunds(order, options);

    expect(result).toMatchObject({ kind: 'listed' });
    const refunds = result.kind === 'listed' ? result.refunds : [];
    expect(refunds.map(({ outRefundNo, refundFen }) => [outRefundNo, refundFen])).toEqual(
      Array.from({ length: count }, (_, n) => [`refund-${n}`, 10 + n]),
    );
    expect(requests.map(({ fields }) => fields['offset'])).toEqual(offsets);
    expect(requests.every(({ isCertified }) => !isCertified)).toBe(true);
    expect(requests[0]?.fields).toMatchObject({ transaction_id: order.transactionId });
  });

  test('is empty when WeChat knows none', async () => {
    const { wechatPay } = v2RefundDouble(() => refused('REFUNDNOTEXIST'));

    expect(await wechatPay.listRefunds(order, options)).toEqual({ kind: 'listed', refunds: [] });
  });

  test('gives later pages the time that is left', async () => {
    let nowMs = 0;
    const answering = wechatWith(30);
    const { wechatPay, requests } = v2RefundDouble(
      (sent) => {
        nowMs += 1_700;
        return answering(sent);
      },
      { nowMs: () => nowMs },
    );
    await wechatPay.listRefunds(order, options);

    expect(requests.map(({ timeoutMs }) => timeoutMs)).toEqual([3_000, 1_300, 1]);
  });

  test.each<[string, number, (fields: WireFields) => WireFields]>([
    ['a page repeats another', 2, (fields) => wechatFields(20, { ...fields, offset: '0' })],
    [
      'a page is empty',
      2,
      (fields) => ({
        ...wechatFields(20, fields),
        refund_count: fields['offset'] === '0' ? '10' : '0',
      }),
    ],
    [
      'it never ends',
      6,
      (fields) => ({ ...wechatFields(1_000, fields), total_refund_count: '999' }),
    ],
  ])('is asked for again when %s', async (_, calls, answering) => {
    const { wechatPay, requests } = v2RefundDouble(({ fields }) => answering(fields));

    await expect(wechatPay.listRefunds(order, options)).rejects.toMatchObject({
      code: 'WECHAT_PAY_BUSY',
      retryable: true,
    });
    expect(requests).toHaveLength(calls);
  });

  const wechatFields = (count: number, fields: WireFields) =>
    wechatWith(count)({
      path: '/pay/refundquery',
      fields,
      isCertified: false,
      timeoutMs: 1,
      repeatable: true,
    }) as WireFields;

  test.each<[WireFields]>([
    [{ out_trade_no: 'order-0002' }],
    [{ transaction_id: '1' }],
    [{ total_fee: '1' }],
  ])('refuses the refunds of another order: %j', async (change) => {
    const { wechatPay } = v2RefundDouble(({ fields }) => ({
      ...wechatFields(1, fields),
      ...change,
    }));

    await expect(wechatPay.listRefunds(order, options)).rejects.toMatchObject({
      code: 'MALFORMED_MESSAGE',
      message: expect.stringContaining('another refund'),
    });
  });
});

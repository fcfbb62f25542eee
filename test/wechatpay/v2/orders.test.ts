import { describe, expect, test } from 'vitest';
import { WechatPayMalformedMessageError, WechatPayServiceError } from '../../../lib/errors.ts';
import type { WechatRequest } from '../../../lib/transport/transport.ts';
import { openWechatPayV2 } from '../../../lib/wechatpay/v2/index.ts';
import { type StoredRequest, storedRequestOf } from '../../../lib/order/stored-request.ts';
import {
  APPID,
  CREATED_AT,
  MCHID,
  OPENID,
  sampleOrder,
  samplePayment,
} from '../../support/sample-orders.ts';
import { said } from '../../support/said.ts';
import { merchantWith, secretVersions } from '../../support/secret-versions.ts';
import {
  notificationXml,
  paidFields,
  signed,
  signV2,
  without,
  type WireFields,
  xmlOf,
} from '../../support/v2-message.ts';
import { readIndependently } from '../../support/v2-reader.ts';
import { neverRuns } from '../../support/no-timer.ts';
import { noRefunds } from '../../support/no-refunds.ts';

const success: WireFields = {
  return_code: 'SUCCESS',
  return_msg: 'OK',
  appid: APPID,
  mch_id: MCHID,
  nonce_str: 'IITRi8Iabbblz1Jc',
  result_code: 'SUCCESS',
};
const refusal = (code: string, text = 'why') => ({
  ...success,
  result_code: 'FAIL',
  err_code: code,
  err_code_des: text,
});

/** WeChat Pay that answers each call with the same signed fields, and what it was asked. */
function openWith(fields: WireFields, signType: 'MD5' | 'HMAC-SHA256' = 'HMAC-SHA256') {
  const sent: WechatRequest[] = [];
  const wechatPay = openWechatPayV2({
    openCertifiedTransport: noRefunds,
    transport: async (request) => {
      sent.push(request);
      const body = Buffer.from(xmlOf(signed(fields, undefined, signType)));
      return { statusCode: 200, headers: {}, body };
    },
    merchant: secretVersions(merchantWith()),
    signType,
    nonce: () => 'n',
    nowMs: () => CREATED_AT * 1000,
    startTimer: neverRuns,
  });
  const asked = () => Object.fromEntries(readIndependently(sent[0]?.body ?? '') ?? []);
  return { wechatPay, sent, asked };
}

const fieldsOf = (request: StoredRequest) => storedRequestOf(request, 'v2').fields;

const order = { outTradeNo: 'order-0001', appid: APPID, mchid: MCHID };
const options = { timeoutMs: 3_000 };

const newOrder = {
  merchantKey: '',
  outTradeNo: 'order-0001',
  appid: APPID,
  mchid: MCHID,
  openid: OPENID,
  description: '拿铁 <大> & 曲奇',
  totalFen: 2800,
  clientIp: '203.0.113.9',
  createdAtEpochSeconds: CREATED_AT,
  expiresAtEpochSeconds: CREATED_AT + 1800,
  notifyBaseUrl: 'https://pay.example.com',
};

describe('the request that creates an order', () => {
  test('says all that a repeat must say again, in Beijing time', () => {
    const { wechatPay } = openWith(success);

    expect(
      Object.entries(fieldsOf(wechatPay.buildPrepayRequest({ ...newOrder, attach: 'table 5' }))),
    ).toEqual([
      ['appid', 'wx8888888888888888'],
      ['mch_id', '1900000109'],
      ['sign_type', 'HMAC-SHA256'],
      ['body', '拿铁 <大> & 曲奇'],
      ['attach', 'table 5'],
      ['out_trade_no', 'order-0001'],
      ['fee_type', 'CNY'],
      ['total_fee', '2800'],
      ['spbill_create_ip', '203.0.113.9'],
      ['time_start', '20260301100000'],
      ['time_expire', '20260301103000'],
      ['notify_url', 'https://pay.example.com/notify/v2/payment'],
      ['trade_type', 'JSAPI'],
      ['openid', 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o'],
    ]);
  });

  test('has no attach when there is none, and the algorithm of the deployment', () => {
    const { wechatPay } = openWith(success, 'MD5');

    const request = fieldsOf(wechatPay.buildPrepayRequest(newOrder));

    expect(request).not.toHaveProperty('attach');
    expect(request).toMatchObject({ sign_type: 'MD5' });
  });

  test('is of API version 2 and does no I/O', () => {
    const { wechatPay, sent } = openWith(success);

    expect(wechatPay.buildPrepayRequest(newOrder).apiVersion).toBe('v2');
    expect(sent).toEqual([]);
  });
});

describe('prepay', () => {
  const prepayRequest = openWith(success).wechatPay.buildPrepayRequest(newOrder);
  const stored = { ...newOrder, prepayRequest };

  test('sends the stored request, changed in nothing, and answers the prepay_id', async () => {
    const { wechatPay, sent, asked } = openWith({ ...success, prepay_id: 'wx01' });

    expect(await wechatPay.prepay(stored, options)).toEqual({ kind: 'placed', prepayId: 'wx01' });
    expect(sent[0]).toMatchObject({ method: 'POST', path: '/pay/unifiedorder', timeoutMs: 3_000 });
    expect(asked()).toEqual({
      ...fieldsOf(prepayRequest),
      nonce_str: 'n',
      sign: signV2({ ...fieldsOf(prepayRequest), nonce_str: 'n' }),
    });
  });

  test.each([
    ['ORDERPAID', 'already-paid'],
    ['ORDERCLOSED', 'closed'],
  ] as const)('of an order that WeChat knows as %s says so', async (code, kind) => {
    const { wechatPay } = openWith(refusal(code));

    expect(await wechatPay.prepay(stored, options)).toEqual({ kind });
  });

  test.each(['PARAM_ERROR', 'INVALID_REQUEST'])(
    'refused with %s for its time, which is nearly over, is too late',
    async (code) => {
      const { wechatPay } = openWith(
        refusal(code, 'time_expire时间过短，刷卡至少1分钟，其他5分钟'),
      );
      const ending = { ...stored, expiresAtEpochSeconds: CREATED_AT + 329 };

      expect(await wechatPay.prepay(ending, options)).toEqual({ kind: 'too-late' });
      await expect(wechatPay.prepay(stored, options)).rejects.toMatchObject({ wechatCode: code });
    },
  );

  test.each(['INVALID_REQUEST', 'OUT_TRADE_NO_USED', 'PARAM_ERROR', '__proto__', ''])(
    'that WeChat refuses with "%s" keeps its code and text',
    async (code) => {
      const { wechatPay } = openWith(refusal(code, '201 商户订单号重复'));

      await expect(wechatPay.prepay(stored, options)).rejects.toMatchObject({
        name: WechatPayServiceError.name,
        code: 'WECHAT_PAY_REFUSED',
        outcome: 'rejected',
        retryable: false,
        wechatCode: code,
        wechatText: '201 商户订单号重复',
      });
    },
  );

  test('refused without code and signature for its time, which is nearly over, is too late', async () => {
    const text = 'time_expire时间过短，刷卡至少1分钟，其他5分钟';
    const { wechatPay } = openWith({ return_code: 'FAIL', return_msg: text });
    const ending = { ...stored, expiresAtEpochSeconds: CREATED_AT + 329 };

    const inTime = { ...stored, expiresAtEpochSeconds: CREATED_AT + 330 };

    expect(await wechatPay.prepay(ending, options)).toEqual({ kind: 'too-late' });
    await expect(wechatPay.prepay(inTime, options)).rejects.toMatchObject({
      code: 'WECHAT_PAY_REFUSED',
      outcome: 'unknown',
      wechatText: text,
    });
  });

  test.each(['签名错误', '系统繁忙', 'words that nobody knows', ''])(
    'refused without code and signature for "%s" is not called too late, however near its end',
    async (text) => {
      const { wechatPay } = openWith({ return_code: 'FAIL', return_msg: text });
      const ending = { ...stored, expiresAtEpochSeconds: CREATED_AT + 61 };

      await expect(wechatPay.prepay(ending, options)).rejects.toMatchObject({ wechatText: text });
    },
  );

  test('without a prepay_id in the answer is not understood', async () => {
    await expect(openWith(success).wechatPay.prepay(stored, options)).rejects.toThrow(
      new WechatPayMalformedMessageError('the message has no prepay_id'),
    );
  });
});

test('an order of v2 needs the APIv2 key', async () => {
  const wechatPay = openWechatPayV2({
    openCertifiedTransport: noRefunds,
    transport: () => Promise.reject(new Error('nothing is sent')),
    merchant: secretVersions({ mchid: MCHID }),
    signType: 'MD5',
    nonce: () => 'n',
    nowMs: () => 0,
    startTimer: neverRuns,
  });
  const missing = 'the merchant secret has no apiV2Key';

  await expect(wechatPay.queryOrder(order, options)).rejects.toThrow(missing);
  await expect(wechatPay.buildRequestPayment(sampleOrder(), 'wx01')).rejects.toThrow(missing);
  const message = { headers: {}, body: Buffer.from(notificationXml()) };
  await expect(wechatPay.parseNotification(message)).rejects.toMatchObject({
    code: 'SIGNATURE_INVALID',
  });
});

describe('a query', () => {
  test('asks by number, with the merchant of the secret', async () => {
    const { wechatPay, sent, asked } = openWith({
      ...success,
      out_trade_no: 'order-0001',
      trade_state: 'NOTPAY',
    });
    await wechatPay.queryOrder(order, options);
    const fields = {
      appid: APPID,
      mch_id: MCHID,
      out_trade_no: 'order-0001',
      sign_type: 'HMAC-SHA256',
      nonce_str: 'n',
    };

    expect(sent[0]).toMatchObject({ path: '/pay/orderquery', timeoutMs: 3_000 });
    expect(asked()).toEqual({ ...fields, sign: signV2(fields) });
  });

  test.each([
    ['SUCCESS', false],
    ['REFUND', true],
  ])('answered with %s gives the payment', async (state, refunded) => {
    const { wechatPay } = openWith(paidFields({ trade_state: state, attach: '' }));

    expect(await wechatPay.queryOrder(order, options)).toEqual({
      kind: 'paid',
      refunded,
      payment: samplePayment(),
    });
  });

  test.each(['NOTPAY', 'USERPAYING', 'PAYERROR', 'ACCEPT', 'CLOSED', 'REVOKED'])(
    'answered with %s gives the state, whatever else is there',
    async (state) => {
      const { wechatPay } = openWith({
        ...success,
        out_trade_no: 'order-0001',
        trade_state: state,
        trade_state_desc: '订单未支付',
        total_fee: '2500',
        device_info: '',
      });

      expect(await wechatPay.queryOrder(order, options)).toEqual({
        kind: 'not-paid',
        tradeState: state,
      });
    },
  );

  test('of an order that WeChat does not know', async () => {
    const { wechatPay } = openWith(refusal('ORDERNOTEXIST', 'order not exist'));

    expect(await wechatPay.queryOrder(order, options)).toEqual({ kind: 'not-found' });
  });

  test('that WeChat refuses keeps its code and text', async () => {
    const { wechatPay } = openWith(refusal('PARAM_ERROR', '参数错误'));

    await expect(wechatPay.queryOrder(order, options)).rejects.toMatchObject({
      code: 'WECHAT_PAY_REFUSED',
      outcome: 'rejected',
      wechatCode: 'PARAM_ERROR',
      wechatText: '参数错误',
    });
  });

  test.each<[string, WireFields, string]>([
    [
      'about another order',
      paidFields({ trade_state: 'SUCCESS', out_trade_no: 'order-0002' }),
      'the answer is about another order',
    ],
    [
      'about no order',
      without(paidFields({ trade_state: 'SUCCESS' }), 'out_trade_no'),
      'the message has no out_trade_no',
    ],
    ['without a state', paidFields(), 'the message has no trade_state'],
    [
      'with a state of its own',
      paidFields({ trade_state: 'PAID' }),
      'the answer has an unknown trade_state',
    ],
    [
      'with a state in lower case',
      paidFields({ trade_state: 'success' }),
      'the answer has an unknown trade_state',
    ],
    [
      'paid without a transaction',
      without(paidFields({ trade_state: 'SUCCESS' }), 'transaction_id'),
      'the message has no transaction_id',
    ],
    [
      'paid without an amount',
      without(paidFields({ trade_state: 'SUCCESS' }), 'total_fee'),
      'the message has no total_fee',
    ],
  ])('answered %s is not understood', async (_, fields, reason) => {
    await expect(openWith(fields).wechatPay.queryOrder(order, options)).rejects.toThrow(
      new WechatPayMalformedMessageError(reason),
    );
  });
});

describe('a close', () => {
  test('asks by number', async () => {
    const { wechatPay, sent, asked } = openWith(success);

    expect(await wechatPay.closeOrder(order, options)).toBe('closed');
    expect(sent[0]).toMatchObject({ path: '/pay/closeorder', timeoutMs: 3_000 });
    expect(asked()).toMatchObject({ appid: APPID, mch_id: MCHID, out_trade_no: 'order-0001' });
  });

  test.each([
    ['ORDERPAID', 'already-paid'],
    ['ORDERCLOSED', 'closed'],
    ['ORDERNOTEXIST', 'not-found'],
    ['USERPAYING', 'paying'],
    ['TRADE_STATE_ERROR', 'not-yet'],
  ])('refused with %s ends as %s', async (code, result) => {
    expect(await openWith(refusal(code)).wechatPay.closeOrder(order, options)).toBe(result);
  });

  test('refused otherwise keeps WeChat’s code and text', async () => {
    await expect(
      openWith(refusal('INVALID_REQUEST', '订单生成后5分钟内不能关闭')).wechatPay.closeOrder(
        order,
        options,
      ),
    ).rejects.toMatchObject({
      code: 'WECHAT_PAY_REFUSED',
      outcome: 'rejected',
      wechatCode: 'INVALID_REQUEST',
    });
  });
});

describe('the operations of API version 2', () => {
  test('read notifications and sign for the phone', async () => {
    const { wechatPay } = openWith(success);

    const message = { headers: {}, body: Buffer.from(notificationXml()) };
    expect(await said(wechatPay.parseNotification(message))).toEqual({
      kind: 'payment',
      payment: samplePayment(),
    });
    expect(await wechatPay.buildRequestPayment(sampleOrder(), 'wx01')).toMatchObject({
      timeStamp: String(CREATED_AT),
      package: 'prepay_id=wx01',
    });
  });
});

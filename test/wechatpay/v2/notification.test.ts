import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WechatPayMalformedMessageError, WechatPaySignatureError } from '../../../lib/errors.ts';
import { acknowledge, parseNotification } from '../../../lib/wechatpay/v2/notification.ts';
import { CREATED_AT, samplePayment } from '../../support/sample-orders.ts';
import { said } from '../../support/said.ts';
import { merchantWith, secretVersions } from '../../support/secret-versions.ts';
import {
  API_V2_KEY,
  notificationXml,
  OTHER_KEY,
  paidFields,
  signed,
  without,
  type WireFields,
  xmlOf,
} from '../../support/v2-message.ts';

const vectors = JSON.parse(readFileSync(new URL('../../vectors/v2.json', import.meta.url), 'utf8'));

const read = async (
  xml: string,
  signType: 'MD5' | 'HMAC-SHA256' = 'HMAC-SHA256',
  merchant = secretVersions(merchantWith()),
) => {
  const message = { body: Buffer.from(xml) };
  const notification = await parseNotification({ merchant, signType }, message);
  if (notification.kind !== 'payment') {
    throw new Error('not a payment');
  }
  return notification.payment;
};

describe('a payment notification', () => {
  test('of a genuine payment gives the payment', async () => {
    expect(await read(notificationXml())).toEqual(samplePayment());
  });

  test('counts total_fee, what was ordered, not the cash that was paid beside a coupon', async () => {
    const vector = vectors.self_generated.find(
      ({ id }: { id: string }) => id === 'sg-coupon-notify',
    );

    const payment = await read(
      xmlOf({ ...vector.params, sign: vector.expected_sign }),
      'MD5',
      secretVersions(merchantWith(vector.key)),
    );

    expect(payment).toEqual({
      outTradeNo: 'T20240501000002',
      transactionId: '4200000000202405010000000002',
      appid: 'wx0123456789abcdef',
      mchid: '1900000109',
      openid: 'oTEST0000000000000000000000A',
      totalFen: 1000,
      currency: 'CNY',
      bankType: 'OTHERS',
      paidAtEpochSeconds: Date.parse('2024-05-01T10:06:00+08:00') / 1000,
    });
  });

  test.each(['sg-notify-with-sign_type', 'sg-notify-without-sign_type'])(
    'is taken under HMAC-SHA256: %s',
    async (id) => {
      const vector = vectors.self_generated.find((one: { id: string }) => one.id === id);

      const payment = await read(xmlOf({ ...vector.params, sign: vector.expected_sign }));

      expect(payment).toMatchObject({ outTradeNo: 'T20240501000001', totalFen: 1 });
    },
  );

  test('that WeChat really sent is taken', async () => {
    const vector = vectors.sign.find(({ id }: { id: string }) => id === 'linjunpop-pay-notify');
    const { mch_id: mchid } = vector.params;

    const payment = await read(
      vector.input_xml,
      'MD5',
      secretVersions(merchantWith(vector.key, mchid)),
    );

    expect(payment).toMatchObject({
      outTradeNo: vector.params.out_trade_no,
      totalFen: Number(vector.params.total_fee),
      mchid,
    });
  });

  test.each<[string, WireFields, object]>([
    ['without a currency as CNY', { fee_type: '' }, { currency: 'CNY' }],
    ['in another currency as such', { fee_type: 'HKD' }, { currency: 'HKD' }],
    ['without a bank', { bank_type: '' }, { bankType: undefined }],
    ['of zero fen', { total_fee: '0' }, { totalFen: 0 }],
    [
      "by the sub-merchant's mini-program and buyer, with the provider beside them",
      {
        sub_appid: 'wxsubmerchant0001',
        sub_mch_id: '1900000110',
        sub_openid: 'o-of-the-sub-merchant',
      },
      {
        appid: 'wxsubmerchant0001',
        spAppid: samplePayment().appid,
        subMchid: '1900000110',
        openid: 'o-of-the-sub-merchant',
      },
    ],
    ['with a time of its own', { time_end: '20260301100000' }, { paidAtEpochSeconds: CREATED_AT }],
  ])('is read %s', async (_, change, expected) => {
    expect(await read(notificationXml(change))).toMatchObject(expected);
  });

  test('is tried against every version of the keys', async () => {
    const merchant = secretVersions(merchantWith(OTHER_KEY), merchantWith(API_V2_KEY));

    expect(await read(notificationXml(), 'HMAC-SHA256', merchant)).toEqual(samplePayment());
    expect(merchant.offered()).toBe(2);
  });
});

describe('a payment notification is refused', () => {
  test('as a signature error when it is for another merchant', async () => {
    await expect(read(notificationXml({ mch_id: '1900000110' }))).rejects.toThrow(
      new WechatPaySignatureError('the notification is for another merchant (mch_id)'),
    );
  });

  test('when one version of the keys signed it and it names the merchant of the other', async () => {
    const merchant = secretVersions(
      merchantWith(OTHER_KEY, '1900000110'),
      merchantWith(API_V2_KEY, '1900000109'),
    );

    await expect(
      read(notificationXml({ mch_id: '1900000110' }), 'HMAC-SHA256', merchant),
    ).rejects.toThrow('the notification is for another merchant (mch_id)');
  });

  test.each([
    ['return_code', 'FAIL'],
    ['return_code', 'success'],
    ['return_code', ''],
    ['result_code', 'FAIL'],
    ['result_code', ''],
  ])('when %s is "%s"', async (name, value) => {
    await expect(read(notificationXml({ [name]: value }))).rejects.toThrow(
      new WechatPayMalformedMessageError('the notification does not report a success'),
    );
  });

  test.each([
    'out_trade_no',
    'transaction_id',
    'appid',
    'mch_id',
    'openid',
    'total_fee',
    'time_end',
  ])('when it has no %s', async (name) => {
    const missing = xmlOf(signed(without(paidFields(), name)));

    await expect(read(missing)).rejects.toThrow(
      new WechatPayMalformedMessageError(`the message has no ${name}`),
    );
    await expect(read(notificationXml({ [name]: '' }))).rejects.toThrow(
      new WechatPayMalformedMessageError(`the message has no ${name}`),
    );
  });

  test.each([
    '1e3',
    '0x10',
    ' 1',
    '1 ',
    '+1',
    '-1',
    '1.0',
    '1,000',
    '１',
    'NaN',
    'Infinity',
    '9007199254740993',
    '9'.repeat(400),
  ])('when its amount is "%s"', async (amount) => {
    await expect(read(notificationXml({ total_fee: amount }))).rejects.toThrow(
      new WechatPayMalformedMessageError('an amount is not a whole number of fen'),
    );
  });

  test('when it has no time', async () => {
    await expect(read(notificationXml({ time_end: '' }))).rejects.toThrow(
      new WechatPayMalformedMessageError('the message has no time_end'),
    );
  });

  test('for its signature before anything in it is looked at', async () => {
    const forged = notificationXml({ result_code: 'FAIL', total_fee: 'x' }, OTHER_KEY);

    await expect(read(forged)).rejects.toThrow(WechatPaySignatureError);
  });

  test('when its signature is that of wx.requestPayment, which the buyer knows', async () => {
    const pay = {
      appId: 'wx8888888888888888',
      timeStamp: '1772330400',
      nonceStr: 'n',
      package: 'prepay_id=p',
      signType: 'HMAC-SHA256',
    };

    await expect(read(xmlOf(signed(pay)))).rejects.toThrow(
      'the notification does not report a success',
    );
  });
});

describe('a genuine notification with bytes changed, moved, removed or added', () => {
  const original = Buffer.from(notificationXml({ attach: 'a&total_fee=1&b' }));
  const position = fc.nat({ max: original.length - 1 });
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 2 }),
    fc
      .constantFrom('<', '&', ']]>', '<![CDATA[', '</xml>', '<a/>', '<total_fee>', '</sign>', '0')
      .map((text) => Buffer.from(text)),
    fc.tuple(position, fc.nat({ max: 80 })).map(([at, size]) => original.subarray(at, at + size)),
  );

  test('is refused properly or says what it said before', async () => {
    const change = fc.tuple(position, fc.nat({ max: 40 }), piece);
    const before = { kind: 'payment', payment: await read(original.toString()) };

    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        let bytes: Uint8Array = original;
        for (const [at, removed, added] of changes) {
          bytes = Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + removed)]);
        }
        const outcome = await said(
          parseNotification(
            { merchant: secretVersions(merchantWith()), signType: 'HMAC-SHA256' },
            { body: bytes },
          ),
        ).catch((error: Error) => error.name);

        expect([
          'WechatPayMalformedMessageError',
          'WechatPaySignatureError',
          before,
        ]).toContainEqual(outcome);
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('the answer to a notification', () => {
  test('is the documented one when it was received', () => {
    const { expected_xml } = vectors.xml.find(({ id }: { id: string }) => id === 'ack-success');

    expect(acknowledge()).toEqual({
      statusCode: 200,
      contentType: 'text/xml; charset=utf-8',
      body: expected_xml,
    });
  });

  test('names the failure otherwise, so that WeChat repeats the message', () => {
    const { expected_xml } = vectors.xml.find(({ id }: { id: string }) => id === 'ack-fail');

    expect(acknowledge({ statusCode: 401, code: 'reason' })).toEqual({
      statusCode: 401,
      contentType: 'text/xml; charset=utf-8',
      body: expected_xml,
    });
  });
});

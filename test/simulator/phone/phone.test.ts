import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bench, type Fields, sign, startBench } from '../support.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(async () => bench.stop());

let orders = 0;
async function newPrepayId(changes?: Record<string, string>, signType?: string) {
  orders += 1;
  const answer = await bench.placeOrder(`phone-${orders}`, changes, signType);
  return { prepayId: answer['prepay_id'] ?? '', outTradeNo: `phone-${orders}` };
}

const press = async (body: Record<string, unknown>) =>
  bench.control('POST', '/request-payment', { user: 'alice', ...body });

/** Pays with a paySign over other fields than those that are passed. */
function paramsSignedOver(prepayId: string, change: (fields: Fields) => Fields, signType = 'MD5') {
  const { merchant } = bench;
  const fields = {
    appId: merchant.appid,
    timeStamp: '1714528800',
    nonceStr: 'nonce',
    package: `prepay_id=${prepayId}`,
    signType,
  };
  return { ...fields, paySign: sign(change(fields), merchant.apiV2Key, signType) };
}

describe('wx.requestPayment', () => {
  test('with the right parameters pays, and the answer is nothing but ok', async () => {
    const { prepayId, outTradeNo } = await newPrepayId();
    expect(await press(bench.paymentParameters(prepayId))).toEqual({
      status: 200,
      body: { errMsg: 'requestPayment:ok' },
    });
    expect((await bench.book(outTradeNo)).tradeState).toBe('SUCCESS');
  });

  test('without signType is signed over four fields with MD5', async () => {
    const { prepayId } = await newPrepayId({}, 'MD5');
    const { signType: _, ...parameters } = paramsSignedOver(
      prepayId,
      ({ signType: _signType, ...fields }) => fields,
    );
    expect((await press(parameters)).body).toEqual({ errMsg: 'requestPayment:ok' });
  });

  test('cancelled by the buyer leaves the order unpaid and payable', async () => {
    const { prepayId, outTradeNo } = await newPrepayId();
    const parameters = bench.paymentParameters(prepayId);
    expect((await press({ ...parameters, cancel: true })).body).toMatchObject({
      errMsg: 'requestPayment:fail cancel',
    });
    expect((await press({ cancel: true })).body['errMsg']).toBe('requestPayment:fail cancel');
    expect((await bench.book(outTradeNo)).tradeState).toBe('NOTPAY');
    expect((await press(parameters)).body['errMsg']).toBe('requestPayment:ok');
  });

  test('twice pays once: the second press fails and no second notification follows', async () => {
    const { prepayId, outTradeNo } = await newPrepayId();
    const parameters = bench.paymentParameters(prepayId);
    const results = await Promise.all(Array.from({ length: 5 }, async () => press(parameters)));
    const messages = results.map(({ body }) => body['errMsg'] as unknown as string);
    expect(messages.filter((text) => text === 'requestPayment:ok')).toHaveLength(1);
    expect(messages.filter((text) => text === 'requestPayment:fail 该订单已支付')).toHaveLength(4);
    expect((await bench.book(outTradeNo)).notifications).toHaveLength(1);
  });

  test.each([
    ['timeStamp', 1714528800, 'PARAMETER_TYPE', 'should be String instead of Number;'],
    ['nonceStr', undefined, 'PARAMETER_MISSING', 'should be String instead of Undefined;'],
    ['package', { constructor: null }, 'PARAMETER_TYPE', 'should be String instead of Object;'],
    ['package', 'wx123', 'PACKAGE_INVALID', 'JSAPI缺少参数total_fee'],
    ['package', 'prepay_id=', 'PACKAGE_INVALID', 'JSAPI缺少参数total_fee'],
    ['package', 'prepay_id=wx123', 'PREPAY_ID_UNKNOWN', '支付验证签名失败'],
    ['signType', 'SHA256', 'SIGN_TYPE_INVALID', '支付验证签名失败'],
    ['appId', 'wx0000000000000000', 'APPID_DIFFERS', '支付验证签名失败'],
  ])('with %s=%j fails: %s', async (name, value, reason, text) => {
    const { prepayId } = await newPrepayId();
    const { status, body } = await press({ ...bench.paymentParameters(prepayId), [name]: value });
    expect(status).toBe(200);
    expect(body).toMatchObject({ reason });
    expect(body['errMsg']).toMatch(new RegExp(`^requestPayment:fail .*${text}$`));
  });

  test('of somebody else fails and names both', async () => {
    const { prepayId } = await newPrepayId();
    expect(await bench.payByPhone(prepayId, 'mallory')).toMatchObject({
      errMsg: 'requestPayment:fail 下单账号与支付账号不一致，请核实后再支付',
      reason: 'PAYER_DIFFERS',
      message: 'this order is for alice, not for mallory',
    });
  });

  test('two hours after the prepay_id fails; ordering again helps', async () => {
    const { prepayId, outTradeNo } = await newPrepayId();
    await bench.control('POST', '/clock', { advanceSeconds: 7200 });
    expect(await bench.payByPhone(prepayId)).toMatchObject({ reason: 'PREPAY_ID_EXPIRED' });
    const { prepay_id: fresh = '' } = await bench.placeOrder(outTradeNo);
    expect(await bench.payByPhone(fresh)).toEqual({ errMsg: 'requestPayment:ok' });
  });

  test('of a closed order fails', async () => {
    const { prepayId, outTradeNo } = await newPrepayId();
    await bench.control('POST', '/clock', { advanceSeconds: 300 });
    await bench.call('/pay/closeorder', { out_trade_no: outTradeNo });
    expect(await bench.payByPhone(prepayId)).toMatchObject({
      errMsg: 'requestPayment:fail 该订单已关闭',
      reason: 'ORDER_CLOSED',
    });
  });

  test('without a user is a bad call of the control API', async () => {
    expect(await bench.control('POST', '/request-payment', { package: 'x' })).toMatchObject({
      status: 400,
      body: { error: { code: 'INVALID_FIELD' } },
    });
  });
});

describe('a wrong paySign is explained', () => {
  const causesOf = (body: Record<string, unknown>) =>
    (body['likelyCauses'] as { code: string }[]).map(({ code }) => code);

  test.each<[string, (fields: Fields) => Fields, string]>([
    [
      'signed with appid instead of appId',
      ({ appId = '', ...fields }) => ({ ...fields, appid: appId }),
      'APPID_SPELLED_LOWER',
    ],
    ['signed without appId', (fields) => ({ ...fields, appId: '' }), 'FIELD_NOT_SIGNED'],
    [
      'signed over the bare prepay_id',
      (fields) => ({ ...fields, package: fields['package']?.slice(10) ?? '' }),
      'PACKAGE_WITHOUT_PREFIX',
    ],
    [
      'signed over another signType',
      (fields) => ({ ...fields, signType: 'HMAC-SHA256' }),
      'SIGN_TYPE_SIGNED_DIFFERS',
    ],
    [
      'signed with the names of the APP product',
      (fields) => ({
        appid: fields['appId'] ?? '',
        timestamp: fields['timeStamp'] ?? '',
        noncestr: fields['nonceStr'] ?? '',
        package: fields['package'] ?? '',
        signType: fields['signType'] ?? '',
      }),
      'NAMES_CHANGED',
    ],
    ['over another time', (fields) => ({ ...fields, timeStamp: '1' }), 'OTHER_KEY_OR_VALUES'],
  ])('%s', async (_, change, code) => {
    const { prepayId, outTradeNo } = await newPrepayId({}, 'MD5');
    const { body } = await press(paramsSignedOver(prepayId, change));
    expect(body).toMatchObject({
      errMsg: 'requestPayment:fail 支付验证签名失败',
      reason: 'SIGNATURE_INVALID',
    });
    expect(causesOf(body)).toEqual([code]);
    expect((await bench.book(outTradeNo)).tradeState).toBe('NOTPAY');
  });

  test('made with another algorithm than the order', async () => {
    const { prepayId } = await newPrepayId({}, 'HMAC-SHA256');
    const parameters = paramsSignedOver(prepayId, (fields) => fields, 'MD5');
    expect((await press(parameters)).body).toMatchObject({
      errMsg: 'requestPayment:fail 支付验证签名失败',
      reason: 'SIGN_TYPE_DIFFERS',
      message: 'signType is MD5, but the order was placed with HMAC-SHA256',
    });
  });

  test('in lower case', async () => {
    const { prepayId } = await newPrepayId();
    const parameters = bench.paymentParameters(prepayId);
    const paySign = parameters['paySign']?.toLowerCase();
    expect(causesOf((await press({ ...parameters, paySign })).body)).toEqual(['LOWER_CASE']);
  });
});

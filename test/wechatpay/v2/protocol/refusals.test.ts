import { describe, expect, test } from 'vitest';
import { openWechatPayV2 } from '../../../../lib/wechatpay/v2/index.ts';
import { meaningOfText } from '../../../../lib/wechatpay/v2/protocol/refusals.ts';
import { noRefunds } from '../../../support/no-refunds.ts';
import { neverRuns } from '../../../support/no-timer.ts';
import { APPID, CREATED_AT, MCHID, sampleOrder } from '../../../support/sample-orders.ts';
import { merchantWith, secretVersions } from '../../../support/secret-versions.ts';
import { OTHER_KEY, signed, type WireFields, xmlOf } from '../../../support/v2-message.ts';

const order = { outTradeNo: 'order-0001', appid: APPID, mchid: MCHID };
const options = { timeoutMs: 3_000 };

/** The operations, each of which is answered this, and how many requests they sent. */
function answering(xml: string) {
  let requests = 0;
  const wechatPay = openWechatPayV2({
    openCertifiedTransport: noRefunds,
    transport: async () => {
      requests += 1;
      return { statusCode: 200, headers: {}, body: Buffer.from(xml) };
    },
    merchant: secretVersions(merchantWith()),
    signType: 'HMAC-SHA256',
    nonce: () => 'n',
    nowMs: () => CREATED_AT * 1000,
    startTimer: neverRuns,
  });
  const operations = {
    prepay: () => wechatPay.prepay(sampleOrder(), options),
    query: () => wechatPay.queryOrder(order, options),
    close: () => wechatPay.closeOrder(order, options),
  };
  return { operations, requests: () => requests };
}

const refusal = (changes: WireFields): WireFields => ({
  return_code: 'SUCCESS',
  appid: APPID,
  mch_id: MCHID,
  result_code: 'FAIL',
  ...changes,
});

const signedRefusal = (code: string) => xmlOf(signed(refusal({ err_code: code })));
const unsignedRefusal = (text: string) => xmlOf({ return_code: 'FAIL', return_msg: text });

const CALLS = ['prepay', 'query', 'close'] as const;

describe.each(CALLS)('a refusal of %s', (name) => {
  test.each([
    ['SIGNERROR', 'merchant', 'apiV2Key', 'APIv2密钥'],
    ['NOAUTH', 'merchant', 'mchid', 'JSAPI支付'],
    ['APPID_NOT_EXIST', 'mini-program', 'appid', 'AppID'],
    ['MCHID_NOT_EXIST', 'merchant', 'mchid', '商户信息'],
    ['APPID_MCHID_NOT_MATCH', 'mini-program, merchant', 'appid, mchid', 'AppID账号管理'],
  ])('with %s is the owner’s to mend, and one call', async (code, secret, field, page) => {
    const { operations, requests } = answering(signedRefusal(code));

    await expect(operations[name]()).rejects.toMatchObject({
      code: 'CONFIG_ERROR',
      retryable: false,
      outcome: 'rejected',
      wechatCode: code,
      parameters: { secret, field, consolePage: expect.stringContaining(page) },
    });
    expect(requests()).toBe(1);
  });

  test.each([
    'SYSTEMERROR',
    'BIZERR_NEED_RETRY',
    'BANKERROR',
    'BANK_ERROR',
    'FREQUENCY_LIMITED',
    'RATELIMIT_EXCEEDED',
    'INVALID_REQ_TOO_MUCH',
  ])('with %s may be repeated', async (code) => {
    await expect(answering(signedRefusal(code)).operations[name]()).rejects.toMatchObject({
      code: 'WECHAT_PAY_BUSY',
      retryable: true,
      outcome: 'unknown',
      wechatCode: code,
    });
  });

  test.each([
    'INVALID_REQUEST',
    'PARAM_ERROR',
    'LACK_PARAMS',
    'OUT_TRADE_NO_USED',
    'XML_FORMAT_ERROR',
    'REQUIRE_POST_METHOD',
    'POST_DATA_EMPTY',
    'NOT_UTF8',
    'A_NEW_CODE',
  ])('with %s is lasting', async (code) => {
    await expect(answering(signedRefusal(code)).operations[name]()).rejects.toMatchObject({
      code: 'WECHAT_PAY_REFUSED',
      retryable: false,
      outcome: 'rejected',
      wechatCode: code,
    });
  });

  test.each([
    ['签名错误', 'apiV2Key'],
    ['签名错误，请检查后再试', 'apiV2Key'],
    ['sign error', 'apiV2Key'],
    ['SIGN ERROR', 'apiV2Key'],
    ['invalid sign', 'apiV2Key'],
    ['appid不存在', 'appid'],
    ['invalid appid', 'appid'],
    ['appid and mch_id not match', 'appid, mchid'],
    ['appid和mch_id不匹配', 'appid, mchid'],
    ['商户号mch_id与appid不匹配', 'appid, mchid'],
    ['appid未绑定', 'appid, mchid'],
    ['appid and openid not match', 'appid, spAppid'],
    ['mch_id不存在', 'mchid'],
    ['商户号不存在', 'mchid'],
    ['mch_id参数格式错误', 'mchid'],
    ['受理机构必须传入sub_mch_id', 'subMchid'],
    ['缺少参数sub_mch_id', 'subMchid'],
    ['sub_mch_id与sub_appid不匹配', 'subMchid'],
    ['特约子商户商户号未授权服务商的产品权限', 'subMchid'],
    ['商户号该产品权限未开通，请前往商户平台>产品中心检查后重试', 'mchid'],
    ['此商家的收款功能已被限制，暂无法支付', 'mchid'],
    ['商户号mch_id或sub_mch_id不存在', 'mchid'],
    ['该商户收款额度超限', 'mchid'],
    ['无效的openid', 'appid, spAppid'],
    ['异常IP请求', 'mchid'],
    ['此IP地址不允许调用该接口', 'mchid'],
  ])('without a code, for "%s", names what the owner must mend: %s', async (text, field) => {
    const { operations, requests } = answering(unsignedRefusal(text));

    await expect(operations[name]()).rejects.toMatchObject({
      code: 'CONFIG_ERROR',
      retryable: false,
      outcome: 'unknown',
      wechatCode: '',
      wechatText: text,
      parameters: { field, consolePage: expect.stringContaining(' → ') },
    });
    expect(requests()).toBe(1);
  });

  test.each([
    '系统繁忙',
    '系统繁忙，请稍后再试',
    '系统错误',
    'System Error',
    'system busy',
    '频率限制',
    '频率超限',
    '请求过于频繁',
    'frequency limited',
    // Nobody signed what they say of the order.
    '商户订单号已关闭',
    '商户订单号不存在',
    '该交易已关闭',
    '该订单已支付',
    'order not exist',
    'some words that nobody knows',
    '',
  ])('without a code, for "%s", may be repeated', async (text) => {
    await expect(answering(unsignedRefusal(text)).operations[name]()).rejects.toMatchObject({
      code: 'WECHAT_PAY_BUSY',
      retryable: true,
      outcome: 'unknown',
      wechatText: text,
    });
  });

  test.each([
    'XML格式错误',
    '缺少参数openid',
    'JSAPI支付必须传openid',
    'total_fee参数格式错误',
    'total_fee is required',
    '201 商户订单号重复',
    '商户订单号有误',
    'lack of params',
  ])('without a code, for "%s", is lasting, and proves nothing', async (text) => {
    await expect(answering(unsignedRefusal(text)).operations[name]()).rejects.toMatchObject({
      code: 'WECHAT_PAY_REFUSED',
      retryable: false,
      outcome: 'unknown',
      wechatText: text,
    });
  });

  test.each(['ORDERPAID', 'ORDERCLOSED', 'ORDERNOTEXIST'])(
    'with %s that WeChat did not sign is not believed about the order',
    async (code) => {
      const fail = xmlOf({ return_code: 'FAIL', err_code: code, err_code_des: code });
      await expect(answering(fail).operations[name]()).rejects.toMatchObject({
        outcome: 'unknown',
        retryable: true,
      });
      await expect(
        answering(xmlOf(refusal({ err_code: code }))).operations[name](),
      ).rejects.toMatchObject({ code: 'SIGNATURE_INVALID', outcome: 'unknown' });
    },
  );

  test.each([
    ['is not signed', xmlOf(refusal({ err_code: 'SIGNERROR', err_code_des: '签名错误' }))],
    [
      'is signed with the key that we lack',
      xmlOf(signed(refusal({ err_code: 'SIGNERROR', err_code_des: '签名错误' }), OTHER_KEY)),
    ],
  ])('of our signature that %s reads as itself', async (_, xml) => {
    await expect(answering(xml).operations[name]()).rejects.toMatchObject({
      code: 'CONFIG_ERROR',
      outcome: 'unknown',
      message:
        'WeChat refuses our signature: apiV2Key is not the APIv2 key of this merchant (WeChat Pay answered SIGNERROR: 签名错误)',
    });
  });

  test.each([
    { err_code_des: '' },
    {},
    { err_code_des: '很长'.repeat(3_000) },
    { err_code_des: 'two\nlines\tand 签名错误' },
  ])('is what its code says, whatever its text is', async (text) => {
    const xml = xmlOf(signed(refusal({ err_code: 'PARAM_ERROR', ...text })));

    const result = answering(xml).operations[name]();
    await expect(result).rejects.toMatchObject({
      code: 'WECHAT_PAY_REFUSED',
      wechatCode: 'PARAM_ERROR',
      wechatText: expect.stringMatching(/^[^\n]{0,301}$/),
    });
  });

  test('of the older kind, with retmsg, is read', async () => {
    const xml = xmlOf({ retcode: '1', retmsg: '签名错误' });

    await expect(answering(xml).operations[name]()).rejects.toMatchObject({ code: 'CONFIG_ERROR' });
  });
});

test('a long text is recognised by what it names first, in upper and lower case', () => {
  expect(meaningOfText('APPID NOT EXIST')).toBe(meaningOfText('appid不存在'));
  expect(meaningOfText('频率限制，1个月之前的订单申请退款请降低频率再重试。')).toEqual({
    remedy: 'later',
  });
});

test.each(['NOTENOUGH', 'ACCOUNTERROR', 'USER_ACCOUNT_ABNORMAL'])(
  'prepay refused with %s is of the buyer’s account',
  async (code) => {
    expect(await answering(signedRefusal(code)).operations.prepay()).toEqual({
      kind: 'buyer-refused',
      reason: expect.stringContaining(code),
    });
    await expect(answering(signedRefusal(code)).operations.query()).rejects.toMatchObject({
      code: 'WECHAT_PAY_REFUSED',
    });
  },
);

test.each(['用户帐号余额不足', '用户账号异常', '用户当日支付金额超限', '余额不足'])(
  'prepay refused without a code, for "%s", is of the buyer’s account',
  async (text) => {
    expect(await answering(unsignedRefusal(text)).operations.prepay()).toEqual({
      kind: 'buyer-refused',
      reason: expect.stringContaining(text),
    });
  },
);

test('prepay of an order that the buyer is paying may be repeated', async () => {
  await expect(answering(signedRefusal('USERPAYING')).operations.prepay()).rejects.toMatchObject({
    code: 'WECHAT_PAY_BUSY',
    wechatCode: 'USERPAYING',
  });
});

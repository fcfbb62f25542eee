/** What can go wrong with a refund and its query, on request and by price. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Bench, type Fields, sign, startBench } from '../support.ts';
import { callV3, isSignedBy } from '../v3-support.ts';

let bench: Bench;
beforeEach(async () => {
  bench = await startBench();
});
afterEach(async () => bench.stop());

const fault = async (body: object) => bench.control('POST', '/faults', { times: 1, ...body });
async function pay(outTradeNo: string, totalFen = 2800): Promise<void> {
  await bench.placeOrder(outTradeNo, { total_fee: String(totalFen) });
  await bench.control('POST', `/orders/${outTradeNo}/pay`);
}
const refundV2 = async (outTradeNo: string, totalFen = 2800) =>
  bench.call('/secapi/pay/refund', {
    out_trade_no: outTradeNo,
    out_refund_no: `${outTradeNo}-R1`,
    total_fee: String(totalFen),
    refund_fee: '800',
  });
const refundV3 = async (outTradeNo: string, totalFen = 2800) =>
  callV3(bench, 'POST', '/v3/refund/domestic/refunds', {
    out_trade_no: outTradeNo,
    out_refund_no: `${outTradeNo}-R1`,
    amount: { refund: 800, total: totalFen, currency: 'CNY' },
  });
const queryV2 = async (outTradeNo: string) =>
  bench.call('/pay/refundquery', { out_refund_no: `${outTradeNo}-R1` });
const queryV3 = async (outTradeNo: string) =>
  callV3(bench, 'GET', `/v3/refund/domestic/refunds/${outTradeNo}-R1`);
const countRefunds = async (outTradeNo: string) =>
  ((await bench.control('GET', `/orders/${outTradeNo}`)).body['refunds'] as unknown as unknown[])
    .length;
const isSignedRight = (fields: Fields) =>
  fields['sign'] === sign(fields, bench.merchant.apiV2Key, 'HMAC-SHA256');

/** Whatever comes, or that nothing came within 300 ms. */
const within = async (answer: Promise<unknown>): Promise<string> =>
  Promise.race([
    answer.then(
      () => 'answered',
      () => 'failed',
    ),
    new Promise<string>((resolve) => {
      setTimeout(() => resolve('silence'), 300);
    }),
  ]);

describe.each(['v2', 'v3'])('a refund of %s', (version) => {
  const refund = async (outTradeNo: string): Promise<unknown> =>
    version === 'v2' ? refundV2(outTradeNo) : refundV3(outTradeNo);

  test.each([
    ['timeout-before', 'silence', 0],
    ['timeout-after', 'silence', 1],
    ['drop', 'failed', 0],
    ['cut', 'failed', 1],
    ['late', 'silence', 1],
  ])('with %s: %s, and %i refunds are in the book', async (kind, outcome, count) => {
    await pay('lossy-1');
    await fault({ point: 'refund', kind });
    expect(await within(refund('lossy-1'))).toBe(outcome);
    expect(await countRefunds('lossy-1')).toBe(count);
    await refund('lossy-1');
    expect(await countRefunds('lossy-1')).toBe(1);
  });
});

describe.each<[string, string, string, number, string]>([
  ['SYSTEMERROR', 'SYSTEMERROR', '系统错误', 500, 'SYSTEM_ERROR'],
  ['SYSTEM_ERROR', 'SYSTEMERROR', '系统错误', 500, 'SYSTEM_ERROR'],
  ['BIZERR_NEED_RETRY', 'BIZERR_NEED_RETRY', '退款业务流程错误', 500, 'SYSTEM_ERROR'],
  ['NOTENOUGH', 'NOTENOUGH', '基本账户余额不足', 403, 'NOT_ENOUGH'],
  ['NOT_ENOUGH', 'NOTENOUGH', '基本账户余额不足', 403, 'NOT_ENOUGH'],
  ['USER_ACCOUNT_ABNORMAL', 'USER_ACCOUNT_ABNORMAL', '退款请求失败', 403, 'USER_ACCOUNT_ABNORMAL'],
  ['TRADE_OVERDUE', 'TRADE_OVERDUE', '订单已经超过退款期限', 400, 'INVALID_REQUEST'],
  ['ERROR', 'ERROR', '业务错误', 400, 'INVALID_REQUEST'],
  ['INVALID_REQ_TOO_MUCH', 'INVALID_REQ_TOO_MUCH', '无效请求过多', 429, 'FREQUENCY_LIMITED'],
  ['FREQUENCY_LIMITED', 'FREQUENCY_LIMITED', '频率限制', 429, 'FREQUENCY_LIMITED'],
  ['INVALID_TRANSACTIONID', 'INVALID_TRANSACTIONID', '无效transaction_id', 400, 'PARAM_ERROR'],
  ['PARAM_ERROR', 'PARAM_ERROR', '参数错误', 400, 'PARAM_ERROR'],
  ['INVALID_REQUEST', 'INVALID_REQUEST', '参数错误', 400, 'INVALID_REQUEST'],
  ['ORDERNOTEXIST', 'ORDERNOTEXIST', '订单不存在', 404, 'RESOURCE_NOT_EXISTS'],
  ['RESOURCE_NOT_EXISTS', 'ORDERNOTEXIST', '订单不存在', 404, 'RESOURCE_NOT_EXISTS'],
  ['REFUND_FEE_MISMATCH', 'REFUND_FEE_MISMATCH', '与之前请求不一致', 400, 'INVALID_REQUEST'],
  ['ORDER_NOT_READY', 'ORDER_NOT_READY', '订单处理中', 400, 'INVALID_REQUEST'],
  ['CERT_ERROR', 'CERT_ERROR', '证书校验错误', 401, 'SIGN_ERROR'],
  ['NOAUTH', 'NOAUTH', '商户无此接口权限', 403, 'NO_AUTH'],
  ['NO_AUTH', 'NOAUTH', '商户无此接口权限', 403, 'NO_AUTH'],
  ['RULE_LIMIT', 'ERROR', '业务错误', 403, 'RULE_LIMIT'],
  ['TRADE_ERROR', 'ERROR', '业务错误', 403, 'TRADE_ERROR'],
])('the error %s at refund', (code, codeV2, textV2, status, codeV3) => {
  test(`is ${codeV2} in v2 and ${status} ${codeV3} in v3, without effect`, async () => {
    await pay('error-1');
    await bench.control('POST', '/faults', { point: 'refund', kind: 'error', code });
    const answer = await refundV2('error-1');
    expect(answer['err_code']).toBe(codeV2);
    expect(answer['err_code_des']).toContain(textV2);
    expect(isSignedRight(answer)).toBe(true);
    const { status: found, json } = await refundV3('error-1');
    expect([found, json['code']]).toEqual([status, codeV3]);
    expect(await countRefunds('error-1')).toBe(0);
  });
});

describe('an error that comes without err_code in v2', () => {
  test.each([
    ['MCHID_NOT_EXIST', 'MCHID不存在', 404, 'MCH_NOT_EXISTS'],
    ['MCH_NOT_EXISTS', 'MCHID不存在', 404, 'MCH_NOT_EXISTS'],
    ['SIGNERROR', '签名错误', 401, 'SIGN_ERROR'],
    ['XML_FORMAT_ERROR', 'XML格式错误', 400, 'PARAM_ERROR'],
  ])('%s', async (code, text, status, codeV3) => {
    await pay('gateway-1');
    await bench.control('POST', '/faults', { point: 'refund', kind: 'error', code });
    expect(await refundV2('gateway-1')).toEqual({ return_code: 'FAIL', return_msg: text });
    const refused = await refundV3('gateway-1');
    expect([refused.status, refused.json['code']]).toEqual([status, codeV3]);
  });
});

describe('a query of a refund', () => {
  test.each([
    ['RESOURCE_NOT_EXISTS', 'REFUNDNOTEXIST', 404],
    ['REFUNDNOTEXIST', 'REFUNDNOTEXIST', 404],
    ['SYSTEMERROR', 'SYSTEMERROR', 500],
    ['FREQUENCY_LIMITED', 'FREQUENCY_LIMITED', 429],
  ])('may fail with %s', async (code, codeV2, status) => {
    await pay('asked');
    await refundV2('asked');
    await bench.control('POST', '/faults', { point: 'refundquery', kind: 'error', code });
    expect((await queryV2('asked'))['err_code']).toBe(codeV2);
    expect((await queryV3('asked')).status).toBe(status);
  });

  test('may be forged: altered after signing, or signed over one fen more', async () => {
    await pay('forged');
    await refundV2('forged');
    await fault({ point: 'refundquery', kind: 'tamper' });
    const tampered = await queryV2('forged');
    expect([tampered['refund_status_0'], isSignedRight(tampered)]).toEqual(['SUCCESS', false]);
    await fault({ point: 'refundquery', kind: 'wrong-amount' });
    const wrong = await queryV2('forged');
    expect([wrong['refund_fee_0'], isSignedRight(wrong)]).toEqual(['801', true]);
    await fault({ point: 'refundquery', kind: 'wrong-merchant' });
    const stranger = await queryV2('forged');
    expect(stranger['mch_id']).not.toBe(bench.merchant.mchid);
    await fault({ point: 'refundquery', kind: 'tamper' });
    const { json, text, headers } = await queryV3('forged');
    expect(json['status']).toBe('SUCCESS');
    expect(isSignedBy(bench.merchant.wechatpayPublicKey, headers, text)).toBe(false);
    await fault({ point: 'refundquery', kind: 'wrong-amount' });
    expect((await queryV3('forged')).json).toMatchObject({ amount: { refund: 801, total: 2801 } });
    await fault({ point: 'refundquery', kind: 'probe' });
    expect((await queryV3('forged')).headers.get('wechatpay-signature')).toMatch(
      /^WECHATPAY\/SIGNTEST\//,
    );
  });

  test('may be a page of HTML', async () => {
    await pay('page');
    await refundV2('page');
    await fault({ point: 'refundquery', kind: 'html', status: 503 });
    await expect(queryV3('page')).rejects.toThrow(SyntaxError);
  });
});

describe('by price', () => {
  const fenOf = (number: number) => 7_700_000 + number;

  test.each([
    [51, 'NOTENOUGH', 403],
    [52, 'SYSTEMERROR', 500],
    [53, 'USER_ACCOUNT_ABNORMAL', 403],
  ])('¥77,000.%i is %s', async (number, code, status) => {
    await pay('priced-1', fenOf(number));
    expect((await refundV2('priced-1', fenOf(number)))['err_code']).toBe(code);
    expect((await refundV3('priced-1', fenOf(number))).status).toBe(status);
  });

  test('¥77,000.54 gives no answer, and the refund is accepted', async () => {
    await pay('mute', fenOf(54));
    expect(await within(refundV2('mute', fenOf(54)))).toBe('silence');
    expect(await countRefunds('mute')).toBe(1);
  });

  test.each([
    [55, 'CHANGE', 'ABNORMAL'],
    [56, 'REFUNDCLOSE', 'CLOSED'],
  ])('¥77,000.%i ends as %s', async (number, statusV2, statusV3) => {
    await pay('ends-1', fenOf(number));
    expect((await refundV3('ends-1', fenOf(number))).json).toMatchObject({ status: 'PROCESSING' });
    await bench.control('POST', '/clock', { advanceSeconds: 3 });
    expect((await queryV2('ends-1'))['refund_status_0']).toBe(statusV2);
    expect((await queryV3('ends-1')).json).toMatchObject({ status: statusV3 });
  });

  test('¥77,000.57 cannot be asked about', async () => {
    await pay('unasked', fenOf(57));
    expect((await refundV2('unasked', fenOf(57)))['result_code']).toBe('SUCCESS');
    expect((await queryV2('unasked'))['err_code']).toBe('SYSTEMERROR');
  });
});

test('a notification of a refund meets the faults of notifications', async () => {
  await pay('noticed');
  await bench.waitForAttempts('noticed', 1);
  await fault({ point: 'notify', kind: 'tamper', part: 'tag' });
  const url = `${new URL(bench.shop.notifyUrl).origin}/refunds`;
  await callV3(bench, 'POST', '/v3/refund/domestic/refunds', {
    out_trade_no: 'noticed',
    out_refund_no: 'noticed-R1',
    amount: { refund: 1, total: 2800, currency: 'CNY' },
    notify_url: url,
  });
  await bench.control('POST', '/refunds/noticed-R1', { status: 'SUCCESS' });
  const { notifications } = await bench.waitForAttempts('noticed', 2);
  expect(notifications.at(-1)?.attempts).toMatchObject([{ fault: 'tamper' }]);
});

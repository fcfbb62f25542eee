/** `/v3/refund/domestic/refunds`: rules, codes and texts. */
import { constants, publicEncrypt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bench, startBench } from '../support.ts';
import { callV3, type Json, placeV3 } from '../v3-support.ts';

const REFUNDS = '/v3/refund/domestic/refunds';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(async () => bench.stop());

let orders = 0;
/** A paid order of 2800 fen. */
async function payNew(): Promise<string> {
  orders += 1;
  const outTradeNo = `v3-refunded-${orders}`;
  await placeV3(bench, outTradeNo, {}, { timestamp: await timestamp() });
  await bench.control('POST', `/orders/${outTradeNo}/pay`);
  return outTradeNo;
}

/** In seconds of WeChat's clock, which the tests move. */
async function timestamp(): Promise<string> {
  const { now } = (await bench.control('GET', '/clock')).body;
  return Math.floor(Date.parse(String(now)) / 1000).toString();
}
const bodyOf = (outTradeNo: string, changes: Json = {}) => {
  const body = {
    out_trade_no: outTradeNo,
    out_refund_no: `${outTradeNo}-R1`,
    amount: { refund: 2800, total: 2800, currency: 'CNY' },
    ...changes,
  };
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
};
const refund = async (outTradeNo: string, changes: Json = {}) =>
  callV3(bench, 'POST', REFUNDS, bodyOf(outTradeNo, changes), { timestamp: await timestamp() });
const query = async (outRefundNo: string) =>
  callV3(bench, 'GET', `${REFUNDS}/${outRefundNo}`, undefined, { timestamp: await timestamp() });
const amount = (fen: number, total = 2800) => ({
  amount: { refund: fen, total, currency: 'CNY' },
});
const advance = async (advanceSeconds: number) =>
  bench.control('POST', '/clock', { advanceSeconds });
const end = async (outRefundNo: string, status: string) =>
  bench.control('POST', `/refunds/${outRefundNo}`, { status });

describe('a refund', () => {
  test('is accepted as PROCESSING with the documented fields', async () => {
    const outTradeNo = await payNew();
    const { status, json } = await refund(outTradeNo, { ...amount(800), reason: '商品已售完' });
    expect(status).toBe(200);
    expect(json).toEqual({
      amount: {
        currency: 'CNY',
        discount_refund: 0,
        from: [],
        payer_refund: 800,
        payer_total: 2800,
        refund: 800,
        refund_fee: 0,
        settlement_refund: 800,
        settlement_total: 2800,
        total: 2800,
      },
      channel: 'ORIGINAL',
      create_time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00$/) as string,
      funds_account: 'UNSETTLED',
      out_refund_no: `${outTradeNo}-R1`,
      out_trade_no: outTradeNo,
      promotion_detail: [],
      refund_id: expect.stringMatching(/^503\d{23}$/) as string,
      status: 'PROCESSING',
      transaction_id: (await bench.book(outTradeNo)).transactionId,
      user_received_account: '支付用户零钱',
    });
    expect(await bench.book(outTradeNo)).toMatchObject({ tradeState: 'REFUND' });
  });

  test('is SUCCESS after three seconds, with success_time', async () => {
    const outTradeNo = await payNew();
    await refund(outTradeNo);
    expect((await query(`${outTradeNo}-R1`)).json).toMatchObject({ status: 'PROCESSING' });
    await advance(3);
    expect((await query(`${outTradeNo}-R1`)).json).toMatchObject({
      status: 'SUCCESS',
      success_time: expect.stringMatching(/\+08:00$/) as string,
    });
  });

  test('under the same number happens once, with other parameters not at all', async () => {
    const outTradeNo = await payNew();
    const [first, second] = await Promise.all([refund(outTradeNo), refund(outTradeNo)]);
    expect(second.json['refund_id']).toBe(first.json['refund_id']);
    const { status, json } = await refund(outTradeNo, { reason: '别的原因' });
    expect([status, json]).toEqual([
      400,
      { code: 'INVALID_REQUEST', message: '订单金额或退款金额与之前请求不一致，请核实后再试' },
    ]);
    expect((await bench.control('GET', `/orders/${outTradeNo}`)).body['refunds']).toHaveLength(1);
  });

  test.each<[string, Json, number, string, string]>([
    ['a wrong total', amount(1, 2801), 400, 'INVALID_REQUEST', '与之前请求不一致'],
    ['more than the total', amount(2801), 400, 'PARAM_ERROR', '退款金额大于原订单金额'],
    ['an unknown field', { note: 'x' }, 400, 'PARAM_ERROR', '未在API文档中定义'],
    ['a field of v2', { refund_fee: 1 }, 400, 'PARAM_ERROR', '未在API文档中定义'],
    ['an emoji', { reason: '不好吃😀' }, 400, 'PARAM_ERROR', '4字节'],
    ['a long reason', { reason: '退'.repeat(81) }, 400, 'PARAM_ERROR', '字符数 81'],
    ['a null', { reason: null }, 400, 'PARAM_ERROR', '合法的字符串'],
    ['no number', { out_refund_no: undefined }, 400, 'PARAM_ERROR', '必填'],
    ['a number with a blank', { out_refund_no: 'a b' }, 400, 'PARAM_ERROR', '格式'],
    ['no order', { out_trade_no: undefined }, 400, 'PARAM_ERROR', '二选一'],
    ['a short notify_url', { notify_url: 'http://' }, 400, 'PARAM_ERROR', '字符数 7'],
    ['a made-up account', { funds_account: 'X' }, 400, 'PARAM_ERROR', '格式'],
    [
      'a text as amount',
      { amount: { ...amount(1).amount, refund: '1' } },
      400,
      'PARAM_ERROR',
      '整数',
    ],
    ['no currency', { amount: { refund: 1, total: 2800 } }, 400, 'PARAM_ERROR', '必填'],
    [
      'sources of another sum',
      { amount: { ...amount(10).amount, from: [{ account: 'AVAILABLE', amount: 9 }] } },
      400,
      'PARAM_ERROR',
      '出资金额之和',
    ],
    [
      'goods without a price',
      { goods_detail: [{ merchant_goods_id: '1' }] },
      400,
      'PARAM_ERROR',
      '必填',
    ],
    ['a sub-merchant', { sub_mchid: '1900000001' }, 400, 'PARAM_ERROR', '未在API文档中定义'],
    ['an unknown order', { out_trade_no: 'unknown' }, 404, 'RESOURCE_NOT_EXISTS', '订单不存在'],
    ['an unknown payment', { transaction_id: '42' }, 404, 'RESOURCE_NOT_EXISTS', '订单不存在'],
  ])('with %s is refused', async (_, changes, status, code, text) => {
    const refused = await refund(await payNew(), changes);
    expect([refused.status, refused.json['code']]).toEqual([status, code]);
    expect(refused.json['message']).toContain(text);
  });

  test('takes goods, a reason, sources and an address', async () => {
    const goods = { merchant_goods_id: '1', unit_price: 5, refund_amount: 5, refund_quantity: 1 };
    const { status } = await refund(await payNew(), {
      amount: { ...amount(10).amount, from: [{ account: 'AVAILABLE', amount: 10 }] },
      reason: '商品已售完',
      notify_url: 'https://shop.test/notify/v3',
      funds_account: 'AVAILABLE',
      goods_detail: [goods],
    });
    expect(status).toBe(200);
  });

  test('of an unpaid order is unknown to WeChat', async () => {
    await placeV3(bench, 'v3-unpaid');
    expect((await refund('v3-unpaid')).status).toBe(404);
  });

  test('waits a minute for the one before, and never exceeds the payment', async () => {
    const outTradeNo = await payNew();
    await refund(outTradeNo, amount(1000));
    const next = (fen: number) =>
      refund(outTradeNo, { out_refund_no: `${outTradeNo}-R2`, ...amount(fen) });
    expect((await next(1800)).json).toMatchObject({
      code: 'INVALID_REQUEST',
      message: '同一订单两次退款的间隔需大于1分钟，请稍后再试',
    });
    await advance(60);
    expect((await next(1801)).json['message']).toBe('退款金额大于可退金额');
    expect((await next(1800)).status).toBe(200);
    await advance(60);
    const third = await refund(outTradeNo, { out_refund_no: 'third', ...amount(1) });
    expect([third.status, third.json['message']]).toEqual([400, '订单已全额退款']);
  });

  test('that was closed leaves its amount to another number', async () => {
    const outTradeNo = await payNew();
    await refund(outTradeNo);
    await end(`${outTradeNo}-R1`, 'CLOSED');
    await advance(60);
    const again = await refund(outTradeNo);
    expect(again.json).toMatchObject({ status: 'CLOSED' });
    expect((await refund(outTradeNo, { out_refund_no: `${outTradeNo}-R2` })).status).toBe(200);
    expect(await end(`${outTradeNo}-R1`, 'SUCCESS')).toMatchObject({
      status: 409,
      body: { error: { code: 'REFUND_EXCEEDS_PAYMENT' } },
    });
  });

  test('waits for the balance', async () => {
    const outTradeNo = await payNew();
    await bench.control('POST', '/merchant', { balanceFen: 2799 });
    const { status, json } = await refund(outTradeNo);
    expect([status, json]).toEqual([
      403,
      { code: 'NOT_ENOUGH', message: '基本账户余额不足，请充值后重新发起' },
    ]);
    await bench.control('POST', '/merchant', { balanceFen: null });
    expect((await refund(outTradeNo)).status).toBe(200);
  });

  test('is refused a year after the payment', async () => {
    const outTradeNo = await payNew();
    await advance(365 * 24 * 3600 + 1);
    expect((await refund(outTradeNo)).json['message']).toBe('订单已经超过退款期限');
  });

  test('that nobody made is not found; a query takes no parameters', async () => {
    expect((await query('unknown')).json['code']).toBe('RESOURCE_NOT_EXISTS');
    expect((await query('unknown?mchid=1')).json['code']).toBe('PARAM_ERROR');
  });
});

describe('an ABNORMAL refund', () => {
  const abnormal = async () => {
    const outTradeNo = await payNew();
    const { json } = await refund(outTradeNo);
    await end(`${outTradeNo}-R1`, 'ABNORMAL');
    return { outRefundNo: `${outTradeNo}-R1`, refundId: String(json['refund_id']) };
  };
  const reroute = async (refundId: string, body: Json, serial?: string) =>
    callV3(bench, 'POST', `${REFUNDS}/${refundId}/apply-abnormal-refund`, body, {
      timestamp: await timestamp(),
      headers: { 'wechatpay-serial': serial },
    });
  const encrypt = (text: string) =>
    publicEncrypt(
      {
        key: bench.merchant.wechatpayPublicKey,
        padding: constants.RSA_PKCS1_OAEP_PADDING,
        oaepHash: 'sha1',
      },
      Buffer.from(text),
    ).toString('base64');
  const card = (outRefundNo: string) => ({
    out_refund_no: outRefundNo,
    type: 'USER_BANK_CARD',
    bank_type: 'CMB_DEBIT',
    bank_account: encrypt('6225880137050403'),
    real_name: encrypt('张三'),
  });

  test('goes to the own account of the merchant, once', async () => {
    const { outRefundNo, refundId } = await abnormal();
    const body = { out_refund_no: outRefundNo, type: 'MERCHANT_BANK_CARD' };
    expect((await reroute(refundId, body)).json).toMatchObject({ status: 'PROCESSING' });
    expect((await reroute(refundId, body)).status).toBe(200);
    await advance(3);
    expect((await query(outRefundNo)).json).toMatchObject({
      status: 'SUCCESS',
      user_received_account: '商户结算银行账户',
    });
  });

  test('goes to another card of the buyer, named with the last digits', async () => {
    const { outRefundNo, refundId } = await abnormal();
    const serial = bench.merchant.wechatpayPublicKeyId;
    expect((await reroute(refundId, card(outRefundNo), serial)).status).toBe(200);
    expect((await reroute(refundId, card(outRefundNo), serial)).status).toBe(200);
    await advance(3);
    expect((await query(outRefundNo)).json).toMatchObject({
      status: 'SUCCESS',
      channel: 'OTHER_BANKCARD',
      user_received_account: '招商银行借记卡0403',
    });
    expect(
      (await reroute(refundId, { ...card(outRefundNo), type: 'MERCHANT_BANK_CARD' })).status,
    ).toBe(400);
  });

  test.each<[string, Json, number]>([
    ['another number', { out_refund_no: 'other' }, 404],
    ['no card', { bank_account: undefined }, 400],
    ['a bank that does not take part', { bank_type: 'HSBC_DEBIT' }, 400],
    ['a card in clear', { bank_account: '6225880137050403' }, 400],
    ['an unknown field', { mchid: '1' }, 400],
    ['a made-up type', { type: 'CASH' }, 400],
  ])('with %s is refused', async (_, changes, status) => {
    const { outRefundNo, refundId } = await abnormal();
    const body = { ...card(outRefundNo), ...changes };
    const serial = bench.merchant.wechatpayPublicKeyId;
    expect((await reroute(refundId, body, serial)).status).toBe(status);
  });

  test('encrypted for nobody in particular is refused', async () => {
    const { outRefundNo, refundId } = await abnormal();
    expect((await reroute(refundId, card(outRefundNo))).json['message']).toContain(
      'Wechatpay-Serial',
    );
  });

  test('is the only one that goes another way', async () => {
    const outTradeNo = await payNew();
    const { json } = await refund(outTradeNo);
    const body = { out_refund_no: `${outTradeNo}-R1`, type: 'MERCHANT_BANK_CARD' };
    expect((await reroute(String(json['refund_id']), body)).json['code']).toBe('INVALID_REQUEST');
  });
});

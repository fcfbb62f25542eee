/** `/secapi/pay/refund` and `/pay/refundquery`: rules, codes and texts. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bench, type Fields, startBench } from '../support.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(async () => bench.stop());

let orders = 0;
/** A paid order of 2800 fen. */
async function payNew(changes?: Record<string, string>): Promise<string> {
  orders += 1;
  const outTradeNo = `refunded-${orders}`;
  await bench.placeOrder(outTradeNo, changes);
  await bench.control('POST', `/orders/${outTradeNo}/pay`);
  return outTradeNo;
}

const refund = async (outTradeNo: string, changes: Record<string, string | undefined> = {}) =>
  bench.call('/secapi/pay/refund', {
    out_trade_no: outTradeNo,
    out_refund_no: `${outTradeNo}-R1`,
    total_fee: '2800',
    refund_fee: '2800',
    ...changes,
  });
const query = async (fields: Record<string, string>) => bench.call('/pay/refundquery', fields);
const advance = async (advanceSeconds: number) =>
  bench.control('POST', '/clock', { advanceSeconds });
const errorOf = ({ err_code, err_code_des }: Fields) => [err_code, err_code_des];

describe('a refund', () => {
  test('is accepted with the documented fields, and the order becomes REFUND', async () => {
    const outTradeNo = await payNew();
    const { transactionId } = await bench.book(outTradeNo);
    expect(await refund(outTradeNo, { refund_fee: '800' })).toEqual({
      return_code: 'SUCCESS',
      return_msg: 'OK',
      appid: bench.merchant.appid,
      mch_id: bench.merchant.mchid,
      nonce_str: expect.stringMatching(/^\w{16}$/) as string,
      sign: expect.stringMatching(/^[0-9A-F]{64}$/) as string,
      result_code: 'SUCCESS',
      transaction_id: transactionId,
      out_trade_no: outTradeNo,
      out_refund_no: `${outTradeNo}-R1`,
      refund_id: expect.stringMatching(/^503\d{23}$/) as string,
      refund_channel: '',
      refund_fee: '800',
      total_fee: '2800',
      fee_type: 'CNY',
      cash_fee: '2800',
      cash_refund_fee: '800',
      coupon_refund_fee: '0',
      coupon_refund_count: '0',
    });
    expect(await bench.call('/pay/orderquery', { out_trade_no: outTradeNo })).toMatchObject({
      trade_state: 'REFUND',
    });
  });

  test('is PROCESSING, and SUCCESS after three seconds', async () => {
    const outTradeNo = await payNew();
    await refund(outTradeNo);
    const number = { out_refund_no: `${outTradeNo}-R1` };
    expect(await query(number)).toMatchObject({ refund_status_0: 'PROCESSING' });
    await advance(3);
    expect(await query(number)).toMatchObject({
      total_fee: '2800',
      refund_fee: '2800',
      refund_count: '1',
      total_refund_count: '1',
      out_refund_no_0: `${outTradeNo}-R1`,
      refund_channel_0: 'ORIGINAL',
      refund_fee_0: '2800',
      refund_status_0: 'SUCCESS',
      refund_account_0: 'REFUND_SOURCE_UNSETTLED_FUNDS',
      refund_recv_accout_0: '支付用户零钱',
      refund_success_time_0: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/) as string,
    });
  });

  test('under the same number happens once', async () => {
    const outTradeNo = await payNew();
    const [first, second] = await Promise.all([refund(outTradeNo), refund(outTradeNo)]);
    expect(second['refund_id']).toBe(first['refund_id']);
    const again = await refund(outTradeNo, { sign_type: 'HMAC-SHA256' });
    expect(again['refund_id']).toBe(first['refund_id']);
    expect(await bench.control('GET', `/orders/${outTradeNo}`)).toMatchObject({
      body: { refunds: [{ refundFen: 2800 }], refundedFen: 2800 },
    });
  });

  test.each<[string, Record<string, string>]>([
    ['another amount', { refund_fee: '1' }],
    ['another reason', { refund_desc: '不想要了' }],
    ['another notify_url', { notify_url: 'https://shop.test/refund' }],
  ])('under the same number with %s is refused', async (_, changes) => {
    const outTradeNo = await payNew();
    await refund(outTradeNo);
    expect(errorOf(await refund(outTradeNo, changes))).toEqual([
      'REFUND_FEE_MISMATCH',
      '订单金额或退款金额与之前请求不一致，请核实后再试',
    ]);
  });

  test('under the number of another order is refused', async () => {
    const [one, other] = [await payNew(), await payNew()];
    await refund(one);
    expect((await refund(other, { out_refund_no: `${one}-R1` }))['err_code']).toBe(
      'REFUND_FEE_MISMATCH',
    );
  });

  test.each<[string, Record<string, string | undefined>, string, string]>([
    ['a wrong total', { total_fee: '2801' }, 'REFUND_FEE_MISMATCH', '订单金额或退款金额'],
    ['no number', { out_refund_no: undefined }, 'PARAM_ERROR', '缺少必填参数out_refund_no'],
    [
      'a long number',
      { out_refund_no: 'x'.repeat(65) },
      'PARAM_ERROR',
      'out_refund_no参数长度有误',
    ],
    ['a number with a blank', { out_refund_no: 'a b' }, 'PARAM_ERROR', 'out_refund_no参数格式错误'],
    ['a long reason', { refund_desc: '退'.repeat(27) }, 'PARAM_ERROR', 'refund_desc参数长度有误'],
    ['nothing to give back', { refund_fee: '0' }, 'PARAM_ERROR', 'refund_fee参数格式错误'],
    ['yuan', { refund_fee: '1.5' }, 'PARAM_ERROR', 'refund_fee参数格式错误'],
    ['another currency', { refund_fee_type: 'USD' }, 'PARAM_ERROR', 'refund_fee_type参数格式错误'],
    ['a made-up account', { refund_account: 'X' }, 'PARAM_ERROR', 'refund_account参数格式错误'],
    [
      'a query string',
      { notify_url: 'https://a.test/?b' },
      'PARAM_ERROR',
      'notify_url参数格式错误',
    ],
    ['no order', { out_trade_no: undefined }, 'PARAM_ERROR', '不能同时为空'],
    ['an unknown order', { out_trade_no: 'unknown' }, 'ORDERNOTEXIST', '订单不存在'],
    ['an unknown payment', { transaction_id: '42' }, 'INVALID_TRANSACTIONID', '无效transaction_id'],
  ])('with %s is refused', async (_, changes, code, text) => {
    const [found, words] = errorOf(await refund(await payNew(), changes));
    expect(found).toBe(code);
    expect(words).toContain(text);
  });

  test('of more than the total has no code', async () => {
    expect(await refund(await payNew(), { refund_fee: '2801' })).toEqual({
      return_code: 'FAIL',
      return_msg: 'invalid refund_fee',
    });
  });

  test('of an unpaid order is refused', async () => {
    await bench.placeOrder('unpaid');
    expect((await refund('unpaid'))['err_code']).toBe('ORDERNOTEXIST');
  });

  test('waits a minute for the one before, and never exceeds the payment', async () => {
    const outTradeNo = await payNew();
    await refund(outTradeNo, { refund_fee: '1000' });
    const next = { out_refund_no: `${outTradeNo}-R2`, refund_fee: '1800' };
    expect(errorOf(await refund(outTradeNo, next))).toEqual([
      'INVALID_REQUEST',
      '同一订单两次退款的间隔需大于1分钟，请稍后再试',
    ]);
    await advance(60);
    expect(errorOf(await refund(outTradeNo, { ...next, refund_fee: '1801' }))).toEqual([
      'INVALID_REQUEST',
      'refund_fee大于可退金额',
    ]);
    expect((await refund(outTradeNo, next))['result_code']).toBe('SUCCESS');
    await advance(60);
    const third = { out_refund_no: `${outTradeNo}-R3`, refund_fee: '1' };
    expect(errorOf(await refund(outTradeNo, third))).toEqual(['ERROR', '订单已全额退款']);
  });

  test('is refused a year after the payment', async () => {
    const outTradeNo = await payNew();
    await advance(365 * 24 * 3600 + 1);
    expect(errorOf(await refund(outTradeNo))).toEqual(['TRADE_OVERDUE', '订单已经超过退款期限']);
  });

  test('waits for the balance, which earlier refunds have used up', async () => {
    const [one, other] = [await payNew(), await payNew()];
    await bench.control('POST', '/merchant', { balanceFen: 2900 });
    await refund(one);
    expect(errorOf(await refund(other))).toEqual([
      'NOTENOUGH',
      '基本账户余额不足，请充值后重新发起',
    ]);
    expect((await bench.control('GET', '/merchant')).body).toMatchObject({ balanceFen: 100 });
    await bench.control('POST', '/merchant', { balanceFen: null });
    expect((await refund(other))['result_code']).toBe('SUCCESS');
  });

  test('gives coupons back in proportion, to the fen', async () => {
    const outTradeNo = 'with-coupons';
    await bench.placeOrder(outTradeNo);
    await bench.control('POST', `/orders/${outTradeNo}/pay`, {
      coupons: [{ fen: 301, type: 'CASH', couponId: '11' }],
    });
    const first = await refund(outTradeNo, { refund_fee: '1400' });
    await advance(61);
    const rest = { out_refund_no: `${outTradeNo}-R2`, refund_fee: '1400' };
    const second = await refund(outTradeNo, rest);
    expect(first).toMatchObject({ cash_refund_fee: '1250', coupon_refund_fee: '151' });
    expect(second).toMatchObject({ cash_refund_fee: '1249', coupon_refund_fee: '150' });
    expect(second).toMatchObject({ coupon_refund_count: '1', coupon_refund_id_0: '11' });
  });
});

describe('a query of refunds', () => {
  let outTradeNo: string;
  const numberOf = (n: number) => `${outTradeNo}-R${n}`;
  beforeAll(async () => {
    outTradeNo = await payNew();
    for (let n = 1; n <= 12; n += 1) {
      await refund(outTradeNo, { out_refund_no: numberOf(n), refund_fee: String(n) });
      await advance(60);
    }
  });

  test('pages by ten', async () => {
    const page = await query({ out_trade_no: outTradeNo });
    expect(page).toMatchObject({ refund_count: '10', total_refund_count: '12' });
    expect([page['out_refund_no_0'], page['out_refund_no_9'], page['out_refund_no_10']]).toEqual([
      numberOf(1),
      numberOf(10),
      undefined,
    ]);
    const next = await query({ out_trade_no: outTradeNo, offset: '10' });
    expect(next).toMatchObject({ refund_count: '2', total_refund_count: '12' });
    expect([next['refund_fee_0'], next['refund_fee_1']]).toEqual(['11', '12']);
  });

  test('beyond the last one is refused', async () => {
    const { err_code: code } = await query({ out_trade_no: outTradeNo, offset: '12' });
    expect(code).toBe('PARAM_ERROR');
  });

  test('goes by refund_id first, then out_refund_no, transaction_id, out_trade_no', async () => {
    const found = await query({ out_refund_no: numberOf(2), out_trade_no: 'x' });
    expect(found).toMatchObject({ refund_count: '1', out_refund_no_0: numberOf(2) });
    const refundId = found['refund_id_0'] ?? '';
    const byId = await query({ refund_id: refundId, out_refund_no: numberOf(3) });
    expect(byId['out_refund_no_0']).toBe(numberOf(2));
    const { transaction_id: transactionId = '' } = byId;
    const byPayment = await query({ transaction_id: transactionId, out_trade_no: 'x' });
    expect(byPayment['total_refund_count']).toBe('12');
  });

  test.each<[Record<string, string>, string]>([
    [{}, 'PARAM_ERROR'],
    [{ out_refund_no: 'unknown' }, 'REFUNDNOTEXIST'],
    [{ out_trade_no: 'unknown' }, 'REFUNDNOTEXIST'],
    [{ refund_id: '1' }, 'REFUNDNOTEXIST'],
    [{ out_trade_no: 'refunded-1', offset: '-1' }, 'PARAM_ERROR'],
  ])('of %j is refused with %s', async (fields, code) => {
    expect((await query(fields))['err_code']).toBe(code);
  });

  test('of an order without refunds finds none', async () => {
    const { err_code: code } = await query({ out_trade_no: await payNew() });
    expect(code).toBe('REFUNDNOTEXIST');
  });
});

test('an order has fifty refunds at most', async () => {
  const outTradeNo = await payNew();
  for (let n = 0; n < 50; n += 1) {
    await bench.control('POST', `/orders/${outTradeNo}/refund-in-console`, { refundFen: 1 });
  }
  expect(errorOf(await refund(outTradeNo, { refund_fee: '1' }))).toEqual([
    'INVALID_REQUEST',
    '订单部分退款次数已达上限50次',
  ]);
});

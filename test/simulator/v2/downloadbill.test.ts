/** `/pay/downloadbill`: the file as WeChat sends it, and each refusal. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { linesOf, openBillShop, rowsOf, type Shop, sumsOf } from '../bill-support.ts';
import { tenpayUtil } from '../support.ts';

const SAMPLES = JSON.parse(
  readFileSync(new URL('../../vectors/bills.json', import.meta.url), 'utf8'),
) as { id: string; csv: string }[];

const genuineText = (id: string) => String(SAMPLES.find((one) => one.id === id)?.csv);

/** The lines of a genuine bill. */
const sample = (id: string) => genuineText(id).trimEnd().split(/\r?\n/);

let shop: Shop;
beforeEach(async () => {
  shop = await openBillShop();
});
afterEach(async () => shop.stop());

/** Ten o'clock of the next day: the bill of 2026-11-24 is there. */
const READY = '2026-11-25T10:00:00+08:00';

async function sell(): Promise<void> {
  await shop.pay('coffee-1', 600);
  shop.at('2026-11-24T13:00:00+08:00');
  await shop.pay('coffee-2', 2800, { attach: 'table 4', device_info: 'till1', body: '茶, `大`杯' });
  shop.at('2026-11-24T14:00:00+08:00');
  await shop.refund('coffee-2', 'refund-2', 1000);
  shop.at(READY);
}

const refusalOf = async (fields: Record<string, string>, key?: string) =>
  tenpayUtil.parseXML((await shop.billV2(fields, key)).text);

describe('the file', () => {
  test.each([
    ['ALL', 'new', 'wxjava-pay_bill_result_all_content'],
    ['SUCCESS', 'new', 'wxjava-pay_bill_result_success_content'],
    ['REFUND', 'new', 'wxjava-pay_bill_result_refund_content'],
    ['ALL', 'legacy', 'wxjava-pay_bill_result_all_content_1'],
  ])('of %s in the %s layout has the headings of a genuine one', async (type, layout, id) => {
    await sell();
    await shop.control('POST', '/bill', { date: '2026-11-24', layout });
    const lines = linesOf((await shop.billV2({ bill_type: type })).bytes);
    const genuine = sample(id);

    expect(lines[0]).toBe(genuine[0]);
    expect(lines.at(-2)).toBe(genuine.at(-2));
  });

  test('with a byte order mark begins and ends as the genuine one does', async () => {
    await sell();
    await shop.control('POST', '/bill', { date: '2026-11-24', bom: true });
    const { bytes } = await shop.billV2();
    const genuine = Buffer.from(genuineText('wechatpay-php-bill.ALL.csv'));
    const end = genuine.indexOf('\r\n') + 3;

    expect(bytes.subarray(0, end)).toEqual(genuine.subarray(0, end));
    expect(bytes.subarray(-2).toString()).toBe('\r\n');
  });

  test('lists every payment and refund of the day in WeChat’s words', async () => {
    await sell();
    const { bytes, headers } = await shop.billV2();
    const [first, second, refund] = rowsOf(bytes);

    expect(headers['Content-Type']).toBe('text/plain;charset=utf-8');
    expect(first).toMatchObject({
      交易时间: '2026-11-24 12:00:00',
      公众账号ID: shop.appid,
      商户号: shop.mchid,
      特约商户号: '0',
      设备号: '',
      微信订单号: expect.stringMatching(/^42000000002026\d{14}$/),
      商户订单号: 'coffee-1',
      用户标识: expect.stringMatching(/^o/),
      交易类型: 'JSAPI',
      交易状态: 'SUCCESS',
      付款银行: 'OTHERS',
      货币种类: 'CNY',
      应结订单金额: '6.00',
      代金券金额: '0.00',
      微信退款单号: '0',
      商户退款单号: '0',
      退款金额: '0.00',
      充值券退款金额: '0.00',
      退款类型: '',
      退款状态: '',
      商品名称: '测试店-拿铁',
      商户数据包: '',
      手续费: '0.04000',
      费率: '0.60%',
      订单金额: '6.00',
      申请退款金额: '0.00',
      费率备注: '',
    });
    // Nothing is quoted: a name with commas and backticks stands as it is.
    expect(second).toMatchObject({
      设备号: 'till1',
      商品名称: '茶, `大`杯',
      商户数据包: 'table 4',
    });
    expect(refund).toMatchObject({
      交易时间: '2026-11-24 14:00:00',
      商户订单号: 'coffee-2',
      微信订单号: second?.['微信订单号'],
      交易状态: 'REFUND',
      应结订单金额: '0.00',
      订单金额: '0.00',
      微信退款单号: expect.stringMatching(/^5030000020261124\d{10}$/),
      商户退款单号: 'refund-2',
      退款金额: '10.00',
      退款类型: 'ORIGINAL',
      退款状态: 'SUCCESS',
      手续费: '-0.06000',
      费率: '0.60%',
      申请退款金额: '10.00',
    });
    expect(sumsOf(bytes)).toEqual(['3', '34.00', '10.00', '0.00', '0.15000', '34.00', '10.00']);
  });

  test('of SUCCESS has the payments alone, of REFUND the refunds with their times', async () => {
    await sell();
    const payments = rowsOf((await shop.billV2({ bill_type: 'SUCCESS' })).bytes);
    const refunds = rowsOf((await shop.billV2({ bill_type: 'REFUND' })).bytes);

    expect(payments.map((row) => row['商户订单号'])).toEqual(['coffee-1', 'coffee-2']);
    expect(refunds).toMatchObject([
      { 退款申请时间: '2026-11-24 14:00:00', 退款成功时间: '2026-11-24 14:00:03' },
    ]);
  });

  test('in the old layout knows the price alone, coupons or not', async () => {
    await sell();
    await shop.control('POST', '/bill', { date: '2026-11-24', layout: 'legacy' });
    const { bytes } = await shop.billV2();

    expect(rowsOf(bytes)[1]).toMatchObject({ 子商户号: '0', 总金额: '28.00', 手续费: '0.17000' });
    expect(sumsOf(bytes)).toEqual(['3', '34.00', '10.00', '0.00', '0.15000']);
  });

  test('tells what the merchant gets from what the buyer was to pay', async () => {
    const coupons = [
      { fen: 100, type: 'NO_CASH' },
      { fen: 50, type: 'CASH' },
    ];
    const { body } = await shop.control('GET', '/users/alice');
    await shop.v2('/pay/unifiedorder', {
      body: '茶',
      out_trade_no: 'with-coupons',
      total_fee: '1000',
      spbill_create_ip: '127.0.0.1',
      notify_url: 'http://127.0.0.1:9/notify',
      trade_type: 'JSAPI',
      openid: String(body['openid']),
    });
    await shop.control('POST', '/orders/with-coupons/pay', { coupons });
    await shop.refund('with-coupons', 'half', 500, 1000);
    shop.at(READY);

    expect(rowsOf((await shop.billV2()).bytes)).toMatchObject([
      { 应结订单金额: '9.00', 代金券金额: '1.50', 订单金额: '10.00', 手续费: '0.05000' },
      { 退款金额: '4.50', 充值券退款金额: '0.25', 申请退款金额: '5.00', 手续费: '-0.03000' },
    ]);
  });

  test('takes the merchant’s own rate', async () => {
    await shop.control('POST', '/merchant', { feeRate: '0.38%' });
    await shop.pay('cheap', 10_000);
    shop.at(READY);

    expect(rowsOf((await shop.billV2()).bytes)).toMatchObject([
      { 手续费: '0.38000', 费率: '0.38%' },
    ]);
  });

  test('keeps a refund as it was when the bill was made', async () => {
    await shop.pay('slow');
    await shop.refund('slow', 'slow-refund', 100);
    shop.at('2026-11-25T09:00:00+08:00');
    await shop.control('POST', '/refunds/slow-refund', { status: 'ABNORMAL' });
    shop.at(READY);
    const before = (await shop.billV2()).text;
    shop.at('2026-11-26T10:00:00+08:00');
    await shop.control('POST', '/refunds/slow-refund', { status: 'SUCCESS' });

    expect(before).toContain('`ORIGINAL,`CHANGE,');
    expect((await shop.billV2()).text).not.toContain('`ORIGINAL,`SUCCESS,');
  });

  test('comes compressed when that is asked for, with the same content', async () => {
    await sell();
    const plain = await shop.billV2();
    const { bytes, headers } = await shop.billV2({ tar_type: 'GZIP' });

    expect(headers['Content-Type']).toBe('application/x-gzip');
    expect(gunzipSync(bytes)).toEqual(plain.bytes);
  });
});

describe('the day', () => {
  test('ends in Beijing: one second after midnight is the next bill’s', async () => {
    shop.at('2026-11-24T23:59:59.900+08:00');
    await shop.pay('last');
    await shop.refund('last', 'last-refund', 100);
    shop.at('2026-11-25T00:00:01+08:00');
    await shop.pay('first');
    await shop.refund('first', 'first-refund', 100);
    shop.at('2026-11-26T10:00:00+08:00');
    const timesOf = async (bill_date: string) =>
      rowsOf((await shop.billV2({ bill_date })).bytes).map((row) => [
        row['交易时间'],
        row['商户订单号'],
        row['交易状态'],
      ]);

    expect(await timesOf('20261124')).toEqual([
      ['2026-11-24 23:59:59', 'last', 'SUCCESS'],
      ['2026-11-24 23:59:59', 'last', 'REFUND'],
    ]);
    expect(await timesOf('20261125')).toEqual([
      ['2026-11-25 00:00:01', 'first', 'SUCCESS'],
      ['2026-11-25 00:00:01', 'first', 'REFUND'],
    ]);
  });

  test.each([
    ['2026-11-24T23:59:59+08:00', 'data format error', '20001'],
    ['2026-11-25T00:00:00+08:00', 'Bill Creating', '20002'],
    ['2026-11-25T09:59:59+08:00', 'Bill Creating', '20002'],
    ['2027-02-25T10:00:00+08:00', 'data format error', '20001'],
  ])('is refused at %s: %s', async (now, text, code) => {
    await shop.pay('coffee-1');
    shop.at(now);

    expect(await refusalOf({})).toEqual({
      return_code: 'FAIL',
      return_msg: text,
      error_code: code,
    });
  });

  test.each(['2026-11-25T10:00:00+08:00', '2027-02-24T10:00:00+08:00'])(
    'has its bill at %s',
    async (now) => {
      await shop.pay('coffee-1');
      shop.at(now);

      expect(rowsOf((await shop.billV2()).bytes)).toHaveLength(1);
    },
  );

  test('on which nothing was sold has no bill, nor has one of a kind that did not happen', async () => {
    await shop.pay('coffee-1');
    shop.at(READY);
    const none = { return_code: 'FAIL', return_msg: 'No Bill Exist', error_code: '20002' };

    expect(await refusalOf({ bill_date: '20261123' })).toEqual(none);
    expect(await refusalOf({ bill_type: 'REFUND' })).toEqual(none);
  });
});

describe('a request', () => {
  beforeEach(sell);

  test.each<[string, Record<string, string>, string | undefined, string]>([
    ['with another key', {}, '0'.repeat(32), 'sign error'],
    ['without a day', { bill_date: '' }, undefined, 'missing parameter'],
    ['with a day of another form', { bill_date: '2026-11-24' }, undefined, 'data format error'],
    ['with a day that never was', { bill_date: '20261131' }, undefined, 'data format error'],
    ['for another kind', { bill_type: 'SOME' }, undefined, 'invalid bill_type'],
    ['for another compression', { tar_type: 'ZIP' }, undefined, 'data format error'],
    ['for a sub-merchant of nobody', { sub_mch_id: '1900000222' }, undefined, '受理关系不存在'],
    ['of another appid', { appid: 'wx0000000000000000' }, undefined, 'APPID不存在'],
  ])('%s is refused', async (_, fields, key, text) => {
    expect(await refusalOf(fields, key)).toEqual({
      return_code: 'FAIL',
      return_msg: text,
      error_code: '20001',
    });
  });

  test('is kept in the message log; a bill of any length takes little of it', async () => {
    await shop.control('POST', '/bill', {
      date: '2026-11-24',
      alter: [{ outTradeNo: 'coffee-1', repeat: 100 }],
    });
    await shop.billV2({ tar_type: 'GZIP' });
    const { body } = await shop.control('GET', '/messages');
    const message = (body['messages'] as Record<string, Record<string, unknown>>[]).at(-1);

    expect(message).toMatchObject({
      kind: 'downloadbill',
      path: '/pay/downloadbill',
      request: { body: expect.stringContaining('<bill_date>20261124') },
      signature: { result: 'valid' },
      note: expect.stringMatching(
        /^the bill of 2026-11-24: 103 rows, gzip, \d+ bytes of \d+, SHA-1 /,
      ),
    });
    expect(message).not.toHaveProperty('answerSignature');
    const shown = String(message?.['response']?.['body']);
    expect(shown).toMatch(/^交易时间,公众账号ID,/);
    expect(shown.length).toBeLessThan(2000);
    expect(JSON.stringify(message)).not.toContain('bytes"');
  });
});

describe('of a service provider', () => {
  const subs = [{ subMchid: '1900000221' }, { subMchid: '1900000222' }];

  beforeEach(async () => {
    await shop.stop();
    shop = await openBillShop(subs);
    await shop.pay('of-first');
    await shop.pay('of-second', 100, { sub_mch_id: '1900000222' });
    shop.at(READY);
  });

  test('a bill is of all sub-merchants', async () => {
    const rows = rowsOf((await shop.billV2()).bytes);

    expect(rows.map((row) => [row['商户号'], row['特约商户号'], row['商户订单号']])).toEqual([
      [shop.mchid, '1900000221', 'of-first'],
      [shop.mchid, '1900000222', 'of-second'],
    ]);
  });

  test('or of one', async () => {
    const { bytes } = await shop.billV2({ sub_mch_id: '1900000222' });

    expect(rowsOf(bytes).map((row) => row['商户订单号'])).toEqual(['of-second']);
    expect(sumsOf(bytes)[0]).toBe('1');
  });
});

describe('a fault', () => {
  beforeEach(sell);
  const plan = async (fault: object) =>
    shop.control('POST', '/faults', { point: 'downloadbill', times: 1, ...fault });

  test.each([
    [undefined, 'System Error', '100'],
    ['SYSTEMERROR', 'System Error', '100'],
    ['20002', 'No Bill Exist', '20002'],
    ['Bill Creating', 'Bill Creating', '20002'],
    ['STATEMENT_CREATING', 'Bill Creating', '20002'],
    ['NO_STATEMENT_EXIST', 'No Bill Exist', '20002'],
    ['CompressGZip Error', 'CompressGZip Error', '20003'],
    ['NO_AUTH', 'no permission', '20007'],
    ['FREQUENCY_LIMITED', 'System Error', '100'],
  ])('with the code %s is answered in v2’s words', async (code, text, errorCode) => {
    await plan({ kind: 'error', ...(code === undefined ? {} : { code }) });

    expect(await refusalOf({})).toEqual({
      return_code: 'FAIL',
      return_msg: text,
      error_code: errorCode,
    });
    expect(rowsOf((await shop.billV2()).bytes)).toHaveLength(3);
  });

  test('may have a text of its own', async () => {
    await plan({ kind: 'error', code: '20100', text: '账单服务维护中' });

    expect(await refusalOf({})).toMatchObject({
      return_msg: '账单服务维护中',
      error_code: '20100',
    });
  });

  test('by the name of v3 is the same', async () => {
    await plan({ point: 'tradebill', kind: 'error', code: 'STATEMENT_CREATING' });

    expect(await refusalOf({})).toMatchObject({ return_msg: 'Bill Creating' });
  });

  test.each(['timeout-before', 'timeout-after', 'drop'])('%s gives no answer', async (kind) => {
    await plan({ kind });

    await expect(shop.billV2()).rejects.toThrow(kind === 'drop' ? 'drop' : 'hold');
  });

  test('html is a proxy’s page; late comes later, cut not whole', async () => {
    await plan({ kind: 'html' });
    expect(await shop.billV2()).toMatchObject({
      status: 502,
      text: expect.stringMatching(/^<html/),
    });
    await plan({ kind: 'late', seconds: 7 });
    const slow = { method: 'POST', url: '/pay/downloadbill', headers: {} };
    await plan({ kind: 'cut' });
    expect(await shop.raw({ ...slow, body: await signedBody() })).toMatchObject({ delayMs: 7000 });
    expect(await shop.raw({ ...slow, body: await signedBody() })).toMatchObject({ cut: true });
  });

  /** The body of a call that was just made. */
  async function signedBody(): Promise<Buffer> {
    const { body } = await shop.control('GET', '/messages');
    const messages = body['messages'] as { kind: string; request: { body: string } }[];
    const last = messages.findLast(({ kind }) => kind === 'downloadbill');
    return Buffer.from(String(last?.request.body));
  }

  test('truncated halves the bytes, also of a compressed file', async () => {
    const whole = await shop.billV2({ tar_type: 'GZIP' });
    await plan({ kind: 'truncated' });
    const half = await shop.billV2({ tar_type: 'GZIP' });

    expect(half.bytes).toEqual(whole.bytes.subarray(0, Math.floor(whole.bytes.length / 2)));
  });

  test('tamper changes one digit, so that the rows do not add up', async () => {
    const honest = await shop.billV2();
    await plan({ kind: 'tamper' });
    const altered = await shop.billV2();

    expect(altered.text).toHaveLength(honest.text.length);
    expect(rowsOf(altered.bytes)[0]).toMatchObject({ 应结订单金额: '7.00' });
    expect(sumsOf(altered.bytes)).toEqual(sumsOf(honest.bytes));
  });

  test('wrong-amount is one fen more, also in the sums', async () => {
    await plan({ kind: 'wrong-amount' });
    const { bytes } = await shop.billV2();

    expect(rowsOf(bytes)[0]).toMatchObject({ 应结订单金额: '6.01', 订单金额: '6.01' });
    expect(sumsOf(bytes).slice(0, 2)).toEqual(['3', '34.01']);
  });

  test('wrong-merchant is the bill of somebody else', async () => {
    await plan({ kind: 'wrong-merchant' });
    const mchids = rowsOf((await shop.billV2()).bytes).map((row) => row['商户号']);

    expect(new Set(mchids).size).toBe(1);
    expect(mchids[0]).not.toBe(shop.mchid);
  });
});

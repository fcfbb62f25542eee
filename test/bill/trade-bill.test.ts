import { describe, expect, test } from 'vitest';
import type { BillRow } from '../../lib/bill/row.ts';
import { BillRefusedError, readTradeBill } from '../../lib/bill/trade-bill.ts';
import {
  billOf,
  type Cells,
  LAYOUTS,
  LEGACY_SUMMARY,
  PUBLIC_BILLS,
  publicBill,
  REFUND,
  rowOf,
  SUMMARY,
} from '../support/sample-bills.ts';

async function* piecesOf(bytes: Buffer, size: number) {
  for (let from = 0; from < bytes.length; from += size) {
    yield bytes.subarray(from, from + size);
  }
}

async function read(text: string | Buffer, size = 50) {
  const rows: BillRow[] = [];
  const totals = await readTradeBill(piecesOf(Buffer.from(text), size), (row) => {
    rows.push(row);
    return undefined;
  });
  return { rows, totals };
}

const refusalOf = async (text: string | Buffer) => {
  const error = await read(text).catch((reason: unknown) => reason);
  if (!(error instanceof BillRefusedError)) {
    throw new Error('the bill is not refused');
  }
  return error.message;
};

const ONE = '`1,`1.00,`0.00,`0.00,`0.01000,`1.00,`0.00';
const all = (rows: readonly string[], sums = ONE) => billOf(LAYOUTS.all, rows, sums);

describe('a real bill', () => {
  test('is read to the last row and adds up', async () => {
    const { rows, totals } = await read(publicBill('wechatpay-php-bill.ALL.csv'));

    expect(rows).toHaveLength(45);
    expect(totals).toEqual({
      payments: { count: 31, totalFen: 47 },
      refunds: { count: 14, totalFen: 14 },
      feeMilliFen: 8_000,
      rates: [390_000],
    });
    expect(rows[0]).toEqual({
      kind: 'refund',
      line: 2,
      time: '2019-02-19 05:01:46',
      appid: 'wxab8acd895ab1638a',
      mchid: '1921000401',
      subMchid: undefined,
      transactionId: '4200000263201902167700134212',
      outTradeNo: 'autotest_20190216081946_82335',
      outRefundNo: 'REF4200000263201902167700963919',
      refundId: '50000709672019011908420787722',
      settledFen: 0,
      orderedFen: 0,
      settledRefundFen: 1,
      couponRefundFen: 0,
      requestedRefundFen: 1,
      feeMilliFen: 0,
      rateMillionths: 390_000,
    });
  });

  test('of the old layout is read, with its wide colons', async () => {
    const { rows, totals } = await read(publicBill('wxjava-pay_bill_result_all_content_1'));

    expect(rows.map(({ time, orderedFen }) => [time, orderedFen])).toEqual([
      ['2014-11-10 16:33:45', 1],
      ['2014-11-10 16:46:14', 1],
    ]);
    expect(totals.payments).toEqual({ count: 2, totalFen: 2 });
  });

  test.each(
    PUBLIC_BILLS.filter(({ id }) => /_all_content$|success|refund/.test(id)).map(
      ({ id, bill_type, csv }) => [bill_type, id, csv],
    ),
  )('of which only a part was published (%s, %s) is refused for its sums', async (_, __, csv) => {
    expect(await refusalOf(csv)).toMatch(/line 4: the rows do not add up to 总交易单数/);
  });

  test.each(PUBLIC_BILLS.map(({ id, csv }) => [id, csv]))(
    'is the same in pieces of any size: %s',
    async (_, csv) => {
      const outcome = (size: number) => read(csv, size).catch((error: Error) => error.message);

      expect(await outcome(1)).toEqual(await outcome(1_000_000));
    },
  );
});

describe('a row', () => {
  test.each([
    ['ALL', LAYOUTS.all, SUMMARY],
    ['SUCCESS', LAYOUTS.success, SUMMARY],
    [
      'SUCCESS with four sums',
      LAYOUTS.success,
      '总交易单数,应结订单总金额,手续费总金额,订单总金额',
    ],
    ['legacy', LAYOUTS.legacy, LEGACY_SUMMARY],
  ])('of a payment is read in the layout %s', async (_, headings, summary) => {
    const sums = summary
      .split(',')
      .map((heading) =>
        /交易单数/.test(heading)
          ? '`1'
          : /手续费/.test(heading)
            ? '`0.01000'
            : /退款/.test(heading)
              ? '`0.00'
              : '`1.00',
      )
      .join(',');
    const { rows } = await read(billOf(headings, [rowOf(headings)], sums, { summary }));

    expect(rows).toMatchObject([
      { kind: 'payment', line: 2, orderedFen: 100, feeMilliFen: 1_000, rateMillionths: 6_000 },
    ]);
  });

  test.each([
    ['ALL', LAYOUTS.all, SUMMARY, '`1,`0.00,`0.40,`0.00,`0.00000,`0.00,`0.40'],
    ['REFUND', LAYOUTS.refund, SUMMARY, '`1,`0.00,`0.40,`0.00,`0.00000,`0.00,`0.40'],
    ['legacy', LAYOUTS.legacy, LEGACY_SUMMARY, '`1.0,`0,`0.40,`0.00,`0.0'],
  ])('of a refund is read in the layout %s', async (_, headings, summary, sums) => {
    const { rows, totals } = await read(
      billOf(headings, [rowOf(headings, REFUND)], sums, { summary }),
    );

    expect(rows).toMatchObject([
      { kind: 'refund', outRefundNo: REFUND['商户退款单号'], requestedRefundFen: 40 },
    ]);
    expect(totals.refunds).toEqual({ count: 1, totalFen: 40 });
  });

  test.each([
    ['commas', 'tea, green, 100 g'],
    ['a comma before a backtick', 'tea,`green,`,'],
    ['quotes', '"tea", 5\' \\"'],
    ['line feeds', 'tea\ngreen\r\nblack'],
    ['a line that begins with a backtick', 'tea\n`2026-11-24 10:00:00,`x'],
    ['nothing', ''],
  ])('is read whatever its product is called: with %s', async (_, name) => {
    const cells: Cells = { 商品名称: name, 商户数据包: '{"a":1,"b":2}' };
    const text = all(
      [rowOf(LAYOUTS.all, cells), rowOf(LAYOUTS.all, { 微信订单号: '42' })],
      '`2,`2.00,`0.00,`0.00,`0.02,`2.00,`0.00',
    );
    const { rows } = await read(text);

    expect(rows.map(({ transactionId }) => transactionId)).toEqual([
      '4200000000202611240000000001',
      '42',
    ]);
    expect(rows.map(({ line }) => line)).toEqual([2, 3 + name.split('\n').length - 1]);
    expect(rows[0]).toMatchObject({ feeMilliFen: 1_000, orderedFen: 100 });
  });

  test.each([
    ['the first', /^`/],
    ['one in the middle', /`wx8888/],
    ['all', /`/g],
  ])('is read without its backticks: %s', async (_, marks) => {
    const bare = rowOf(LAYOUTS.all).replace(marks, (found) => found.replace('`', ''));
    const { rows } = await read(all([bare]));

    expect(rows).toMatchObject([{ appid: 'wx8888888888888888', orderedFen: 100 }]);
  });

  test('of a provider names the sub-merchant', async () => {
    const { rows } = await read(all([rowOf(LAYOUTS.all, { 特约商户号: '1900000222' })]));

    expect(rows[0]?.subMchid).toBe('1900000222');
  });

  test('that was revoked is one of its own, and counts as a payment', async () => {
    const { rows, totals } = await read(all([rowOf(LAYOUTS.all, { 交易状态: 'REVOKED' })]));

    expect(rows[0]?.kind).toBe('revoked');
    expect(totals.payments.count).toBe(1);
  });

  test.each([
    ['an amount that is none', { 订单金额: '1,00' }],
    ['an amount with a part of a fen', { 订单金额: '1.001' }],
    ['a fee that is none', { 手续费: '' }],
    ['a state that there is not', { 交易状态: 'NOTPAY' }],
    ['a time that is none', { 交易时间: '24.11.2026' }],
    ['no number of an order', { 商户订单号: '' }],
    ['no number of a payment', { 微信订单号: '' }],
    ['no number of a refund', { ...REFUND, 商户退款单号: '' }],
  ])('with %s is refused with the whole bill', async (_, cells) => {
    expect(await refusalOf(all([rowOf(LAYOUTS.all, cells)]))).toMatch(/line 2/);
  });

  test('that is never whole is refused before it fills the memory', async () => {
    const noise = Array.from({ length: 2_000 }, () => 'x'.repeat(50));

    expect(await refusalOf(all(['`2026-11-24 10:00:00,`wx', ...noise]))).toMatch(
      /the row that begins in line 2 cannot be read/,
    );
    expect(await refusalOf(`${LAYOUTS.all}\n\`${'x'.repeat(70_000)}`)).toBe('a line has no end');
  });

  test('with more cells than headings is refused where no text of ours can have them', async () => {
    const headings = LAYOUTS.all.replace('商品名称,商户数据包,', '');

    expect(await refusalOf(billOf(headings, [`${rowOf(headings)},\`x`], ONE))).toMatch(/line 2/);
  });

  test('is read where only the merchant’s data has a column', async () => {
    const headings = LAYOUTS.all.replace('商品名称,', '');
    const { rows } = await read(billOf(headings, [rowOf(headings, { 商户数据包: 'a,`b' })], ONE));

    expect(rows).toHaveLength(1);
  });
});

describe('a bill', () => {
  test.each([
    ['with a byte order mark', '\ufeff', '\r\n'],
    ['without', '', '\r\n'],
    ['with plain line feeds', '', '\n'],
  ])('%s is the same', async (_, mark, end) => {
    const text = billOf(LAYOUTS.all, [rowOf(LAYOUTS.all)], ONE, { end });

    expect((await read(mark + text)).totals.payments).toEqual({ count: 1, totalFen: 100 });
  });

  test('without the last line feed, or with empty lines, is whole', async () => {
    const text = all([rowOf(LAYOUTS.all)]);

    expect((await read(text.trimEnd())).rows).toHaveLength(1);
    expect((await read(`${text}\r\n\r\n`)).rows).toHaveLength(1);
  });

  test('of no rows adds up to nothing', async () => {
    expect((await read(all([], '`0.0,`0,`0,`0,`0,`0,`0'))).totals).toEqual({
      payments: { count: 0, totalFen: 0 },
      refunds: { count: 0, totalFen: 0 },
      feeMilliFen: 0,
      rates: [],
    });
  });

  test('may have columns and sums that nobody knows', async () => {
    const headings = `新的一列,${LAYOUTS.all}`;
    const text = billOf(headings, [rowOf(headings)], `${ONE},\`7.00`, {
      summary: `${SUMMARY},新的总金额`,
    });

    expect((await read(text)).rows).toHaveLength(1);
  });

  test('needs no column that says nothing about its money', async () => {
    const left = new Set(['公众账号ID', '特约商户号', '费率', '微信退款单号']);
    const headings = LAYOUTS.all
      .split(',')
      .filter((heading) => !left.has(heading))
      .join(',');
    const { rows } = await read(billOf(headings, [rowOf(headings)], ONE));

    expect(rows).toMatchObject([{ appid: '', subMchid: undefined, rateMillionths: undefined }]);
  });

  test('whose rows are waited for is read at their pace', async () => {
    const order: string[] = [];
    const text = all(
      [rowOf(LAYOUTS.all), rowOf(LAYOUTS.all)],
      '`2,`2.00,`0.00,`0.00,`0.02,`2.00,`0.00',
    );
    await readTradeBill(piecesOf(Buffer.from(text), 1_000_000), async ({ line }) => {
      order.push(`begin ${line}`);
      await Promise.resolve();
      order.push(`end ${line}`);
    });

    expect(order).toEqual(['begin 2', 'end 2', 'begin 3', 'end 3']);
  });

  test.each(
    ['交易时间', '商户号', '微信订单号', '商户订单号', '交易状态', '应结订单金额', '手续费'].map(
      (heading) => [heading],
    ),
  )('without the column %s is refused', async (heading) => {
    const headings = LAYOUTS.all
      .split(',')
      .filter((each) => each !== heading)
      .join(',');

    expect(await refusalOf(billOf(headings, [rowOf(headings)], ONE))).toBe(
      `line 1: it has no ${heading}`,
    );
  });

  test.each([0, 1, 2, 3, 4, 5, 6].map((index) => [SUMMARY.split(',')[index], index]))(
    'is refused when its rows do not add up to %s',
    async (heading, index) => {
      const sums = ONE.split(',').map((value, at) => (at === index ? '`2.00' : value));

      expect(await refusalOf(all([rowOf(LAYOUTS.all)], sums.join(',')))).toBe(
        `line 4: the rows do not add up to ${heading}`,
      );
    },
  );

  test.each([
    ['fewer sums than headings', '`1,`1.00', /as many sums/],
    ['a sum that is none', ONE.replace('0.01000', 'x'), /add up/],
  ])('with %s is refused', async (_, sums, reason) => {
    expect(await refusalOf(all([rowOf(LAYOUTS.all)], sums))).toMatch(reason);
  });

  test('that goes on after its sums is refused', async () => {
    expect(await refusalOf(all([rowOf(LAYOUTS.all)]) + rowOf(LAYOUTS.all))).toBe(
      'line 5: something stands after the sums',
    );
  });

  test('is refused wherever it is cut off', async () => {
    const whole = Buffer.from(publicBill('wechatpay-php-bill.ALL.csv'));
    // Without its last line feed it is still whole.
    const lengths = Array.from({ length: 97 }, (_, n) => Math.floor((whole.length * n) / 97));
    for (const length of [...lengths, whole.length - 6]) {
      expect(await refusalOf(whole.subarray(0, length))).not.toBe('');
    }
  });

  test('is refused when a row is lost, doubled or altered', async () => {
    const lines = publicBill('wechatpay-php-bill.ALL.csv').split('\r\n');
    const lost = lines.toSpliced(5, 1);
    const doubled = lines.toSpliced(5, 0, lines[5] ?? '');
    const altered = lines.with(5, (lines[5] ?? '').replaceAll('`0.01', '`9.01'));
    for (const changed of [lost, doubled, altered]) {
      expect(await refusalOf(changed.join('\r\n'))).toMatch(/add up/);
    }
  });

  test.each([
    ['a line that is no row', all(['<html>']), 'line 2: it is no row'],
    ['nothing', '', 'the bill ends in line 1 without its sums'],
    ['a page of HTML', '<html>', /line 1: it has no 交易时间/],
    [
      'half a row at its end',
      `${LAYOUTS.all}\r\n\`2026-11-24 10:00:00,\`wx`,
      /the row that begins in line 2 has no end/,
    ],
  ])('of %s is refused', async (_, text, reason) => {
    expect(await refusalOf(text)).toMatch(reason);
  });

  test('in another encoding is refused', async () => {
    expect(await refusalOf(Buffer.from([0xbd, 0xbb, 0xd2, 0xd7]))).toBe('the bill is not UTF-8');
    expect(await refusalOf(Buffer.from([0xe4, 0xba]))).toBe('the bill is not UTF-8');
  });
});

/** Differences that are planted in a day's bill, each kind of them. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { linesOf, openBillShop, rowsOf, type Shop, sumsOf } from '../bill-support.ts';

const date = '2026-11-24';

let shop: Shop;
beforeEach(async () => {
  shop = await openBillShop();
  await shop.pay('coffee-1', 600);
  await shop.pay('coffee-2', 2800);
  await shop.refund('coffee-2', 'refund-2', 1000);
  shop.at('2026-11-25T10:00:00+08:00');
});
afterEach(async () => shop.stop());

const plant = async (alter: object[], more: object = {}) =>
  shop.control('POST', '/bill', { date, alter, ...more });

const rows = async (bill_date = '20261124') => {
  const { bytes } = await shop.billV2({ bill_date });
  return rowsOf(bytes).map((row) => [
    row['商户订单号'],
    row['商户退款单号'],
    row['交易状态'],
    row['交易状态'] === 'REFUND' ? row['申请退款金额'] : row['订单金额'],
    row['手续费'],
  ]);
};

const PAID_1 = ['coffee-1', '0', 'SUCCESS', '6.00', '0.04000'];
const PAID_2 = ['coffee-2', '0', 'SUCCESS', '28.00', '0.17000'];
const REFUND_2 = ['coffee-2', 'refund-2', 'REFUND', '10.00', '-0.06000'];

describe('a row', () => {
  test('of a payment has another amount, and the sums follow', async () => {
    await plant([{ outTradeNo: 'coffee-1', fen: 500 }]);

    expect(await rows()).toEqual([
      ['coffee-1', '0', 'SUCCESS', '5.00', '0.03000'],
      PAID_2,
      REFUND_2,
    ]);
    expect(sumsOf((await shop.billV2()).bytes)).toEqual([
      '3',
      '33.00',
      '10.00',
      '0.00',
      '0.14000',
      '33.00',
      '10.00',
    ]);
  });

  test('of a refund has another amount; its payment stays', async () => {
    await plant([{ outRefundNo: 'refund-2', fen: 1001 }]);

    expect(await rows()).toEqual([
      PAID_1,
      PAID_2,
      ['coffee-2', 'refund-2', 'REFUND', '10.01', '-0.06000'],
    ]);
  });

  test.each([
    [{ outTradeNo: 'coffee-2' }, [PAID_1, REFUND_2]],
    [{ outRefundNo: 'refund-2' }, [PAID_1, PAID_2]],
  ])('%j is not there', async (name, left) => {
    await plant([{ ...name, remove: true }]);

    expect(await rows()).toEqual(left);
  });

  test('is there twice, or more often', async () => {
    await plant([
      { outTradeNo: 'coffee-1', repeat: true },
      { outRefundNo: 'refund-2', repeat: 2 },
    ]);

    expect(await rows()).toEqual([PAID_1, PAID_1, PAID_2, REFUND_2, REFUND_2, REFUND_2]);
  });

  test('that nobody paid is added by its amount', async () => {
    await plant([{ outTradeNo: 'till-7', fen: 990 }]);
    const added = rowsOf((await shop.billV2()).bytes).at(-1);

    expect(await rows()).toContainEqual(['till-7', '0', 'SUCCESS', '9.90', '0.06000']);
    expect(added).toMatchObject({
      交易时间: '2026-11-24 12:00:00',
      公众账号ID: shop.appid,
      商户号: shop.mchid,
      微信订单号: expect.stringMatching(/^42000000002026\d{14}$/),
    });
  });

  test.each([
    [{ outRefundNo: 'by-hand', fen: 10 }, 'of-by-hand'],
    [{ outRefundNo: 'by-hand', outTradeNo: 'coffee-1', fen: 10 }, 'coffee-1'],
  ])('of a refund that nobody made is added: %j', async (change, outTradeNo) => {
    await plant([change]);

    expect((await rows()).at(-1)).toEqual([outTradeNo, 'by-hand', 'REFUND', '0.10', '0.00000']);
  });

  test('may say something else about the same payment', async () => {
    await plant([
      {
        outTradeNo: 'coffee-1',
        tradeState: 'REVOKED',
        appid: 'wx0000000000000000',
        mchid: '1900000999',
        subMchid: '1900000222',
        transactionId: '4200000000000000000000000001',
        feeFen: 7,
        rate: '0.38%',
      },
    ]);

    expect(rowsOf((await shop.billV2()).bytes)[0]).toMatchObject({
      商户订单号: 'coffee-1',
      交易状态: 'REVOKED',
      公众账号ID: 'wx0000000000000000',
      商户号: '1900000999',
      特约商户号: '1900000222',
      微信订单号: '4200000000000000000000000001',
      手续费: '0.07000',
      费率: '0.38%',
    });
  });

  test('may stand in the next day’s bill', async () => {
    await plant([
      { outTradeNo: 'coffee-2', nextDay: true },
      { outRefundNo: 'refund-2', nextDay: true },
    ]);
    shop.at('2026-11-26T10:00:00+08:00');

    expect(await rows()).toEqual([PAID_1]);
    expect(await rows('20261125')).toEqual([PAID_2, REFUND_2]);
    expect(rowsOf((await shop.billV2({ bill_date: '20261125' })).bytes)[0]).toMatchObject({
      交易时间: '2026-11-25 00:00:00',
    });
  });
});

describe('a bill', () => {
  test('from which everything was taken has no rows, but is one', async () => {
    await plant([
      { outTradeNo: 'coffee-1', remove: true },
      { outTradeNo: 'coffee-2', remove: true },
      { outRefundNo: 'refund-2', remove: true },
    ]);
    const { bytes } = await shop.billV2();

    expect(linesOf(bytes)).toHaveLength(3);
    expect(sumsOf(bytes)[0]).toBe('0');
  });

  test('that is truncated ends in the middle of its last row', async () => {
    const honest = await shop.billV2();
    await plant([], { truncate: true });
    const { question, file } = await shop.billV3();

    expect(honest.text.startsWith(file.text)).toBe(true);
    expect(file.text).not.toContain('总交易单数');
    expect(file.text).toContain('coffee-2');
    expect(question['hash_value']).toBe(
      (await shop.control('GET', `/bill?date=${date}`)).body['sha1'],
    );
  });

  test('may have sums that are not those of its rows', async () => {
    await plant([], { wrongSum: true });

    expect(sumsOf((await shop.billV2()).bytes).slice(0, 2)).toEqual(['3', '34.01']);
  });

  test('may have a hash that is not its own', async () => {
    const honest = await shop.billV3();
    await plant([], { wrongHash: true });
    const { question, file } = await shop.billV3();

    expect(file.bytes).toEqual(honest.file.bytes);
    expect(question['hash_value']).toMatch(/^[0-9a-f]{40}$/);
    expect(question['hash_value']).not.toBe(honest.question['hash_value']);
  });

  test.each([
    [true, {}],
    [false, { tar_type: 'GZIP' }],
  ])('is compressed (%s) whatever was asked for', async (gzip, asked: Record<string, string>) => {
    await plant([], { gzip });
    const { bytes, headers } = await shop.billV2(asked);

    expect(bytes.subarray(0, 2).equals(Buffer.from([0x1f, 0x8b]))).toBe(gzip);
    expect(headers['Content-Type']?.startsWith('application/x-gzip')).toBe(gzip);
  });
});

describe('what is planted', () => {
  test('is shown, with the bill as it would come', async () => {
    await plant([{ outTradeNo: 'coffee-1', fen: 1, repeat: true }], {
      layout: 'legacy',
      bom: true,
    });
    const planted = {
      date,
      layout: 'legacy',
      bom: true,
      alter: [{ outTradeNo: 'coffee-1', fen: 1, repeat: 1 }],
    };

    expect((await shop.control('GET', '/bill')).body).toEqual({ planted: [planted] });
    expect((await shop.control('GET', `/bill?date=${date}`)).body).toMatchObject({
      date,
      state: 'READY',
      planted: [planted],
      rowCount: 4,
      sha1: (await shop.billV3()).question['hash_value'],
      rows: [{ outTradeNo: 'coffee-1', orderedFen: 1 }, {}, {}, {}],
      honestRows: [{ outTradeNo: 'coffee-1', orderedFen: 600 }, {}, {}],
    });
  });

  test.each([
    ['2026-11-23', 'READY'],
    ['2026-11-25', 'NOT_OVER'],
    ['2026-08-01', 'TOO_OLD'],
  ])('of %s is shown too, as a day that is %s', async (day, state) => {
    expect((await shop.control('GET', `/bill?date=${day}`)).body).toEqual({
      date: day,
      state,
      planted: [],
      rowCount: 0,
      sha1: null,
      rows: [],
      honestRows: [],
    });
  });

  test('takes the place of what was planted before; an empty list is an honest bill', async () => {
    await plant([{ outTradeNo: 'coffee-1', remove: true }]);
    await plant([{ outTradeNo: 'coffee-2', remove: true }]);
    expect(await rows()).toEqual([PAID_1, REFUND_2]);
    await plant([], { truncate: false, bom: false });
    expect(await rows()).toEqual([PAID_1, PAID_2, REFUND_2]);
    expect((await shop.control('GET', '/bill')).body).toEqual({ planted: [] });
  });

  test.each([
    ['DELETE', '/bill'],
    ['POST', '/reset'],
  ])('is forgotten by %s %s', async (method, path) => {
    await plant([{ outTradeNo: 'coffee-1', remove: true }]);
    await shop.control(method, path);

    expect((await shop.control('GET', '/bill')).body).toEqual({ planted: [] });
  });

  test.each<[object, number, string]>([
    [{ alter: [] }, 400, 'INVALID_FIELD'],
    [{ date: '20261124', alter: [] }, 400, 'INVALID_FIELD'],
    [{ date, alter: {} }, 400, 'INVALID_FIELD'],
    [{ date, alter: ['coffee-1'] }, 400, 'INVALID_FIELD'],
    [{ date, alter: [], layout: 'old' }, 400, 'INVALID_FIELD'],
    [{ date, alter: [], gzip: 'yes' }, 400, 'INVALID_FIELD'],
    [{ date, alter: [], amount: 1 }, 400, 'UNKNOWN_FIELD'],
    [{ date, alter: [{ outTradeNo: 'coffee-1', amount: 1 }] }, 400, 'UNKNOWN_FIELD'],
    [{ date, alter: [{ fen: 1 }] }, 400, 'MISSING_FIELD'],
    [{ date, alter: [{ outTradeNo: 'coffee-1', fen: 1.5 }] }, 400, 'INVALID_FIELD'],
    [{ date, alter: [{ outTradeNo: 'coffee-1', fen: -1 }] }, 400, 'INVALID_FIELD'],
    [{ date, alter: [{ outTradeNo: 'coffee-1', remove: 1 }] }, 400, 'INVALID_FIELD'],
    [{ date, alter: [{ outTradeNo: 'coffee-1', repeat: 0 }] }, 400, 'INVALID_FIELD'],
    [{ date, alter: [{ outTradeNo: 'coffee-1', tradeState: 'CLOSED' }] }, 400, 'INVALID_FIELD'],
    [{ date, alter: [{ outTradeNo: 'coffee-1', rate: '1%' }] }, 400, 'INVALID_FIELD'],
    [{ date, alter: [{ outTradeNo: 'nobody', remove: true }] }, 404, 'ROW_NOT_FOUND'],
    [
      { date: '2026-11-23', alter: [{ outTradeNo: 'coffee-1', remove: true }] },
      404,
      'ROW_NOT_FOUND',
    ],
  ])('is refused as %j: %i %s', async (body, status, code) => {
    expect(await shop.control('POST', '/bill', body)).toMatchObject({
      status,
      body: { error: { code } },
    });
    expect(await rows()).toEqual([PAID_1, PAID_2, REFUND_2]);
  });

  test('false is the same as nothing', async () => {
    await plant([{ outTradeNo: 'coffee-1', remove: false, repeat: false, nextDay: false }]);

    expect(await rows()).toEqual([PAID_1, PAID_2, REFUND_2]);
  });

  test('of a misspelt query is refused', async () => {
    expect((await shop.control('GET', '/bill?day=2026-11-24')).status).toBe(400);
  });
});

import { beforeEach, describe, expect, test } from 'vitest';
import { checkBill } from '../../lib/daily-bill/run.ts';
import { createOrder } from '../../lib/table/checkout.ts';
import { explainDifference } from '../../lib/table/bill-differences.ts';
import { refundToItem } from '../../lib/table/refund-row.ts';
import {
  type BillDesk,
  billDesk,
  DAY,
  MIDNIGHT,
  MORNING,
  NOON,
  orderAt,
  paymentLine,
  paymentOf,
  refundLine,
  refundOf,
  transactionOf,
} from '../support/bill-desk.ts';
import { allRows, putRow, rowOf, useEmbeddedTables } from '../support/embedded-tables.ts';
import { sampleRefund } from '../support/sample-refunds.ts';
import { watchTable } from '../support/watched-table.ts';

const newTable = useEmbeddedTables();
let desk: BillDesk;

beforeEach(async () => {
  desk = billDesk(await newTable());
});

const kinds = (list: readonly { readonly kind: string; readonly outTradeNo: string }[]) =>
  list.map(({ kind, outTradeNo }) => `${kind} ${outTradeNo}`).toSorted();

/** Every fact of the day's rows, with how often it is there. */
async function factsOfDay(): Promise<string[]> {
  const rows = await allRows(desk.table);
  return rows
    .filter(({ PK }) => PK?.S?.startsWith('BILL#'))
    .flatMap(({ PK, SK, facts }) =>
      (facts?.L ?? []).map(({ M }) => `${PK?.S} ${SK?.S} ${M?.['type']?.S}`),
    )
    .toSorted();
}

const acceptedRefund = (outTradeNo: string, outRefundNo: string, changes: object = {}) =>
  refundToItem(
    sampleRefund({
      outTradeNo,
      outRefundNo,
      transactionId: transactionOf(outTradeNo),
      status: 'SUCCESS',
      refundId: '50000000382026030100000000001',
      acceptedAtEpochSeconds: NOON,
      ...changes,
    }),
  );

describe('a day that adds up', () => {
  test('is balanced, without a read of any order and without a question', async () => {
    await desk.pay('order-0001');
    await desk.pay('order-0002');
    await putRow(desk.table, acceptedRefund('order-0001', 'refund-0001'));
    const sha1 = desk.offer([
      paymentLine('order-0001'),
      refundLine('order-0001', 'refund-0001'),
      paymentLine('order-0002'),
    ]);
    const table = watchTable(desk.table);
    const answer = await checkBill(desk.context({ table }), { date: DAY, runId: 'run' });

    expect(answer).toEqual({
      date: DAY,
      state: 'BALANCED',
      checkedAt: '2026-11-25T02:30:00Z',
      sha1,
      payments: { count: 2, totalFen: 5_600 },
      refunds: { count: 1, totalFen: 800 },
      feesFen: 29,
      rates: ['0.60%'],
      newRates: [],
      carriedOver: 0,
      foreign: 0,
      repaired: [],
      differences: [],
      differenceCount: 0,
      changed: { appeared: 0, gone: 0 },
    });
    expect(desk.asked).toEqual([]);
    expect(table.operations.filter((name) => /BatchGet|Scan/.test(name))).toEqual([]);
    expect(await factsOfDay()).toEqual([`BILL#${DAY} BILL CHECKED`]);
    expect(desk.files.names()).toEqual([]);
  });

  test('of a provider names its own mini-program and the sub-merchant', async () => {
    await desk.pay('order-0001');
    const row = await rowOf(desk.table, 'ORDER#order-0001');
    const provider = { subMchid: { S: '1900000222' }, spAppid: { S: 'wx9999999999999999' } };
    await putRow(desk.table, { ...row, ...provider });
    desk.offer([
      paymentLine('order-0001', 2_800, {
        公众账号ID: 'wx9999999999999999',
        特约商户号: '1900000222',
      }),
    ]);

    expect(await desk.check()).toMatchObject({ state: 'BALANCED', differences: [] });
  });

  test('may lack a refund that WeChat closed', async () => {
    await desk.pay('order-0001');
    await putRow(desk.table, acceptedRefund('order-0001', 'refund-0001', { status: 'CLOSED' }));
    desk.offer([paymentLine('order-0001')]);

    expect(await desk.check()).toMatchObject({ state: 'BALANCED', differences: [] });
  });

  test('without a sale on either side is empty', async () => {
    expect(await desk.check()).toMatchObject({
      state: 'EMPTY',
      payments: { count: 0 },
      differences: [],
    });
  });

  test('is told once, however often it is checked', async () => {
    await desk.pay('order-0001');
    desk.offer([paymentLine('order-0001')]);
    await desk.check();
    await desk.check();

    expect(await factsOfDay()).toEqual([`BILL#${DAY} BILL CHECKED`]);
  });
});

describe('a difference', () => {
  test('of each kind is found, and no other', async () => {
    for (const name of ['there', 'amount', 'merchant', 'fee', 'twice', 'same', 'revoked']) {
      await desk.pay(`order-${name}`);
    }
    await putRow(desk.table, acceptedRefund('order-same', 'refund-there'));
    await putRow(desk.table, acceptedRefund('order-same', 'refund-amount'));
    const sha1 = desk.offer([
      paymentLine('order-here'),
      paymentLine('order-amount', 2_700),
      paymentLine('order-merchant', 2_800, { 特约商户号: '1900000222' }),
      paymentLine('order-fee', 2_800, { 手续费: '0.50000' }),
      paymentLine('order-twice'),
      paymentLine('order-twice'),
      paymentLine('order-same'),
      paymentLine('order-revoked', 2_800, { 交易状态: 'REVOKED' }),
      paymentLine('foreign-001'),
      refundLine('order-same', 'refund-amount', 700),
      refundLine('order-same', 'refund-here'),
    ]);

    const answer = await desk.check();

    expect(kinds(answer.differences)).toEqual([
      'AMOUNT_DIFFERS order-amount',
      'DUPLICATE order-twice',
      'FEE_DIFFERS order-fee',
      'MERCHANT_DIFFERS order-merchant',
      'MISSING_HERE order-here',
      'MISSING_THERE order-there',
      'REFUND_AMOUNT_DIFFERS order-same',
      'REFUND_MISSING_HERE order-same',
      'REFUND_MISSING_THERE order-same',
      'STATE_DIFFERS order-revoked',
    ]);
    expect(answer).toMatchObject({ state: 'DIFFERENCES', differenceCount: 10, foreign: 1 });
    expect(answer.differences.find(({ kind }) => kind === 'AMOUNT_DIFFERS')).toEqual({
      kind: 'AMOUNT_DIFFERS',
      outTradeNo: 'order-amount',
      transactionId: transactionOf('order-amount'),
      hereFen: 2_800,
      thereFen: 2_700,
      line: 3,
      sha1,
      state: 'OPEN',
      wechat: 'NOT_PAID',
    });
    expect(answer.differences.find(({ kind }) => kind === 'FEE_DIFFERS')).toMatchObject({
      hereFen: 16.8,
      thereFen: 50,
    });
    expect(await factsOfDay()).toHaveLength(11);
  });

  test('makes no order: the table has the orders that it had', async () => {
    desk.offer([paymentLine('order-here'), refundLine('order-here', 'refund-here')]);
    await desk.check();

    expect((await allRows(desk.table)).filter(({ PK }) => !PK?.S?.startsWith('BILL#'))).toEqual([]);
  });

  test('in a day for which WeChat has no bill is found, too', async () => {
    await desk.pay('order-0001');

    expect(kinds((await desk.check()).differences)).toEqual(['MISSING_THERE order-0001']);
  });

  test('that is there twice in the order is a duplicate, also with another payment', async () => {
    await desk.pay('order-0001');
    desk.offer([
      paymentLine('order-0001'),
      paymentLine('order-0001', 2_800, { 微信订单号: '4299' }),
    ]);

    expect(kinds((await desk.check()).differences)).toEqual(['DUPLICATE order-0001']);
  });

  test('beyond the first hundred is a row, and counted', async () => {
    desk.offer(Array.from({ length: 103 }, (_, n) => paymentLine(`order-${1_000 + n}`)));
    const answer = await desk.check();

    expect(answer.differences).toHaveLength(100);
    expect(answer.differenceCount).toBe(103);
    expect(await factsOfDay()).toHaveLength(104);
  });

  test('in a row of the index that cannot be read leads there by its line, and rings', async () => {
    await desk.pay('order-0001');
    const row = await rowOf(desk.table, 'ORDER#order-0001');
    await putRow(desk.table, { ...row, totalFen: { S: 'many' } });
    desk.offer([paymentLine('order-0001')]);
    const answer = await desk.check();

    expect(kinds(answer.differences)).toEqual(['MISSING_HERE order-0001']);
    expect(answer.differences).toMatchObject([{ wechat: 'NOT_ASKED' }]);
    expect(desk.log.counts).toMatchObject({ OrderUnreadable: 1 });
  });

  test('is one of a hundred that are shown, and so is a repair', async () => {
    const lines: string[] = [];
    for (let n = 0; n < 101; n += 1) {
      const outTradeNo = `order-${1_000 + n}`;
      await createOrder(desk.table, orderAt(outTradeNo, NOON));
      desk.orders.set(outTradeNo, paymentOf(outTradeNo));
      lines.push(paymentLine(outTradeNo), paymentLine(`till-${1_000 + n}`));
    }
    desk.offer(lines);
    const answer = await desk.check();

    expect(answer.repaired).toHaveLength(100);
    expect(answer.differences).toHaveLength(100);
    expect(answer.differenceCount).toBe(101);
  });

  test('is not looked into when no time is left, but found', async () => {
    await createOrder(desk.table, orderAt('order-0001', NOON));
    desk.orders.set('order-0001', paymentOf('order-0001'));
    desk.offer([paymentLine('order-0001')]);
    const context = desk.context({ remainingMs: () => 179_000 });

    expect(kinds((await checkBill(context, { date: DAY, runId: 'r' })).differences)).toEqual([
      'MISSING_HERE order-0001',
    ]);
    expect(desk.asked).toEqual([]);
  });
});

describe('what WeChat proves', () => {
  test('a payment that no notification told of is recorded', async () => {
    await createOrder(desk.table, orderAt('order-0001', NOON));
    desk.orders.set('order-0001', paymentOf('order-0001'));
    desk.offer([paymentLine('order-0001')]);
    const answer = await desk.check();

    expect(answer).toMatchObject({ state: 'BALANCED', differences: [], differenceCount: 0 });
    expect(answer.repaired).toMatchObject([
      { kind: 'MISSING_HERE', outTradeNo: 'order-0001', repair: 'PAYMENT_RECORDED' },
    ]);
    expect((await rowOf(desk.table, 'ORDER#order-0001'))?.['tradeState']?.S).toBe('SUCCESS');
    expect(await factsOfDay()).toEqual([`BILL#${DAY} BILL CHECKED`]);
  });

  test.each([
    ['NOT_PAID', { kind: 'not-paid', tradeState: 'NOTPAY' }],
    ['CLOSED', { kind: 'not-paid', tradeState: 'CLOSED' }],
    ['NOT_PAID', { kind: 'not-found' }],
  ] as const)('a line alone makes no order paid: WeChat says %s', async (wechat, says) => {
    await createOrder(desk.table, orderAt('order-0001', NOON));
    desk.orders.set('order-0001', says);
    desk.offer([paymentLine('order-0001')]);
    const answer = await desk.check();

    expect(answer.differences).toMatchObject([{ kind: 'STATE_DIFFERS', hereFen: 2_800, wechat }]);
    expect((await rowOf(desk.table, 'ORDER#order-0001'))?.['tradeState']?.S).not.toBe('SUCCESS');
  });

  test.each([
    ['AMOUNT_DIFFERS', paymentOf('order-0001', NOON, 100)],
    [
      'MERCHANT_DIFFERS',
      {
        ...paymentOf('order-0001'),
        payment: { ...paymentOf('order-0001').payment, mchid: '1900000222' },
      },
    ],
    [
      'STATE_DIFFERS',
      {
        ...paymentOf('order-0001'),
        payment: { ...paymentOf('order-0001').payment, openid: 'oSomebodyElse' },
      },
    ],
  ] as const)('a payment that contradicts its order is %s', async (kind, says) => {
    await createOrder(desk.table, orderAt('order-0001', NOON));
    desk.orders.set('order-0001', says);
    desk.offer([paymentLine('order-0001')]);

    expect(kinds((await desk.check()).differences)).toEqual([`${kind} order-0001`]);
  });

  test('nothing while it cannot be asked', async () => {
    await createOrder(desk.table, orderAt('order-0001', NOON));
    desk.offer([paymentLine('order-0001')]);
    const context = desk.context();
    const wechatPay: typeof context.wechatPay = (use) => ({
      ...context.wechatPay(use),
      queryOrder: () => Promise.reject(new Error('down')),
    });
    const answer = await checkBill({ ...context, wechatPay }, { date: DAY, runId: 'run' });

    expect(answer.differences).toMatchObject([{ kind: 'MISSING_HERE', wechat: 'NOT_ASKED' }]);
  });

  test('a refund of the console leaves its order due', async () => {
    await desk.pay('order-0001');
    desk.refunds.set('console-1', refundOf('order-0001', 'console-1'));
    desk.offer([paymentLine('order-0001'), refundLine('order-0001', 'console-1')]);
    const answer = await desk.check();
    const row = await rowOf(desk.table, 'ORDER#order-0001');

    expect(answer.repaired).toMatchObject([
      { kind: 'REFUND_MISSING_HERE', outRefundNo: 'console-1', repair: 'ORDER_LEFT_DUE' },
    ]);
    expect(answer.state).toBe('BALANCED');
    expect(row?.['refundNotices']).toEqual({ SS: ['console-1'] });
    expect(row?.['GSI1SK']?.S).toBe('2026-11-25T02:30:00Z');
  });

  test('a refund of the console whose payment was not known either is found with it', async () => {
    await createOrder(desk.table, orderAt('order-0001', NOON));
    desk.orders.set('order-0001', paymentOf('order-0001'));
    desk.refunds.set('console-1', refundOf('order-0001', 'console-1'));
    desk.offer([refundLine('order-0001', 'console-1')]);
    const answer = await desk.check();

    expect(answer.repaired).toMatchObject([{ repair: 'ORDER_LEFT_DUE' }]);
    expect(kinds(answer.differences)).toEqual([]);
  });

  test('a refund of the console is a difference while its order is not paid', async () => {
    await createOrder(desk.table, orderAt('order-0001', NOON));
    desk.refunds.set('console-1', refundOf('order-0001', 'console-1'));
    desk.offer([refundLine('order-0001', 'console-1')]);

    expect((await desk.check()).differences).toMatchObject([
      { kind: 'REFUND_MISSING_HERE', wechat: 'SUCCESS' },
    ]);
  });

  test('a refund whose outcome was not known is recorded', async () => {
    await desk.pay('order-0001');
    await putRow(
      desk.table,
      acceptedRefund('order-0001', 'refund-0001', {
        status: 'PENDING',
        refundId: undefined,
        acceptedAtEpochSeconds: undefined,
      }),
    );
    desk.refunds.set('refund-0001', refundOf('order-0001', 'refund-0001'));
    desk.offer([paymentLine('order-0001'), refundLine('order-0001', 'refund-0001')]);
    const answer = await desk.check();

    expect(answer.repaired).toMatchObject([{ repair: 'REFUND_RECORDED' }]);
    expect((await rowOf(desk.table, 'ORDER#order-0001', 'REFUND#refund-0001'))?.['status']?.S).toBe(
      'SUCCESS',
    );
  });

  test('a refund that WeChat does not know stays as it is', async () => {
    await desk.pay('order-0001');
    const pending = { status: 'PENDING', refundId: undefined, acceptedAtEpochSeconds: undefined };
    await putRow(desk.table, acceptedRefund('order-0001', 'refund-0001', pending));
    desk.offer([paymentLine('order-0001'), refundLine('order-0001', 'refund-0001')]);

    expect((await desk.check()).differences).toMatchObject([
      { kind: 'REFUND_MISSING_HERE', hereFen: 800, thereFen: 800, wechat: 'NOT_FOUND' },
    ]);
  });

  test('refunds of orders that are not here are told, or foreign by their form', async () => {
    desk.offer([refundLine('order-old', 'refund-1'), refundLine('foreign-1', 'refund-2')]);
    const answer = await desk.check();

    expect(kinds(answer.differences)).toEqual(['REFUND_MISSING_HERE order-old']);
    expect(answer.foreign).toBe(1);
  });

  test('a refund that was accepted on another day is compared with its row', async () => {
    await desk.pay('order-0001');
    const earlier = { acceptedAtEpochSeconds: NOON - 5 * 86_400 };
    await putRow(desk.table, acceptedRefund('order-0001', 'refund-same', earlier));
    await putRow(desk.table, acceptedRefund('order-0001', 'refund-less', earlier));
    desk.offer([
      paymentLine('order-0001'),
      refundLine('order-0001', 'refund-same'),
      refundLine('order-0001', 'refund-less', 700),
    ]);
    const answer = await desk.check();

    expect(answer.differences).toMatchObject([
      { kind: 'REFUND_AMOUNT_DIFFERS', outRefundNo: 'refund-less', hereFen: 800, thereFen: 700 },
    ]);
    expect(answer.carriedOver).toBe(1);
  });
});

describe('around midnight', () => {
  test('a payment of the last second is in its bill', async () => {
    await desk.pay('order-0001', MIDNIGHT - 1);
    await desk.pay('order-0002', MIDNIGHT + 1);
    desk.offer([paymentLine('order-0001', 2_800, { 交易时间: '2026-11-24 23:59:59' })]);

    expect(await desk.check()).toMatchObject({ state: 'BALANCED', carriedOver: 0 });
  });

  test('a payment of the last second may be in the next bill', async () => {
    await desk.pay('order-0001', MIDNIGHT - 1);
    desk.offer([]);
    const first = await desk.check();
    desk.nowSeconds += 86_400;
    desk.offer([paymentLine('order-0001')]);
    const second = await desk.check('2026-11-25');

    expect(first).toMatchObject({ state: 'EMPTY', carriedOver: 1, differences: [] });
    expect(second).toMatchObject({ state: 'BALANCED', carriedOver: 1, differences: [] });
    // And asked again, the first day still has nothing to tell.
    desk.offer([]);
    expect(await desk.check()).toMatchObject({ state: 'EMPTY', differences: [] });
  });

  test('a payment that is in neither bill is missing after the second', async () => {
    await desk.pay('order-0001', MIDNIGHT - 1);
    desk.offer([]);
    await desk.check();
    desk.nowSeconds += 86_400;

    expect(kinds((await desk.check('2026-11-25')).differences)).toEqual([
      'MISSING_THERE order-0001',
    ]);
  });

  test('a payment that the bill has a moment earlier is not missing on its own day', async () => {
    await desk.pay('order-0001', MIDNIGHT + 1);
    desk.offer([paymentLine('order-0001', 2_800, { 交易时间: '2026-11-24 23:59:59' })]);
    const first = await desk.check();
    desk.nowSeconds += 86_400;
    desk.offer([]);

    expect(first).toMatchObject({ state: 'BALANCED', carriedOver: 1 });
    expect(await desk.check('2026-11-25')).toMatchObject({ state: 'EMPTY', differences: [] });
  });

  test('what was carried over and is in the corrected bill is waited for no more', async () => {
    await desk.pay('order-0001', MIDNIGHT - 1);
    desk.offer([]);
    await desk.check();
    desk.offer([paymentLine('order-0001')]);
    await desk.check();
    desk.nowSeconds += 86_400;
    desk.offer([]);

    expect(await desk.check('2026-11-25')).toMatchObject({ state: 'EMPTY', differences: [] });
  });

  test('what a corrected bill does not have any more is missing, on whichever day', async () => {
    await desk.pay('order-late', MIDNIGHT - 1);
    await desk.pay('order-early', MIDNIGHT + 1);
    desk.offer([paymentLine('order-early')]);
    await desk.check();
    desk.nowSeconds += 86_400;
    desk.offer([paymentLine('order-late')]);
    expect(await desk.check('2026-11-25')).toMatchObject({ state: 'BALANCED', carriedOver: 2 });
    // Both bills lose what they had of the other day.
    desk.nowSeconds += 60;
    desk.offer([]);
    const first = await desk.check();
    desk.nowSeconds += 60;
    const second = await desk.check('2026-11-25');

    expect(first).toMatchObject({ state: 'EMPTY', carriedOver: 1, differences: [] });
    expect(kinds(second.differences)).toEqual([
      'MISSING_THERE order-early',
      'MISSING_THERE order-late',
    ]);
    expect((await desk.check()).differences).toEqual([]);
  });

  test('a late payment that a corrected bill lost is missing at once when the next day is over', async () => {
    await desk.pay('order-0001', MIDNIGHT - 1);
    desk.offer([paymentLine('order-0001')]);
    await desk.check();
    desk.nowSeconds += 86_400;
    desk.offer([]);
    await desk.check('2026-11-25');
    const corrected = await desk.check();

    expect(kinds(corrected.differences)).toEqual(['MISSING_THERE order-0001']);
    expect((await desk.check('2026-11-25')).differences).toEqual([]);
  });

  test('a refund of the console that comes to be here a day later is in the bill of the day before', async () => {
    await desk.pay('order-0001');
    desk.refunds.set('console-1', refundOf('order-0001', 'console-1'));
    desk.offer([paymentLine('order-0001'), refundLine('order-0001', 'console-1')]);
    await desk.check();
    const found = { source: 'CONSOLE', acceptedAtEpochSeconds: MORNING + 60 };
    await putRow(desk.table, acceptedRefund('order-0001', 'console-1', found));
    desk.nowSeconds += 86_400;
    desk.offer([]);

    expect(await desk.check('2026-11-25')).toMatchObject({
      state: 'EMPTY',
      carriedOver: 1,
      differences: [],
    });
  });

  test('an order that was paid on quite another day is no difference', async () => {
    await desk.pay('order-0001', NOON - 5 * 86_400);
    await desk.pay('order-0002', NOON - 5 * 86_400);
    desk.offer([paymentLine('order-0001'), paymentLine('order-0002', 1)]);
    const answer = await desk.check();

    expect(answer.carriedOver).toBe(1);
    expect(kinds(answer.differences)).toEqual(['AMOUNT_DIFFERS order-0002']);
  });
});

describe('a bill that is not there', () => {
  test.each([
    ['that is being made', { kind: 'not-ready', reason: 'Bill Creating' }, 'Bill Creating'],
  ] as const)('%s is not ready', async (_, bill, reason) => {
    desk.bill = bill;

    expect(await desk.check()).toMatchObject({ state: 'NOT_READY', reason });
    expect(await factsOfDay()).toEqual([]);
  });

  test('before 10:00 may still be made', async () => {
    desk.nowSeconds = MORNING - 1_801;

    expect(await desk.check()).toMatchObject({
      state: 'NOT_READY',
      reason: 'WeChat has no bill yet',
    });
  });

  test.each(['2026-11-25', '2026-12-01', 'yesterday', '2026-13-01'])(
    'for %s cannot be',
    async (date) => {
      expect(await desk.check(date)).toMatchObject({
        state: 'NOT_READY',
        reason: 'the day is not over',
      });
      expect(await allRows(desk.table)).toEqual([]);
    },
  );

  test('that does not add up changes nothing: the last result stays', async () => {
    await desk.pay('order-0001');
    desk.offer([paymentLine('order-0001')]);
    await desk.check();
    desk.offer([]);
    const { bill } = desk;
    const text = 'x';
    desk.bill = { ...bill, open: () => [Buffer.from(text)] } as never;
    const refused = await desk.check();

    expect(refused).toMatchObject({ state: 'NOT_READY', differences: [] });
    expect(refused.reason).toMatch(/the bill is refused: line 1/);
    expect((await rowOf(desk.table, `BILL#${DAY}`, 'BILL'))?.['state']?.S).toBe('BALANCED');
    expect(await factsOfDay()).toEqual([`BILL#${DAY} BILL CHECKED`]);
  });
});

describe('the rate of fees', () => {
  const at = (rate: string, fee: string) =>
    paymentLine('order-0001', 2_800, { 费率: rate, 手续费: fee });

  test('that is new is told by itself, also after a day without a sale, and is no difference', async () => {
    await desk.pay('order-0001');
    desk.offer([at('0.60%', '0.17000')]);
    expect(await desk.check()).toMatchObject({ rates: ['0.60%'], newRates: [] });
    desk.nowSeconds += 86_400;
    desk.offer([]);
    expect(await desk.check('2026-11-25')).toMatchObject({ rates: ['0.60%'], newRates: [] });
    desk.nowSeconds += 86_400;
    desk.offer([at('0.38%', '0.11000')]);

    expect(await desk.check('2026-11-26')).toMatchObject({
      state: 'BALANCED',
      rates: ['0.38%'],
      newRates: ['0.38%'],
    });
  });

  test('may be several, the lowest first', async () => {
    desk.offer([at('0.60%', '0.17000'), at('0.38%', '0.11000')]);

    expect((await desk.check()).rates).toEqual(['0.38%', '0.60%']);
  });

  test('is not asked of a refund', async () => {
    desk.offer([refundLine('foreign-1', 'refund-1')]);

    expect((await desk.check()).rates).toEqual([]);
  });
});

test('a provider’s result names the sub-merchant whose bill it is', async () => {
  const findParties = async () => ({ appid: 'wx', mchid: '1', subMchid: '1900000222' });

  expect(await checkBill(desk.context({ findParties }), { date: DAY, runId: 'run' })).toMatchObject(
    { state: 'EMPTY', subMchid: '1900000222' },
  );
});

describe('a second bill', () => {
  test('replaces the first and says what changed', async () => {
    desk.offer([paymentLine('order-0001'), paymentLine('order-0002')]);
    await desk.check();
    desk.offer([paymentLine('order-0002'), paymentLine('order-0003')]);
    const second = await desk.check();

    expect(kinds(second.differences)).toEqual([
      'MISSING_HERE order-0002',
      'MISSING_HERE order-0003',
    ]);
    expect(second.changed).toEqual({ appeared: 1, gone: 1 });
    const facts = await factsOfDay();
    expect(facts.filter((each) => each.endsWith('DIFFERENCE'))).toHaveLength(3);
    expect(facts.filter((each) => each.endsWith('CHECKED'))).toHaveLength(2);
  });

  test('leaves alone what a person has explained, and tells it no second time', async () => {
    desk.offer([paymentLine('order-0001')]);
    await desk.check();
    const name = {
      kind: 'MISSING_HERE',
      subject: 'payment',
      key: transactionOf('order-0001'),
    } as const;
    expect(await explainDifference(desk.table, DAY, name, 'the till of shop 3')).toBe('explained');
    const second = await desk.check();

    expect(second.differences).toMatchObject([{ state: 'EXPLAINED', note: 'the till of shop 3' }]);
    expect((await factsOfDay()).filter((each) => each.endsWith('DIFFERENCE'))).toHaveLength(1);
    expect(await explainDifference(desk.table, DAY, { ...name, key: '1' }, 'x')).toBe('not-open');
  });

  test('after a repair tells nothing of it again', async () => {
    await createOrder(desk.table, orderAt('order-0001', NOON));
    desk.orders.set('order-0001', paymentOf('order-0001'));
    desk.offer([paymentLine('order-0001')]);
    await desk.check();
    const second = await desk.check();

    expect(second).toMatchObject({ state: 'BALANCED', differences: [], repaired: [] });
    expect(await factsOfDay()).toEqual([`BILL#${DAY} BILL CHECKED`]);
    expect(desk.asked).toEqual(['order-0001']);
  });
});

describe('two runs of a day', () => {
  test('are one: the second waits and has the result of the first', async () => {
    desk.offer([paymentLine('order-0001')]);
    const gate = Promise.withResolvers<void>();
    const slow = desk.context({
      findParties: async () => {
        await gate.promise;
        return { appid: 'wx', mchid: '1' };
      },
    });
    const first = checkBill(slow, { date: DAY, runId: 'first' });
    await expect
      .poll(async () => (await rowOf(desk.table, `BILL#${DAY}`, 'BILL'))?.['runId']?.S)
      .toBe('first');
    const waiting = desk.context({
      startTimer: (_delayMs, run) => {
        gate.resolve();
        const timer = setTimeout(run, 5);
        return () => clearTimeout(timer);
      },
    });
    const second = await checkBill(waiting, { date: DAY, runId: 'second' });

    expect(second).toEqual(await first);
    expect(second.differenceCount).toBe(1);
    expect((await rowOf(desk.table, `BILL#${DAY}`, 'BILL'))?.['checkedBy']?.S).toBe('first');
  });

  test('are not waited for beyond the time that there is', async () => {
    await putLease(desk.nowSeconds * 1000 + 60_000);
    const context = desk.context({ remainingMs: () => 59_000 });

    expect(await checkBill(context, { date: DAY, runId: 'run' })).toMatchObject({
      state: 'NOT_READY',
      reason: 'another run is under way',
    });
  });

  test('of which the first was killed: the second takes over when the lease is over', async () => {
    await putLease(desk.nowSeconds * 1000 + 1_500);
    desk.offer([paymentLine('order-0001')]);
    const context = desk.context({
      startTimer: (delayMs, run) => {
        desk.nowSeconds += delayMs / 1000;
        const timer = setTimeout(run, 1);
        return () => clearTimeout(timer);
      },
    });

    expect(await checkBill(context, { date: DAY, runId: 'run' })).toMatchObject({
      state: 'DIFFERENCES',
      differenceCount: 1,
    });
  });

  const putLease = (untilMs: number) =>
    putRow(desk.table, {
      PK: { S: `BILL#${DAY}` },
      SK: { S: 'BILL' },
      runId: { S: 'other' },
      leaseUntilMs: { N: String(untilMs) },
    });

  test('of which the first failed are not held up, and it says so', async () => {
    const context = desk.context({ findParties: () => Promise.reject(new Error('no secret')) });

    await expect(checkBill(context, { date: DAY, runId: 'first' })).rejects.toThrow('no secret');
    expect(await desk.check()).toMatchObject({ state: 'EMPTY' });
  });

  test('are kept apart by a lease that is renewed while a run goes on, and is not after its end', async () => {
    const renewals: (() => void)[] = [];
    const gate = Promise.withResolvers<void>();
    const context = desk.context({
      startTimer: (_delayMs, run) => {
        renewals.push(run);
        return () => undefined;
      },
      findParties: async () => {
        await gate.promise;
        return { appid: 'wx', mchid: '1' };
      },
    });
    const leaseUntil = async () =>
      Number((await rowOf(desk.table, `BILL#${DAY}`, 'BILL'))?.['leaseUntilMs']?.N);
    const running = checkBill(context, { date: DAY, runId: 'first' });
    await expect.poll(leaseUntil).toBe(desk.nowSeconds * 1000 + 60_000);
    desk.nowSeconds += 15;
    renewals.at(-1)?.();
    await expect.poll(leaseUntil).toBe(desk.nowSeconds * 1000 + 60_000);
    await expect.poll(() => renewals.length).toBe(2);
    gate.resolve();
    await running;
    // One that was on its way when the run ended.
    renewals.at(-1)?.();
    await desk.check('2026-11-23');

    expect(await leaseUntil()).toBe(0);
    expect(renewals).toHaveLength(2);
  });

  test('of which the first lost its lease: it writes no result', async () => {
    desk.offer([paymentLine('order-0001')]);
    const context = desk.context();
    const stolen = {
      ...context,
      isForeign: () => false,
      log: {
        ...context.log,
        info: () => undefined,
      },
      findParties: async () => {
        await putLease(desk.nowSeconds * 1000 + 60_000);
        return { appid: 'wx', mchid: '1' };
      },
    };

    await expect(checkBill(stolen, { date: DAY, runId: 'first' })).rejects.toThrow(/lease/);
    expect((await rowOf(desk.table, `BILL#${DAY}`, 'BILL'))?.['state']).toBeUndefined();
  });
});

test('a run that is killed at any write is run again without a repair or a word too much', async () => {
  let kills: number | undefined;
  for (let survives = 0; kills === undefined; survives += 1) {
    desk = billDesk(await newTable());
    await createOrder(desk.table, orderAt('order-0001', NOON));
    desk.orders.set('order-0001', paymentOf('order-0001'));
    await desk.pay('order-0002');
    desk.refunds.set('console-1', refundOf('order-0002', 'console-1'));
    await desk.pay('order-0003', MIDNIGHT - 1);
    desk.offer([
      paymentLine('order-0001'),
      paymentLine('order-0002'),
      refundLine('order-0002', 'console-1'),
      paymentLine('order-0009'),
    ]);
    let writes = 0;
    const killed = watchTable(desk.table, async ({ name, send }) => {
      if (/Put|Update|Delete|Transact/.test(name)) {
        writes += 1;
        if (writes > survives) {
          throw new Error('killed');
        }
      }
      return send();
    });
    const first = await checkBill(desk.context({ table: killed }), {
      date: DAY,
      runId: 'first',
    }).then(
      () => 'whole',
      () => 'killed',
    );
    desk.nowSeconds += 120;
    const second = await desk.check(DAY, 'second');

    expect(kinds(second.differences)).toEqual(['MISSING_HERE order-0009']);
    expect(second).toMatchObject({ state: 'DIFFERENCES', carriedOver: 1 });
    expect((await rowOf(desk.table, 'ORDER#order-0001'))?.['factCount']?.N).toBe('1');
    expect((await rowOf(desk.table, 'ORDER#order-0002'))?.['refundNotices']).toEqual({
      SS: ['console-1'],
    });
    const facts = await factsOfDay();
    expect(facts.filter((each) => each.endsWith('DIFFERENCE'))).toHaveLength(1);
    if (first === 'whole') {
      kills = survives;
    }
  }
  expect(kills).toBeGreaterThan(5);
});

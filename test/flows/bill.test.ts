/** The bill of a day on the whole stack: what is true is balanced, what is planted is told, what is lost is found. */
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Stack, startStack } from '../../local/stack.ts';
import {
  type BillStack,
  dayAfter,
  LATTE_FEN,
  linesOf,
  openBillStack,
} from '../support/bill-stack.ts';
import { type Buyer, eventually } from '../support/shop.ts';

const NONE = { count: 0, totalFen: 0 };

describe.each(['v2', 'v3'] as const)('the bill of a day by API %s', (apiVersion) => {
  let stack: Stack;
  let shop: BillStack;
  let alice: Buyer;

  beforeAll(async () => {
    vi.resetModules();
    stack = await startStack({
      inMemory: true,
      port: 0,
      simulatorPort: 0,
      schedule: false,
      // Rows are looked at.
      record: true,
      log: 'silent',
      apiVersion,
    });
    shop = openBillStack(stack);
  });
  afterAll(() => stack.stop());

  let date: string;
  beforeEach(async () => {
    date = await shop.beginDay();
    alice = await shop.login('alice');
  });

  async function sell(count: number): Promise<string[]> {
    const orders: string[] = [];
    for (let sold = 0; sold < count; sold += 1) {
      const outTradeNo = await shop.pay(alice);
      await shop.known(outTradeNo);
      orders.push(outTradeNo);
    }
    return orders;
  }

  const totalOf = (count: number) => ({ count, totalFen: count * LATTE_FEN });

  const nothingCompared = (reason: unknown) => ({
    date,
    state: 'NOT_READY',
    reason,
    payments: NONE,
    refunds: NONE,
    feesFen: 0,
    carriedOver: 0,
    foreign: 0,
    repaired: [],
    differences: [],
    differenceCount: 0,
    changed: { appeared: 0, gone: 0 },
  });

  test('is balanced when all agrees, and not before there is one', async () => {
    await sell(2);
    expect(await shop.bill(date)).toEqual(nothingCompared('the day is not over'));
    await shop.advanceTo(date, 24 + 8);
    expect(await shop.bill(date)).toEqual(nothingCompared(expect.any(String)));
    await shop.endDay(date);

    expect(await shop.bill(date)).toEqual({
      date,
      state: 'BALANCED',
      checkedAt: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T03:0\d:\d\dZ$/),
      sha1: expect.stringMatching(/^[0-9a-f]{40}$/),
      payments: totalOf(2),
      refunds: NONE,
      feesFen: 34,
      rates: ['0.60%'],
      newRates: [],
      carriedOver: 0,
      foreign: 0,
      repaired: [],
      differences: [],
      differenceCount: 0,
      changed: { appeared: 0, gone: 0 },
    });
  });

  test('of a day without a sale is empty', async () => {
    await shop.endDay(date);

    expect(await shop.bill(date)).toMatchObject({
      date,
      state: 'EMPTY',
      payments: NONE,
      refunds: NONE,
    });
  });

  test('finds a payment whose notification was lost', async () => {
    await shop.control('faults', { point: 'notify', kind: 'lost' });
    const outTradeNo = await shop.pay(alice);
    await shop.endDay(date);
    const answer = await shop.bill(date);
    const again = await shop.bill(date);
    await shop.forgetFaults();

    expect(answer).toMatchObject({
      state: 'BALANCED',
      payments: totalOf(1),
      differences: [],
      repaired: [{ kind: 'MISSING_HERE', outTradeNo, repair: 'PAYMENT_RECORDED' }],
    });
    expect((await shop.stored(outTradeNo)).row['tradeState']).toBe('SUCCESS');
    expect(again).toMatchObject({ state: 'BALANCED', repaired: [], differences: [] });
  });

  test('leaves an order with a refund of the console due, and the next bill invents nothing', async () => {
    const [outTradeNo = ''] = await sell(1);
    await shop.control('faults', { point: 'notify', kind: 'lost' });
    const { outRefundNo } = await shop.control<{ outRefundNo: string }>(
      `orders/${outTradeNo}/refund-in-console`,
      { refundFen: 800 },
    );
    await shop.endDay(date);
    const answer = await shop.bill(date);
    expect(answer).toMatchObject({
      state: 'BALANCED',
      payments: totalOf(1),
      refunds: { count: 1, totalFen: 800 },
      differences: [],
      repaired: [
        { kind: 'REFUND_MISSING_HERE', outTradeNo, outRefundNo, repair: 'ORDER_LEFT_DUE' },
      ],
    });

    await shop.invoke('reconcile', {});
    const { row, refunds } = await shop.stored(outTradeNo);
    expect(row).toMatchObject({ tradeState: 'REFUND', refundableFen: LATTE_FEN - 800 });
    expect(refunds).toMatchObject([
      { SK: `REFUND#${outRefundNo}`, refundFen: 800, status: 'SUCCESS', source: 'CONSOLE' },
    ]);
    const next = dayAfter(date);
    await shop.endDay(next);
    const nextDay = await shop.bill(next);
    const again = await shop.bill(date);
    await shop.forgetFaults();

    expect(again).toMatchObject({ state: 'BALANCED', differences: [] });
    expect(nextDay).toMatchObject({ state: 'EMPTY', differences: [], repaired: [] });
  });

  test('tells planted differences of every kind, each once, and nothing else', async () => {
    const orders = await sell(8);
    const [there = '', amount = '', merchant = '', fee = '', twice = '', state = ''] = orders;
    const [, , , , , , refundThere = '', refundAmount = ''] = orders;
    const refundNumbers: string[] = [];
    for (const outTradeNo of [refundThere, refundAmount]) {
      const made = await shop.control<{ outRefundNo: string }>(
        `orders/${outTradeNo}/refund-in-console`,
        { refundFen: 800 },
      );
      refundNumbers.push(made.outRefundNo);
      await eventually(
        async () => {
          await shop.invoke('reconcile', {});
          return (await shop.stored(outTradeNo)).refunds.length;
        },
        (count) => count === 1,
      );
    }
    const [missingRefund = '', otherRefund = ''] = refundNumbers;
    await shop.endDay(date);
    await shop.plant(date, [
      { outTradeNo: there, remove: true },
      { outTradeNo: amount, fen: 2_700 },
      { outTradeNo: merchant, mchid: '1900000999' },
      { outTradeNo: fee, feeFen: 50 },
      { outTradeNo: twice, repeat: true },
      { outTradeNo: state, tradeState: 'REVOKED' },
      { outTradeNo: 'till-0001', fen: 990 },
      { outRefundNo: missingRefund, remove: true },
      { outRefundNo: otherRefund, fen: 700 },
      { outRefundNo: 'till-refund-1', outTradeNo: 'till-0000', fen: 90 },
    ]);
    const answer = await shop.bill(date);
    const again = await shop.bill(date);

    expect(linesOf(answer.differences)).toEqual(
      [
        `MISSING_THERE ${there}`,
        `AMOUNT_DIFFERS ${amount}`,
        `MERCHANT_DIFFERS ${merchant}`,
        `FEE_DIFFERS ${fee}`,
        `DUPLICATE ${twice}`,
        `STATE_DIFFERS ${state}`,
        'MISSING_HERE till-0001',
        `REFUND_MISSING_THERE ${refundThere} ${missingRefund}`,
        `REFUND_AMOUNT_DIFFERS ${refundAmount} ${otherRefund}`,
        'REFUND_MISSING_HERE till-0000 till-refund-1',
      ].toSorted(),
    );
    expect(answer).toMatchObject({ state: 'DIFFERENCES', differenceCount: 10, repaired: [] });
    const amounts = (kind: string) => {
      const { hereFen, thereFen } = answer.differences.find((one) => one.kind === kind) ?? {};
      return [hereFen, thereFen];
    };
    expect(amounts('AMOUNT_DIFFERS')).toEqual([2_800, 2_700]);
    expect(amounts('REFUND_AMOUNT_DIFFERS')).toEqual([800, 700]);
    expect(amounts('MISSING_HERE')).toEqual([undefined, 990]);
    expect(amounts('MISSING_THERE')).toEqual([2_800, undefined]);
    expect(amounts('REFUND_MISSING_HERE')).toEqual([undefined, 90]);
    expect(amounts('REFUND_MISSING_THERE')).toEqual([800, undefined]);
    expect(amounts('FEE_DIFFERS')).toEqual([16.8, 50]);
    for (const one of answer.differences) {
      expect(one.line === undefined).toBe(/MISSING_THERE/.test(one.kind));
      expect(one.sha1).toBe(one.line === undefined ? undefined : answer.sha1);
    }
    expect({ ...again, checkedAt: '' }).toEqual({ ...answer, checkedAt: '' });

    // WeChat corrects its bill: all of it is gone, and the result says so.
    await shop.plant(date, []);
    expect(await shop.bill(date)).toMatchObject({
      state: 'BALANCED',
      payments: totalOf(8),
      refunds: { count: 2, totalFen: 1_600 },
      differences: [],
      changed: { appeared: 0, gone: 10 },
    });
  }, 120_000);

  test('holds the first hundred differences, and counts all', async () => {
    await shop.endDay(date);
    await shop.plant(
      date,
      Array.from({ length: 130 }, (_, at) => ({ outTradeNo: `till-${1_000 + at}`, fen: 100 })),
    );
    const answer = await shop.bill(date);

    expect(answer).toMatchObject({ state: 'DIFFERENCES', differenceCount: 130 });
    expect(answer.differences).toHaveLength(100);
  });

  test.each([
    ['truncated', { truncate: true }],
    ['whose sums are wrong', { wrongSum: true }],
    ...(apiVersion === 'v3' ? ([['of another SHA-1', { wrongHash: true }]] as const) : []),
  ] as const)('that is %s changes nothing', async (_, damage) => {
    await shop.control('faults', { point: 'notify', kind: 'lost' });
    const outTradeNo = await shop.pay(alice);
    await shop.endDay(date);
    await shop.plant(date, [], damage);
    const refused = await shop.bill(date);
    const untouched = await shop.stored(outTradeNo);
    await shop.plant(date, []);
    const whole = await shop.bill(date);
    await shop.forgetFaults();

    expect(refused).toEqual(nothingCompared(expect.any(String)));
    expect(untouched.row['tradeState']).toBe('NOTPAY');
    expect(whole).toMatchObject({ state: 'BALANCED', repaired: [{ outTradeNo }] });
    await shop.plant(date, [], damage);
    expect(await shop.bill(date)).toMatchObject({ state: 'NOT_READY' });
    expect(await shop.bill(date, { show: true })).toEqual({ ...whole, repaired: whole.repaired });
  });

  test('carries over what WeChat puts into the next one', async () => {
    await shop.advanceTo(date, 24 - 0.05);
    alice = await shop.login('alice');
    const [outTradeNo = ''] = await sell(1);
    await shop.endDay(date);
    await shop.plant(date, [{ outTradeNo, nextDay: true }]);
    const first = await shop.bill(date);
    const next = dayAfter(date);
    await shop.endDay(next);
    const second = await shop.bill(next);

    expect(first).toMatchObject({ state: 'EMPTY', carriedOver: 1, differences: [] });
    expect(second).toMatchObject({ state: 'BALANCED', carriedOver: 1, differences: [] });
  });
});

import { beforeEach, describe, expect, test } from 'vitest';
import type { Refund } from '../../lib/refund/refund.ts';
import { markBalanceGood, markBalanceShort, probeFreeAt } from '../../lib/table/balance.ts';
import type { Table } from '../../lib/table/client.ts';
import type { Turns } from '../../lib/table/refund-account.ts';
import { listRefunds, readRefund, reserveRefund } from '../../lib/table/refunds.ts';
import { atOnce } from '../support/at-once.ts';
import { allRows, putRow, rowOf, useEmbeddedTables } from '../support/embedded-tables.ts';
import { accountOf, givePaidOrder } from '../support/paid-order.ts';
import { orderId, sampleOrder } from '../support/sample-orders.ts';
import { ASKED_AT, OUT_REFUND_NO, sampleRefund } from '../support/sample-refunds.ts';
import { createOrder } from '../../lib/table/checkout.ts';
import { watchTable } from '../support/watched-table.ts';

const newTable = useEmbeddedTables();
let table: Table;

beforeEach(async () => {
  table = await newTable();
});

const NONE: Turns = { nowEpochSeconds: ASKED_AT, order: false, probe: false };
const TURN: Turns = { ...NONE, order: true };
const id = { ...orderId(), outRefundNo: OUT_REFUND_NO };

const reserve = (changes: Partial<Refund> = {}, turns = NONE, key?: string, on = table) =>
  reserveRefund(on, sampleRefund(changes), turns, key);

describe('a reservation', () => {
  test('takes the money, writes the refund, claims its number and binds the key, in one transaction', async () => {
    await givePaidOrder(table);
    const watched = watchTable(table);

    expect(await reserve({}, TURN, 'digest', watched)).toBe('reserved');
    expect(watched.operations).toEqual(['TransactWriteItems']);
    expect(await accountOf(table)).toMatchObject({
      tradeState: 'SUCCESS',
      refundableFen: 2000,
      refundedFen: 800,
      refundCount: 1,
      sentAt: '2026-03-01T02:02:00Z',
      provedFen: undefined,
    });
    const situation = await readRefund(table, id, 'digest');
    expect(situation.refund).toEqual(sampleRefund());
    expect(situation.keyFingerprint).toBe('f'.repeat(64));
    expect(await rowOf(table, 'REFUNDNUMBER#1900000109#refund-0001', 'REFUNDNUMBER')).toMatchObject(
      {
        orderPK: { S: 'ORDER#order-0001' },
      },
    );
  });

  test('without a turn leaves the turn to whoever has it', async () => {
    await givePaidOrder(table);
    await reserve();

    expect((await accountOf(table)).sentAt).toBeUndefined();
  });

  test.each([
    ['more than is left', { refundFen: 2801 }],
    ['of an order that is not there', { outTradeNo: 'order-0002' }],
  ])('of %s changes nothing', async (_, changes) => {
    await givePaidOrder(table);

    expect(await reserve(changes)).toBe('changed-meanwhile');
    expect(await allRows(table)).toHaveLength(1);
    expect((await accountOf(table)).refundableFen).toBe(2800);
  });

  test('of an unpaid order changes nothing', async () => {
    await createOrder(table, sampleOrder());

    expect(await reserve()).toBe('changed-meanwhile');
    expect(await allRows(table)).toHaveLength(1);
  });

  test('of an order that was paid before its row kept account counts from the whole payment', async () => {
    await givePaidOrder(table);
    const { refundableFen: _, ...row } = (await rowOf(table, 'ORDER#order-0001')) ?? {};
    await putRow(table, row);

    expect(await reserve({ refundFen: 2801 })).toBe('changed-meanwhile');
    expect(await reserve({ refundFen: 2800 })).toBe('reserved');
    expect((await accountOf(table)).refundableFen).toBe(0);
  });

  test('under a number of another order says so, and under its own that the rows changed', async () => {
    await givePaidOrder(table);
    await givePaidOrder(table, { outTradeNo: 'order-0002' });
    await reserve();

    expect(await reserve({ outTradeNo: 'order-0002' })).toBe('number-taken');
    expect(await reserve()).toBe('changed-meanwhile');
    expect((await accountOf(table)).refundCount).toBe(1);
    expect((await accountOf(table, 'order-0002')).refundCount).toBeUndefined();
  });

  test('under a key of another refund says that the rows changed', async () => {
    await givePaidOrder(table);
    await reserve({}, NONE, 'digest');

    expect(await reserve({ outRefundNo: 'refund-0002' }, NONE, 'digest')).toBe('changed-meanwhile');
    expect((await accountOf(table)).refundableFen).toBe(2000);
  });

  test('takes the turn once a minute', async () => {
    await givePaidOrder(table);
    const next = (outRefundNo: string, afterSeconds: number) =>
      reserve({ outRefundNo }, { ...TURN, nowEpochSeconds: ASKED_AT + afterSeconds });

    expect(await next('a', 0)).toBe('reserved');
    expect(await next('b', 59)).toBe('changed-meanwhile');
    expect(await next('c', 60)).toBe('reserved');
    // A clock that was set back by an hour holds nobody up.
    expect(await next('d', -3600)).toBe('reserved');
  });

  test('of a tenth, a hundred at once, gives back the payment and no more', async () => {
    await givePaidOrder(table);
    const outcomes = await atOnce(100, (index) =>
      reserve({ outRefundNo: `r-${index}`, refundFen: 280 }),
    );

    expect(outcomes.filter((outcome) => outcome === 'reserved')).toHaveLength(10);
    expect(await accountOf(table)).toMatchObject({
      refundableFen: 0,
      refundedFen: 2800,
      refundCount: 10,
    });
    expect(await listRefunds(table, orderId())).toHaveLength(10);
  });

  test('is made 50 times of one order at most', async () => {
    await givePaidOrder(table);
    const outcomes = await atOnce(60, (index) =>
      reserve({ outRefundNo: `r-${index}`, refundFen: 1 }),
    );

    expect(outcomes.filter((outcome) => outcome === 'reserved')).toHaveLength(50);
    expect((await accountOf(table)).refundableFen).toBe(2750);
  });
});

describe('one read', () => {
  test('tells all that decides about a refund', async () => {
    const order = await givePaidOrder(table);
    const watched = watchTable(table);

    expect(await readRefund(watched, id, 'digest')).toEqual({
      order,
      refund: undefined,
      keyFingerprint: undefined,
      shortBalance: undefined,
    });
    expect(watched.operations).toEqual(['BatchGetItem']);
  });

  test('finds nothing of an order that is not there', async () => {
    expect(await readRefund(table, id)).toEqual({});
  });
});

describe("an order's refunds", () => {
  test('are all there is of them, page by page, and no other row of the order', async () => {
    await givePaidOrder(table);
    await reserve({ outRefundNo: 'a' }, NONE, 'digest');
    await reserve({ outRefundNo: 'b' });
    const paged = watchTable(table, async ({ input, send }) => {
      (input as Record<string, unknown>)['Limit'] = 1;
      return send();
    });

    const refunds = await listRefunds(paged, orderId());

    expect(refunds.map(({ outRefundNo }) => outRefundNo)).toEqual(['a', 'b']);
    expect(paged.operations.length).toBeGreaterThan(1);
  });
});

describe('a balance that is too short', () => {
  const shortBalance = async () => (await readRefund(table, id)).shortBalance;
  const probing = (outRefundNo: string, afterSeconds: number) =>
    reserve({ outRefundNo }, { ...NONE, probe: true, nowEpochSeconds: ASKED_AT + afterSeconds });

  test('is known to every refund of the merchant until WeChat takes one again', async () => {
    expect(await shortBalance()).toBeUndefined();
    await markBalanceGood(table, orderId());
    expect(await shortBalance()).toBeUndefined();
    await markBalanceShort(table, orderId(), ASKED_AT);
    expect(await shortBalance()).toEqual({ probedAtEpochSeconds: ASKED_AT });
    await markBalanceGood(table, orderId());
    expect(await shortBalance()).toBeUndefined();
    await markBalanceShort(table, { ...orderId(), merchantKey: 'tea' }, ASKED_AT);
    expect(await shortBalance()).toBeUndefined();
  });

  test.each([
    [0, 60],
    [-60, 0],
    // A clock that was set back holds nobody up.
    [1, 0],
  ])('that was asked about %i s ago may be asked about in %i s', (ago, inSeconds) => {
    const probedAtEpochSeconds = ASKED_AT + ago;

    expect(probeFreeAt({ probedAtEpochSeconds }, ASKED_AT)).toBe(ASKED_AT + inSeconds);
  });

  test('is short since the first refusal', async () => {
    await markBalanceShort(table, orderId(), ASKED_AT);
    await markBalanceShort(table, orderId(), ASKED_AT + 60);

    expect(await rowOf(table, 'BALANCE', 'BALANCE')).toMatchObject({
      shortSince: { S: '2026-03-01T02:02:00Z' },
      probedAt: { S: '2026-03-01T02:03:00Z' },
    });
  });

  test('is asked about by one refund a minute', async () => {
    await givePaidOrder(table);
    await markBalanceShort(table, orderId(), ASKED_AT);

    expect(await probing('a', 59)).toBe('changed-meanwhile');
    expect(await probing('b', 60)).toBe('reserved');
    expect(await probing('c', 60)).toBe('changed-meanwhile');
    expect(await probing('d', -3600)).toBe('reserved');
  });
});

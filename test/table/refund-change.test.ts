import { beforeEach, describe, expect, test } from 'vitest';
import type { Refund } from '../../lib/refund/refund.ts';
import { effectOfRefusal, type OrderEffect } from '../../lib/refund/transition.ts';
import type { Table } from '../../lib/table/client.ts';
import { changeRefund as change, recordConsoleRefund } from '../../lib/table/refund-change.ts';
import { readRefund, reserveRefund } from '../../lib/table/refunds.ts';
import { atOnce } from '../support/at-once.ts';
import { allRows, useEmbeddedTables } from '../support/embedded-tables.ts';
import { accountOf, givePaidOrder } from '../support/paid-order.ts';
import { orderId } from '../support/sample-orders.ts';
import { ASKED_AT, OUT_REFUND_NO, sampleRefund } from '../support/sample-refunds.ts';

const newTable = useEmbeddedTables();
let table: Table;

beforeEach(async () => {
  table = await newTable();
});

const NOW_MS = (ASKED_AT + 5) * 1000;
const changeRefund = async (...of: Parameters<typeof change>) => (await change(...of)).change;

const NOTHING: OrderEffect = { takesFen: 0, provesFen: 0, counts: 0, refunds: false };
const ACCEPTED: OrderEffect = { ...NOTHING, provesFen: 800, refunds: true };

async function given(changes: Partial<Refund> = {}): Promise<Refund> {
  const refund = sampleRefund(changes);
  const turns = { nowEpochSeconds: ASKED_AT, order: false, probe: false };
  expect(await reserveRefund(table, refund, turns, undefined)).toBe('reserved');
  return refund;
}

const stored = async (outRefundNo = OUT_REFUND_NO) =>
  (await readRefund(table, { ...orderId(), outRefundNo })).refund;

describe('a change of a refund', () => {
  test('writes what differs, takes away what is gone, and moves its time forward', async () => {
    await givePaidOrder(table);
    const before = await given({ waitingFor: 'PAUSE' });
    const after = { ...before, waitingFor: undefined, attempts: 1, checks: 2 };

    expect(await changeRefund(table, before, after, { nowMs: NOW_MS })).toBe('written');
    expect(await stored()).toEqual({ ...after, changedAtEpochMs: NOW_MS });
  });

  test('is refused when somebody else changed the row, also in the same millisecond', async () => {
    await givePaidOrder(table);
    const before = await given();
    const nowMs = before.changedAtEpochMs;
    const outcomes = await atOnce(20, (index) =>
      changeRefund(table, before, { ...before, checks: index + 1 }, { nowMs }),
    );

    expect(outcomes.filter((outcome) => outcome === 'written')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'changed-meanwhile')).toHaveLength(19);
    expect((await stored())?.changedAtEpochMs).toBe(nowMs + 1);
  });

  test('that releases the money does so once, however many do it at once', async () => {
    await givePaidOrder(table);
    const before = await given();
    const after = { ...before, status: 'CLOSED', nextCheckAtEpochSeconds: undefined } as const;
    const effect = effectOfRefusal(before);
    await atOnce(20, () => changeRefund(table, before, after, { effect, nowMs: NOW_MS }));

    expect(await accountOf(table)).toMatchObject({
      refundableFen: 2800,
      refundedFen: 0,
      refundCount: 0,
    });
  });

  test('that WeChat accepted makes the order REFUND', async () => {
    await givePaidOrder(table);
    const before = await given();
    const after = { ...before, status: 'PROCESSING' } as const;

    expect(await changeRefund(table, before, after, { effect: ACCEPTED, nowMs: NOW_MS })).toBe(
      'written',
    );
    expect(await accountOf(table)).toMatchObject({
      tradeState: 'REFUND',
      refundableFen: 2000,
      provedFen: 800,
    });
  });

  test.each([
    ['the order', { order: true, probe: false }],
    ['the merchant', { order: false, probe: true }],
  ])('that takes the turn of %s is refused while another has it', async (_, taken) => {
    await givePaidOrder(table);
    const first = await given({ outRefundNo: 'first' });
    const second = await given({ outRefundNo: 'second' });
    const turns = { nowEpochSeconds: ASKED_AT + 5, ...taken };
    const send = (refund: Refund) =>
      changeRefund(table, refund, { ...refund, attempts: 1 }, { turns, nowMs: NOW_MS });

    expect(await send(first)).toBe('written');
    expect(await send(second)).toBe('turn-taken');
    expect((await stored('second'))?.attempts).toBe(0);
    expect(await send(first)).toBe('changed-meanwhile');
  });
});

describe('a refund that was made in the console', () => {
  const TAKES: OrderEffect = { takesFen: 800, provesFen: 800, counts: 1, refunds: true };
  const inConsole = (changes: Partial<Refund> = {}) =>
    sampleRefund({ source: 'CONSOLE', status: 'PROCESSING', refundId: '5', ...changes });

  test('takes its true amount and makes the order REFUND, once', async () => {
    await givePaidOrder(table);

    expect(await recordConsoleRefund(table, inConsole(), TAKES)).toBe('written');
    expect(await recordConsoleRefund(table, inConsole(), TAKES)).toBe('changed-meanwhile');
    expect(await stored()).toEqual(inConsole());
    expect(await accountOf(table)).toMatchObject({
      tradeState: 'REFUND',
      refundableFen: 2000,
      refundCount: 1,
      provedFen: 800,
    });
  });

  test('is recorded beyond what was reserved: nothing is left, and that is no contradiction yet', async () => {
    await givePaidOrder(table);
    await given({ outRefundNo: 'ours', refundFen: 2800 });

    expect(await recordConsoleRefund(table, inConsole(), TAKES)).toBe('written');
    expect(await accountOf(table)).toMatchObject({
      refundableFen: -800,
      refundedFen: 3600,
      provedFen: 800,
      refundMismatch: undefined,
    });
  });

  test('that makes more of the proved refunds than was paid is recorded, and marks the order', async () => {
    await givePaidOrder(table);
    const effect = { ...TAKES, takesFen: 2100, provesFen: 2100 };
    await recordConsoleRefund(table, inConsole({ outRefundNo: 'a', refundFen: 2100 }), effect);

    expect(await recordConsoleRefund(table, inConsole(), TAKES)).toBe('above-payment');
    expect(await accountOf(table)).toMatchObject({
      refundableFen: -100,
      provedFen: 2900,
      refundMismatch: {
        at: { S: '2026-03-01T02:02:00Z' },
        outRefundNo: { S: OUT_REFUND_NO },
        refundFen: { N: '800' },
      },
    });
  });

  test('up to the whole payment is no contradiction', async () => {
    await givePaidOrder(table);
    const effect = { ...TAKES, takesFen: 2000, provesFen: 2000 };
    await recordConsoleRefund(table, inConsole({ outRefundNo: 'a', refundFen: 2000 }), effect);

    expect(await recordConsoleRefund(table, inConsole(), TAKES)).toBe('written');
  });

  test('that was closed takes nothing', async () => {
    await givePaidOrder(table);

    expect(await recordConsoleRefund(table, inConsole({ status: 'CLOSED' }), NOTHING)).toBe(
      'written',
    );
    expect(await accountOf(table)).toMatchObject({ tradeState: 'SUCCESS', refundableFen: 2800 });
  });

  test('of an order that is not paid here is not recorded', async () => {
    expect(await recordConsoleRefund(table, inConsole(), TAKES)).toBe('changed-meanwhile');
    expect(await allRows(table)).toEqual([]);
  });
});

import { beforeEach, describe, expect, test } from 'vitest';
import type { Refund } from '../../lib/refund/refund.ts';
import { newRefund } from '../../lib/refund/request.ts';
import type { Table } from '../../lib/table/client.ts';
import { recordRefundMismatch } from '../../lib/table/mismatches.ts';
import { changeRefund, recordConsoleRefund } from '../../lib/table/refund-change.ts';
import { refundFromItem, refundToItem } from '../../lib/table/refund-row.ts';
import { readRefund, reserveRefund } from '../../lib/table/refunds.ts';
import { putRow, rowOf, useEmbeddedTables } from '../support/embedded-tables.ts';
import { carriedIn, factsOf } from '../support/facts-of.ts';
import { givePaidOrder } from '../support/paid-order.ts';
import { orderId } from '../support/sample-orders.ts';
import { ASKED_AT, OUT_REFUND_NO, paidOrder, sampleRefund } from '../support/sample-refunds.ts';
import { watchTable } from '../support/watched-table.ts';

const newTable = useEmbeddedTables();
let table: Table;

beforeEach(async () => {
  table = await newTable();
  await givePaidOrder(table);
});

const ASKED = '2026-03-01T02:02:00Z';
const LATER = '2026-03-01T02:02:09Z';
const id = { ...orderId(), outRefundNo: OUT_REFUND_NO };
const REQUESTED = { type: 'REQUESTED', at: ASKED };
const refundId = '50000000382026030100000000001';
const facts = () => factsOf(table, 'ORDER#order-0001', `REFUND#${OUT_REFUND_NO}`);
const row = () => rowOf(table, 'ORDER#order-0001', `REFUND#${OUT_REFUND_NO}`);
const stored = async () => (await readRefund(table, id)).refund as Refund;

/** A network that loses the first answer of every write: the SDK sends each twice. */
const forgetful = () => watchTable(table, async ({ send }) => send().then(send, send));

const reserve = (on: Table = table) => {
  const turns = { nowEpochSeconds: ASKED_AT, order: false, probe: false };
  return reserveRefund(on, sampleRefund(), turns, undefined);
};

/** Several who have read the same row write the same change. */
async function become(changes: Partial<Refund>) {
  const before = await stored();
  const after = { ...before, ...changes };
  const write = (on: Table) =>
    changeRefund(on, before, after, { nowMs: (ASKED_AT + 9) * 1000, effect: NO_EFFECT });
  const outcomes = await Promise.all([write(forgetful()), write(table), write(forgetful())]);
  expect(outcomes.filter(({ change }) => change === 'written')).toHaveLength(1);
}

const NO_EFFECT = { takesFen: 0, provesFen: 0, counts: 0, refunds: false } as const;

describe('a refund', () => {
  test('is told from its reservation on, once', async () => {
    const outcomes = await Promise.all([reserve(forgetful()), reserve(), reserve(forgetful())]);

    expect(outcomes.filter((outcome) => outcome === 'reserved')).toHaveLength(1);
    expect(await facts()).toEqual([REQUESTED]);
  });

  test('tells no release, no repeat and no check', async () => {
    await reserve();
    await become({ attempts: 1, mayHaveReached: true });
    await become({ status: 'PROCESSING', refundId });
    await become({ checks: 3 });

    expect(await facts()).toEqual([REQUESTED]);
  });

  test.each<[Partial<Refund>, object]>([
    [
      { status: 'SUCCESS', refundId, succeededAtEpochSeconds: ASKED_AT + 5 },
      { type: 'SUCCEEDED', refundId, succeededAt: '2026-03-01T02:02:05Z' },
    ],
    [
      { status: 'CLOSED', failure: { code: 'NOTENOUGH', message: 'why' } },
      { type: 'CLOSED', failure: { code: 'NOTENOUGH', message: 'why' } },
    ],
    [
      { status: 'ABNORMAL', refundId, round: 1 },
      { type: 'ABNORMAL', refundId, round: 1 },
    ],
  ])('that becomes %o tells it once, with what may change later', async (changes, told) => {
    await reserve();
    await become(changes);

    expect(await facts()).toEqual([REQUESTED, { at: LATER, ...told }]);
  });

  test('tells each round of being abnormal, and its end, in their order', async () => {
    await reserve();
    for (const round of [1, 2, 3]) {
      await become({ status: 'ABNORMAL', refundId, round });
      await become({ status: 'PROCESSING' });
    }
    await become({ status: 'SUCCESS' });

    expect((await facts()).map(({ type, round }) => [type, round])).toEqual([
      ['REQUESTED', undefined],
      ['ABNORMAL', 1],
      ['ABNORMAL', 2],
      ['ABNORMAL', 3],
      ['SUCCEEDED', undefined],
    ]);
  });

  test('that arrives though it was paid otherwise contradicts that by the same write', async () => {
    await reserve();
    const abnormalEnd = {
      to: 'OTHERWISE',
      round: 1,
      note: 'in cash',
      decidedAtEpochSeconds: ASKED_AT,
      keyDigest: 'k',
      fingerprint: 'f',
    } as const;
    await become({ status: 'ABNORMAL', round: 1, abnormalEnd });
    await become({ status: 'SUCCESS' });

    expect((await facts()).slice(2)).toEqual([
      { type: 'SUCCEEDED', at: LATER },
      {
        type: 'MISMATCH',
        at: LATER,
        field: 'status',
        expected: 'OTHERWISE',
        observed: 'SUCCESS',
      },
    ]);
  });

  test.each<[Partial<Refund>, string[]]>([
    [{ status: 'PROCESSING' }, ['REQUESTED']],
    [{ status: 'SUCCESS' }, ['REQUESTED', 'SUCCEEDED']],
    [{ status: 'CLOSED' }, ['REQUESTED', 'CLOSED']],
    [{ status: 'ABNORMAL', round: 1 }, ['REQUESTED', 'ABNORMAL']],
  ])('of the console that is found as %o tells that with its request', async (changes, types) => {
    const found = sampleRefund({ source: 'CONSOLE', refundId, ...changes });
    const record = (on: Table) => recordConsoleRefund(on, found, NO_EFFECT);
    await Promise.all([record(forgetful()), record(table)]);

    expect((await facts()).map(({ type }) => type)).toEqual(types);
  });

  test('has the text that its order was given', async () => {
    const order = paidOrder({ attach: '五号桌' });
    const { outRefundNo, refundFen, source } = sampleRefund();
    const nowMs = ASKED_AT * 1000;
    const refund = newRefund(order, { outRefundNo, refundFen, source, nowMs });
    await reserveRefund(
      table,
      refund,
      { nowEpochSeconds: ASKED_AT, order: false, probe: false },
      undefined,
    );

    expect(await stored()).toMatchObject({ attach: '五号桌' });
    expect(await row()).toMatchObject({ attach: { S: '五号桌' } });
  });

  test('of an earlier version, without facts, goes on as it was and tells what is new', async () => {
    await putRow(table, refundToItem(sampleRefund()));
    await become({ status: 'SUCCESS' });

    expect(await facts()).toEqual([{ type: 'SUCCEEDED', at: LATER }]);
  });

  test('is read whatever its facts and its message look like', () => {
    const refund = sampleRefund();
    for (const damaged of [{ S: 'x' }, { L: [{ S: 'x' }] }, { M: {} }]) {
      const item = { ...refundToItem(refund), facts: damaged, factCount: damaged };
      expect(refundFromItem({ ...item, notification: damaged })).toEqual(refund);
    }
  });
});

describe('a contradiction of a refund', () => {
  const contradict = (observed: number, on: Table = table) =>
    recordRefundMismatch(
      on,
      id,
      { field: 'refundFen', expected: 800, observed },
      { nowEpochSeconds: ASKED_AT + 9 },
    );

  test('is told once in each way, and the refund stays what it is', async () => {
    await reserve();
    const before = await stored();
    await Promise.all([contradict(1, forgetful()), contradict(1), contradict(1)]);
    await contradict(2);

    expect(await stored()).toEqual(before);
    expect((await facts()).slice(1)).toMatchObject([
      { type: 'MISMATCH', at: LATER, field: 'refundFen', expected: '800', observed: '1' },
      { type: 'MISMATCH', observed: '2' },
    ]);
  });

  test('makes no row', async () => {
    await contradict(1);

    expect(await row()).toBeUndefined();
  });

  test('does not get in the way of a change by somebody who read the row before', async () => {
    await reserve();
    const before = await stored();
    await contradict(1);
    const after = { ...before, status: 'SUCCESS' as const };
    const written = await changeRefund(table, before, after, { nowMs: (ASKED_AT + 9) * 1000 });

    expect(written.change).toBe('written');
    expect((await facts()).map(({ type }) => type)).toEqual(['REQUESTED', 'MISMATCH', 'SUCCEEDED']);
  });
});

test('more than was paid is told by the order, with the sum that came back', async () => {
  const effect = { takesFen: 2000, provesFen: 2000, counts: 1, refunds: true } as const;
  for (const outRefundNo of ['c-1', 'c-2']) {
    const refund = sampleRefund({ outRefundNo, source: 'CONSOLE', refundFen: 2000 });
    await recordConsoleRefund(forgetful(), { ...refund, status: 'PROCESSING' }, effect);
  }

  expect((await factsOf(table)).slice(1)).toEqual([
    {
      type: 'REFUND_MISMATCH',
      at: ASKED,
      outRefundNo: 'c-2',
      refundFen: 2000,
      field: 'refundedFen',
      expected: '2800',
      observed: '4000',
    },
  ]);
});

test('the message that ends a refund is carried by the refund’s own write', async () => {
  await reserve();
  const before = await stored();
  const notification = {
    id: 'EV-2',
    receivedAtMs: (ASKED_AT + 9) * 1000,
    apiVersion: 'v3',
    kind: 'refund',
    content: '{}',
    decision: 'apply',
    from: 'PENDING',
    to: 'SUCCESS',
    answer: 200,
  } as const;
  const watched = watchTable(table);
  const after = { ...before, status: 'SUCCESS' as const };
  await changeRefund(watched, before, after, { nowMs: (ASKED_AT + 9) * 1000, notification });

  expect(watched.operations).toEqual(['TransactWriteItems']);
  expect(carriedIn(await row())).toMatchObject({ id: 'EV-2', kind: 'refund', to: 'SUCCESS' });
});

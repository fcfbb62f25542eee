import { setImmediate } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Order } from '../../lib/order/order.ts';
import { startPatience } from '../../lib/reconcile/patience.ts';
import { type ReconcileSummary, runReconcile } from '../../lib/reconcile/run.ts';
import { MARGIN_MS } from '../../lib/reconcile/time.ts';
import type { Table } from '../../lib/table/client.ts';
import { createOrder } from '../../lib/table/checkout.ts';
import { listDue } from '../../lib/table/due-work.ts';
import { readOrder } from '../../lib/table/orders.ts';
import type { QueryResult } from '../../lib/wechatpay/operations.ts';
import { putRow, useEmbeddedTables } from '../support/embedded-tables.ts';
import { neverRuns } from '../support/no-timer.ts';
import { CREATED_AT, sampleOrder, samplePayment, orderId } from '../support/sample-orders.ts';
import { runOnce, unpaid } from '../support/reconcile-run.ts';
import { watchTable } from '../support/watched-table.ts';

const newTable = useEmbeddedTables();
let table: Table;

beforeEach(async () => {
  table = await newTable();
});

const NUMBER = 'order-0001';
const create = (changes: Partial<Order> = {}) => createOrder(table, sampleOrder(changes));
const stored = (outTradeNo = NUMBER) => readOrder(table, orderId(outTradeNo));
const paidAs = (outTradeNo: string): QueryResult => ({
  kind: 'paid',
  refunded: false,
  payment: samplePayment({ outTradeNo }),
});

/** The counts of a run that are not zero. */
const counted = (summary: ReconcileSummary) =>
  Object.fromEntries(Object.entries(summary).filter(([, count]) => count !== 0 && count !== false));

async function dueAt(at: number): Promise<string[]> {
  const numbers: string[] = [];
  for await (const { id } of listDue(table, CREATED_AT + at)) {
    numbers.push(id.outTradeNo);
  }
  return numbers.toSorted();
}

describe('a run', () => {
  const createMany = (count: number) =>
    Promise.all(
      Array.from({ length: count }, (_, index) => create({ outTradeNo: `order-${1000 + index}` })),
    );

  test('asks about 64 orders at once while they answer, and never more', async () => {
    await createMany(150);
    let inFlight = 0;
    let most = 0;
    const full = Promise.withResolvers<void>();
    // No time passes, so that nothing counts as slow.
    const { summary } = await runOnce(
      { ...table, startTimer: neverRuns },
      {
        wechat: {
          query: async () => {
            inFlight += 1;
            most = Math.max(most, inFlight);
            if (inFlight === 64) {
              full.resolve();
            }
            await full.promise;
            // Long enough for one too many to get here.
            for (let turn = 0; turn < 50; turn += 1) {
              await setImmediate();
            }
            inFlight -= 1;
            return unpaid;
          },
        },
      },
    );

    expect(most).toBe(64);
    expect(counted(summary)).toEqual({ due: 150, stillOpen: 150 });
  });

  test('begins no order with less time than one may take: the rest is untouched and still due', async () => {
    await createMany(25);
    let looks = 0;
    const { summary, calls } = await runOnce(table, {
      // A check looks at the time as well, before it asks.
      remainingMs: () => {
        looks += 1;
        return looks <= 7 ? MARGIN_MS : MARGIN_MS - 1;
      },
    });

    const begun = summary.due;
    expect(begun).toBeGreaterThan(0);
    expect(begun).toBeLessThan(8);
    expect(summary).toMatchObject({ stillOpen: begun, timeRanOut: true, backlog: 25 - begun });
    expect(calls).toHaveLength(begun);
    const asked = new Set(calls.map((call) => call.replace('query ', '')));
    const left = await dueAt(60);
    expect(left).toHaveLength(25 - begun);
    expect(left.filter((outTradeNo) => asked.has(outTradeNo))).toEqual([]);
    const untouched = await Promise.all(left.map((outTradeNo) => stored(outTradeNo)));
    expect(untouched.every((order) => order?.checks === 0)).toBe(true);
  });

  test('that ran out of time says how much it left and for how long that has been due', async () => {
    await createMany(5);
    await create({ outTradeNo: 'oldest-01', nextCheckAtEpochSeconds: CREATED_AT - 600 });
    const { summary } = await runOnce(table, { remainingMs: () => MARGIN_MS - 1 });

    expect(counted(summary)).toEqual({ timeRanOut: true, backlog: 6, oldestDueSeconds: 660 });
  });

  test('that cannot measure what it left says that it ran out of time all the same', async () => {
    await createMany(5);
    const broken = watchTable(table, async () => Promise.reject(new Error('throttled')));
    const { summary } = await runOnce(broken, { remainingMs: () => 0 });

    expect(counted(summary)).toEqual({ timeRanOut: true });
  });

  test('after one that ran out of time takes up what it left', async () => {
    await createMany(5);
    await runOnce(table, { remainingMs: () => 0 });
    const { summary } = await runOnce(table, { at: 120 });

    expect(counted(summary)).toEqual({ due: 5, stillOpen: 5 });
  });

  test('asks first questions before later ones, and what somebody asked about among the first', async () => {
    const older = { nextCheckAtEpochSeconds: CREATED_AT - 900 };
    await create({ outTradeNo: 'fourth-01', checks: 3, ...older });
    await create({ outTradeNo: 'second-01', checks: 1, ...older });
    await create({ outTradeNo: 'first-001' });
    await create({ outTradeNo: 'asked-001', checks: 2, isAskedAbout: true });
    const { calls } = await runOnce(table);

    expect(calls.slice(0, 2)).toEqual(['query asked-001', 'query first-001']);
    expect(calls.slice(2).toSorted()).toEqual(['query fourth-01', 'query second-01']);
  });

  test('lets no refund wait behind any number of orders', async () => {
    await createMany(40);
    await putRow(table, {
      PK: { S: 'ORDER#paid-0001' },
      SK: { S: 'REFUND#refund-1' },
      GSI1PK: { S: 'OPEN#REFUND#00' },
      GSI1SK: { S: '2026-03-01T02:00:30Z' },
    });
    const order: string[] = [];
    const nowMs = () => (CREATED_AT + 60) * 1000;
    await runReconcile(
      {
        table,
        nowMs,
        remainingMs: () => 55_000,
        patience: startPatience(),
        onProgress: () => undefined,
      },
      {
        order: async () => {
          order.push('order');
          return 'stillOpen';
        },
        refund: async () => {
          order.push('refund');
          return 'refunded';
        },
      },
    );

    expect(order).toHaveLength(41);
    expect(order.indexOf('refund')).toBe(7);
  });

  test('that is busy takes up what becomes due while it goes on, and ends once that is little', async () => {
    await createMany(256);
    const clock = { at: 60 };
    const pauses: number[] = [];
    const startTimer = (delayMs: number, run: () => void) => {
      if (delayMs === 5_000) {
        pauses.push(delayMs);
        clock.at += 5;
        void create({
          outTradeNo: `later-00${pauses.length}`,
          nextCheckAtEpochSeconds: CREATED_AT + 63,
        }).then(run);
      }
      return () => undefined;
    };
    const { summary, calls } = await runOnce({ ...table, startTimer }, { clock });

    expect(pauses).toHaveLength(1);
    expect(calls.at(-1)).toBe('query later-001');
    expect(counted(summary)).toEqual({ due: 257, stillOpen: 257 });
  });

  test('that has little to do does not wait for more', async () => {
    await createMany(255);
    const { summary } = await runOnce({ ...table, startTimer: neverRuns });

    expect(summary.due).toBe(255);
  });

  test('that is busy does not wait for what it could not begin any more', async () => {
    await createMany(256);
    const startedAt = CREATED_AT + 60;
    const clock = { at: 60 };
    const remainingMs = () => MARGIN_MS + 4_999 - (CREATED_AT + clock.at - startedAt) * 1000;
    const { summary } = await runOnce({ ...table, startTimer: neverRuns }, { clock, remainingMs });

    expect(counted(summary)).toEqual({ due: 256, stillOpen: 256 });
  });

  test('reads a page of orders at once, and one that it held for long again', async () => {
    await createMany(30);
    const clock = { at: 60 };
    const watched = watchTable({ ...table, startTimer: neverRuns });
    const gate = Promise.withResolvers<void>();
    const run = runOnce(watched, {
      clock,
      wechat: {
        query: async () => {
          await gate.promise;
          return unpaid;
        },
      },
    });
    gate.resolve();
    await run;

    const reads = watched.operations.filter((name) => name.endsWith('GetItem'));
    expect(reads).toEqual(['BatchGetItem']);
  });

  test('of some shards leaves the others alone', async () => {
    await createMany(40);
    const { summary } = await runOnce(table, { shards: [0, 1, 2, 3, 4, 5, 6, 7] });
    const rest = await runOnce(table, { shards: [8, 9, 10, 11, 12, 13, 14, 15] });

    expect(summary.due).toBeGreaterThan(0);
    expect(rest.summary.due).toBeGreaterThan(0);
    expect(summary.due + rest.summary.due).toBe(40);
  });

  test('that overlaps with another settles every order once', async () => {
    await createMany(40);
    const wechat = { query: async (outTradeNo: string) => paidAs(outTradeNo) };
    const runs = await Promise.all([runOnce(table, { wechat }), runOnce(table, { wechat })]);

    const paid = runs.map(({ log }) => log.counts.OrderPaid ?? 0);
    expect(paid.reduce((sum, count) => sum + count, 0)).toBe(40);
    expect(await dueAt(604_800)).toEqual([]);
  });

  test('whose index cannot be read fails, but not before the orders at hand are done', async () => {
    await createMany(10);
    let queries = 0;
    const broken = watchTable(table, async ({ name, send }) => {
      if (name === 'Query') {
        queries += 1;
      }
      if (name === 'Query' && queries === 70) {
        throw new Error('throttled');
      }
      return send();
    });
    let begun = 0;
    let finished = 0;
    const clock = { at: 60 };
    const run = runOnce(broken, {
      clock,
      wechat: {
        query: async () => {
          begun += 1;
          clock.at = 70;
          for (let turn = 0; turn < 50; turn += 1) {
            await setImmediate();
          }
          finished += 1;
          return unpaid;
        },
      },
    });

    await expect(run).rejects.toThrow('throttled');
    expect(begun).toBeGreaterThan(0);
    expect(finished).toBe(begun);
    expect(await dueAt(60)).toHaveLength(10 - finished);
  });
});

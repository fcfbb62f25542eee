import { setImmediate } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Order } from '../../lib/order/order.ts';
import type { ReconcileSummary } from '../../lib/reconcile/run.ts';
import type { Table } from '../../lib/table/client.ts';
import { createOrder } from '../../lib/table/checkout.ts';
import { listDue } from '../../lib/table/due.ts';
import { readOrder } from '../../lib/table/orders.ts';
import type { QueryResult } from '../../lib/wechatpay/operations.ts';
import { useEmbeddedTables } from '../support/embedded-tables.ts';
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
  for await (const { id } of listDue(table, CREATED_AT + at, 0)) {
    numbers.push(id.outTradeNo);
  }
  return numbers.toSorted();
}

describe('a run', () => {
  const createMany = (count: number) =>
    Promise.all(
      Array.from({ length: count }, (_, index) => create({ outTradeNo: `order-${1000 + index}` })),
    );

  test('asks about 16 orders at once and never more', async () => {
    await createMany(60);
    let inFlight = 0;
    let most = 0;
    const full = Promise.withResolvers<void>();
    const { summary } = await runOnce(table, {
      wechat: {
        query: async () => {
          inFlight += 1;
          most = Math.max(most, inFlight);
          if (inFlight === 16) {
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
    });

    expect(most).toBe(16);
    expect(counted(summary)).toEqual({ due: 60, stillOpen: 60 });
  });

  test('begins no order with less time than one may take: the rest is untouched and still due', async () => {
    await createMany(25);
    let looks = 0;
    const { summary, calls } = await runOnce(table, {
      remainingMs: () => {
        looks += 1;
        return looks <= 7 ? 21_700 : 21_699;
      },
    });

    expect(counted(summary)).toEqual({ due: 7, stillOpen: 7, timeRanOut: true });
    expect(calls).toHaveLength(7);
    const asked = new Set(calls.map((call) => call.replace('query ', '')));
    const left = await dueAt(60);
    expect(left).toHaveLength(18);
    expect(left.filter((outTradeNo) => asked.has(outTradeNo))).toEqual([]);
    const untouched = await Promise.all(left.map((outTradeNo) => stored(outTradeNo)));
    expect(untouched.every((order) => order?.checks === 0)).toBe(true);
  });

  test('after one that ran out of time takes up what it left', async () => {
    await createMany(5);
    await runOnce(table, { remainingMs: () => 0 });
    const { summary } = await runOnce(table, { at: 120 });

    expect(counted(summary)).toEqual({ due: 5, stillOpen: 5 });
  });

  test('begins with another shard of the index in each minute', async () => {
    const shards: unknown[] = [];
    const watched = watchTable(table, async ({ name, input, send }) => {
      if (name === 'Query') {
        shards.push(input['ExpressionAttributeValues']);
      }
      return send();
    });
    await runOnce(watched, { at: 0 });
    await runOnce(watched, { at: 60 });

    // 1772330400 s is minute 29538840, and 29538840 mod 16 is 8.
    expect(shards[0]).toMatchObject({ ':shard': { S: 'OPEN#08' } });
    expect(shards[16]).toMatchObject({ ':shard': { S: 'OPEN#09' } });
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
      if (name === 'Query' && queries === 12) {
        throw new Error('throttled');
      }
      return send();
    });
    let begun = 0;
    let finished = 0;
    const run = runOnce(broken, {
      wechat: {
        query: async () => {
          begun += 1;
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

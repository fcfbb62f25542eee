/** The time of a run: what it is made of, and that a run ends by itself whatever is slow or silent. */
import { beforeEach, describe, expect, test } from 'vitest';
import { reconcileHandler } from '../../functions/reconcile.ts';
import type { Order } from '../../lib/order/order.ts';
import { callTimeoutMs, LAST_CALL_MS, MARGIN_MS } from '../../lib/reconcile/time.ts';
import { createOrder } from '../../lib/table/checkout.ts';
import { MAX_OPERATION_MS, type Table } from '../../lib/table/client.ts';
import type { CallOptions, OrderReference, QueryResult } from '../../lib/wechatpay/operations.ts';
import { recordedFunction } from '../support/api-event.ts';
import { useEmbeddedTables } from '../support/embedded-tables.ts';
import { runOnce, unpaid } from '../support/reconcile-run.ts';
import { CREATED_AT, sampleOrder, samplePayment } from '../support/sample-orders.ts';
import { NO_REFUNDS } from '../support/reconcile-run.ts';
import { merchantWith, secretVersions } from '../support/secret-versions.ts';
import { seededMachine } from '../support/seeded-machine.ts';
import { watchTable } from '../support/watched-table.ts';

const newTable = useEmbeddedTables();
let table: Table;

beforeEach(async () => {
  table = await newTable();
});

const create = (changes: Partial<Order> = {}) => createOrder(table, sampleOrder(changes));

describe('the limits', () => {
  test('are made of the time-outs: two attempts at the table, a read, two calls, three writes', () => {
    expect(MAX_OPERATION_MS).toBe(2 * 1_000 + 500);
    expect(MARGIN_MS).toBe(2_500 + 2 * 1_000 + 3 * 2_500 + 500);
    expect(LAST_CALL_MS).toBe(500);
  });

  test.each([
    [55_000, 2, 4_000],
    [16_000, 2, 4_000],
    [15_999, 2, 3_999],
    [12_000, 1, 4_000],
    [11_998, 1, 3_998],
    [10_000, 2, 1_000],
    [10_001, 2, 1_000],
    [0, 1, 1_000],
  ])('with %i ms left, each of %i calls has %i ms', (remainingMs, calls, timeoutMs) => {
    expect(callTimeoutMs(remainingMs, calls)).toBe(timeoutMs);
  });
});

/** A run on a clock of its own: the table takes its longest each time, WeChat all that it is given. */
function slowRun(leftMs: number, query: () => QueryResult) {
  let elapsedMs = 0;
  const limits: string[] = [];
  const slow = watchTable(table, async ({ name, send }) => {
    elapsedMs += name === 'Query' ? 0 : MAX_OPERATION_MS;
    return send();
  });
  const take = (name: string, { timeoutMs }: CallOptions) => {
    limits.push(`${name} ${timeoutMs}`);
    elapsedMs += timeoutMs;
  };
  const wechatPay = () => ({
    ...NO_REFUNDS,
    queryOrder: async (_: unknown, options: CallOptions) => {
      take('query', options);
      return query();
    },
    closeOrder: async (_: unknown, options: CallOptions) => {
      take('close', options);
      return 'paying' as const;
    },
  });
  const functionLog = recordedFunction();
  const handler = reconcileHandler(
    () => ({
      merchant: secretVersions(merchantWith()),
      table: slow,
      wechatPay,
      nowMs: () => (CREATED_AT + 1800) * 1000,
      paymentAfterClose: 'keep',
      notifyBaseUrl: 'https://pay.example.com',
    }),
    functionLog,
  );
  const context = { awsRequestId: 'run', getRemainingTimeInMillis: () => leftMs - elapsedMs };
  return { run: () => handler({}, context), leftMs: () => leftMs - elapsedMs, limits, functionLog };
}

describe('an order that is begun with just enough time', () => {
  test('and unpaid, slow everywhere, is put off before Lambda ends the run', async () => {
    await create();
    const slow = slowRun(MARGIN_MS, () => unpaid);

    expect(await slow.run()).toMatchObject({ due: 1, stillOpen: 1, cutOff: 0 });
    expect(slow.limits).toEqual(['close 1000', 'query 1000']);
    expect(slow.leftMs()).toBeGreaterThanOrEqual(LAST_CALL_MS);
  });

  test('and contradicted, the longest way there is, is recorded and put off before it, too', async () => {
    await create();
    const payment = samplePayment({ totalFen: 1 });
    const slow = slowRun(MARGIN_MS, () => ({ kind: 'paid', refunded: false, payment }));

    expect(await slow.run()).toMatchObject({ due: 1, mismatched: 1, cutOff: 0 });
    expect(slow.leftMs()).toBeGreaterThanOrEqual(LAST_CALL_MS);
    expect(slow.functionLog.log.counts).toEqual({ TransactionMismatch: 1, ReconcileTimeRanOut: 1 });
  });

  test('of which nothing is left is begun no more', async () => {
    await create();

    expect(await slowRun(MARGIN_MS - 1, () => unpaid).run()).toMatchObject({
      due: 0,
      timeRanOut: true,
    });
  });

  test('and only asked about has the time of both calls for one', async () => {
    await create({ expiresAtEpochSeconds: CREATED_AT + 86_400 });
    const slow = slowRun(MARGIN_MS, () => unpaid);
    await slow.run();

    expect(slow.limits).toEqual(['query 2000']);
  });

  test('with plenty of it gives WeChat 4 s a call', async () => {
    await create({ expiresAtEpochSeconds: CREATED_AT + 86_400 });
    const slow = slowRun(55_000, () => unpaid);
    await slow.run();

    expect(slow.limits).toEqual(['query 4000']);
  });
});

/** Turns of the event loop, until what is under way with the engine has come. */
async function until(holds: () => boolean) {
  while (!holds()) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

describe('a run in which something hangs', () => {
  const hang = () => new Promise<never>(() => {});

  test('in WeChat’s keys goes on after the time-out of the call: the order is put off', async () => {
    await create({ expiresAtEpochSeconds: CREATED_AT + 86_400 });
    const machine = seededMachine('hang');
    const watched = watchTable({ ...table, startTimer: machine.startTimer });
    let asked = 0;
    const run = runOnce(watched, {
      remainingMs: () => 55_000 - machine.monotonicMs(),
      wechat: {
        query: () => {
          asked += 1;
          return hang();
        },
      },
    });
    await until(() => asked === 1);
    await machine.advance(4_000);
    const { summary, log } = await run;

    expect(summary).toMatchObject({ due: 1, failed: 1, cutOff: 0 });
    expect(log.lines).toMatchObject([
      { fields: { code: 'WECHAT_UNREACHABLE', outcome: 'unknown' } },
    ]);
    expect(machine.pendingTimers()).toBe(0);
  });

  test('in the table reports and ends half a second before Lambda would end it', async () => {
    await create({ outTradeNo: 'hangs-0001' });
    await create({ outTradeNo: 'paid-00001' });
    const machine = seededMachine('hang');
    let writes = 0;
    const silent = watchTable(
      { ...table, startTimer: machine.startTimer },
      ({ name, input, send }) => {
        const hangs = name === 'UpdateItem' && JSON.stringify(input).includes('hangs-0001');
        writes += Number(hangs);
        return hangs ? hang() : send();
      },
    );
    let paid = 0;
    const functionLog = recordedFunction();
    const handler = reconcileHandler(
      () => ({
        merchant: secretVersions(merchantWith()),
        table: silent,
        wechatPay: () => ({
          ...NO_REFUNDS,
          queryOrder: async ({ outTradeNo }: OrderReference) => {
            if (outTradeNo === 'hangs-0001') {
              return unpaid;
            }
            paid += 1;
            const payment = samplePayment({ outTradeNo: 'paid-00001' });
            return { kind: 'paid', refunded: false, payment } as const;
          },
          closeOrder: hang,
        }),
        nowMs: () => (CREATED_AT + 60) * 1000,
        paymentAfterClose: 'keep',
        notifyBaseUrl: 'https://pay.example.com',
      }),
      functionLog,
    );
    let ended = false;
    const run = handler(
      {},
      { awsRequestId: 'run', getRemainingTimeInMillis: () => 55_000 - machine.monotonicMs() },
    ).finally(() => {
      ended = true;
    });
    await until(() => writes === 1 && paid === 1 && functionLog.log.counts.OrderPaid === 1);
    await machine.advance(54_499);
    expect(ended).toBe(false);
    await machine.advance(1);

    const summary = await run;
    expect(summary).toMatchObject({ due: 2, paid: 1, cutOff: 1, timeRanOut: true });
    expect(functionLog.log.lines.at(-1)).toEqual({
      level: 'error',
      message: 'reconcile was cut off',
      fields: summary,
    });
    expect(functionLog.log.counts).toEqual({
      OrderPaid: 1,
      PaymentFoundByReconcile: 1,
      ReconcileTimeRanOut: 1,
    });
    expect(functionLog.flushes()).toBe(1);
  });
});

test('counts are written after every eighth order, so that a killed run loses few of them', async () => {
  await Promise.all(
    Array.from({ length: 20 }, (_, index) => create({ outTradeNo: `order-${1000 + index}` })),
  );
  let flushes = 0;
  const { summary } = await runOnce(table, {
    onProgress: () => {
      flushes += 1;
    },
  });

  expect(summary.due).toBe(20);
  expect(flushes).toBe(2);
});

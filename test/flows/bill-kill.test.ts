/** A stack that is killed in the middle of a day's bill: the next run repairs the rest, and tells it once. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { type BillStack, LATTE_FEN, openBillStack } from '../support/bill-stack.ts';
import { payInCrowd } from '../support/crowd.ts';
import { call, eventually } from '../support/shop.ts';
import { freePort, type StackProcess, startStackProcess } from '../support/stack-process.ts';

const ORDERS = 60;
/** As long as a killed run keeps the day to itself. */
const LEASE_SECONDS = 61;

interface PublishedEvent {
  readonly detailType: string;
  readonly detail: { readonly date?: string; readonly eventId: string };
}

async function countPaid(shop: BillStack, orders: readonly string[]): Promise<number> {
  const stored = await Promise.all(orders.map(async (order) => shop.stored(order)));
  return stored.filter(({ row }) => row['tradeState'] === 'SUCCESS').length;
}

async function eventsOf(stack: StackProcess): Promise<readonly PublishedEvent[]> {
  const { body } = await call<{ events: PublishedEvent[] }>(`${stack.apiUrl}/_local/events`);
  return body.events;
}

describe.each(['v2', 'v3'] as const)('a stack killed in the middle of a bill of %s', (version) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'wechatpay-bill-kill-'));
  afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

  test('repairs each payment once, and comes to one result', async () => {
    const ports = { api: await freePort(), simulator: await freePort() };
    const first = await startStackProcess(dataDir, ports, version);
    const before = openBillStack(first);
    const date = await before.beginDay();
    await before.control('faults', { point: 'notify', kind: 'lost' });
    // What runs by the schedule is to find nothing: neither reconcile, nor the bill of 10:30.
    await before.control('faults', { point: 'orderquery', kind: 'error', code: 'SYSTEM_ERROR' });
    const code = 'STATEMENT_CREATING';
    await before.control('faults', { point: 'downloadbill', kind: 'error', code });
    const orders = await payInCrowd(first, ORDERS);
    await before.endDay(date);
    await before.plant(date, [{ outTradeNo: 'till-0001', fen: 990 }]);
    expect(await countPaid(before, orders)).toBe(0);
    await before.forgetFaults();
    await before.control('faults', { point: 'notify', kind: 'lost' });

    const cutOff = before.bill(date).catch(() => 'cut off');
    await eventually(
      () => countPaid(before, orders),
      (paid) => paid > 0,
      60_000,
    );
    await first.end('SIGKILL');
    expect(await cutOff).toBe('cut off');
    // The parts see their parent gone and end by themselves.
    await delay(500);

    const second = await startStackProcess(dataDir, ports, version);
    const after = openBillStack(second);
    await call(`${second.apiUrl}/_local/clock`, 'POST', { advanceSeconds: LEASE_SECONDS });
    const answer = await after.bill(date);
    const again = await after.bill(date);

    expect(answer).toMatchObject({
      state: 'DIFFERENCES',
      payments: { count: ORDERS + 1, totalFen: ORDERS * LATTE_FEN + 990 },
      differences: [{ kind: 'MISSING_HERE', outTradeNo: 'till-0001', thereFen: 990 }],
      differenceCount: 1,
    });
    expect(again).toMatchObject({
      differenceCount: 1,
      repaired: [],
      changed: { appeared: 0, gone: 0 },
    });
    expect(await countPaid(after, orders)).toBe(ORDERS);
    const events = await eventually(
      () => eventsOf(second),
      (seen) => seen.some(({ detail }) => detail.date === date),
      30_000,
    );
    const factsOf = (type: string) => {
      const told = events.filter(
        ({ detailType, detail }) =>
          detailType === type && (detail.date === undefined || detail.date === date),
      );
      return new Set(told.map(({ detail }) => detail.eventId)).size;
    };
    expect(factsOf('Order Paid')).toBe(ORDERS);
    expect(factsOf('Bill Checked')).toBe(1);
    expect(factsOf('Bill Difference')).toBe(1);
    expect(await second.end('SIGINT')).toBe(0);
  }, 300_000);
});

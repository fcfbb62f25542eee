/** A stack that is killed while refunds are on their way: the buyer gets the money once. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { inParallel, payInCrowd } from '../support/crowd.ts';
import { type BookedRefunds, expectSettled } from '../support/refund-audit.ts';
import { openRefundCaller } from '../support/refund-caller.ts';
import { call, eventually } from '../support/shop.ts';
import { freePort, type StackProcess, startStackProcess } from '../support/stack-process.ts';

const FEN = 700;
/** Orders whose refund hangs when the stack is killed: before WeChat carries it out, and after. */
const HANGING = 6;
/** Orders that are refunded while the stack is killed, wherever that finds each of them. */
const RUNNING = 40;
const CONCURRENCY = 8;

interface StoredOrder {
  readonly row: Record<string, unknown>;
  readonly refunds: readonly Record<string, unknown>[];
}

async function control<T>(stack: StackProcess, path: string, body?: object): Promise<T> {
  const method = body === undefined ? 'GET' : 'POST';
  const answer = await call<T>(`${stack.simulatorUrl}/_simulator/${path}`, method, body);
  expect(answer.status).toBe(200);
  return answer.body;
}

/** Paid orders of which the table knows. */
async function payForOrders(stack: StackProcess, count: number): Promise<string[]> {
  const orders = await payInCrowd(stack, count);
  await eventually(
    async () => Promise.all(orders.map(async (order) => storedOrder(stack, order))),
    (stored) => stored.every(({ row }) => row['tradeState'] === 'SUCCESS'),
    60_000,
  );
  return orders;
}

const keyOf = (outTradeNo: string) => `return-${outTradeNo}`;
const startRefund = (stack: StackProcess, outTradeNo: string) =>
  openRefundCaller(stack.apiUrl).ask(outTradeNo, { refundFen: FEN }, keyOf(outTradeNo));

const bookOf = (stack: StackProcess, outTradeNo: string) =>
  control<BookedRefunds>(stack, `orders/${outTradeNo}`);

async function storedOrder(stack: StackProcess, outTradeNo: string): Promise<StoredOrder> {
  const { status, body } = await call<StoredOrder>(`${stack.apiUrl}/_local/orders/${outTradeNo}`);
  expect(status).toBe(200);
  return body;
}

/** Begins a refund that gets no answer, and waits until its money is reserved and the call is out. */
async function hang(stack: StackProcess, orders: readonly string[], kind: string) {
  await control(stack, 'faults', { point: 'refund', kind, times: orders.length });
  const cutOff = orders.map(async (order) => startRefund(stack, order).catch(() => 'cut off'));
  await eventually(
    async () => control<{ faults: { point: string }[] }>(stack, 'faults'),
    ({ faults }) => faults.every(({ point }) => point !== 'refund'),
  );
  return cutOff;
}

async function passTime(stack: StackProcess): Promise<void> {
  for (const advanceSeconds of [61, 61, 121, 301, 601]) {
    const clock = await call(`${stack.apiUrl}/_local/clock`, 'POST', { advanceSeconds });
    expect(clock.status).toBe(200);
    const summary = await call(`${stack.apiUrl}/_local/invoke/reconcile`, 'POST', {});
    expect(summary.body).toMatchObject({ failed: 0, mismatched: 0, timeRanOut: false });
  }
}

async function expectOrderSettled(stack: StackProcess, outTradeNo: string): Promise<void> {
  const { row, refunds } = await storedOrder(stack, outTradeNo);
  const account = {
    totalFen: Number(row['totalFen']),
    refundableFen: Number(row['refundableFen']),
    refundedFen: Number(row['refundedFen'] ?? 0),
    refundMismatch: row['refundMismatch'],
  };
  const rows = refunds.map((refund) => ({
    outRefundNo: String(refund['SK']).slice('REFUND#'.length),
    refundFen: Number(refund['refundFen']),
    status: String(refund['status']),
    refundId: refund['refundId'] as string | undefined,
    nextCheckAtEpochSeconds: refund['GSI1SK'] === undefined ? undefined : 0,
  }));
  expectSettled(outTradeNo, await bookOf(stack, outTradeNo), account, rows);
}

describe.each(['v2', 'v3'] as const)('a stack killed in the middle of refunds by %s', (version) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'wechatpay-refund-kill-'));
  afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

  test('gives each of them back once', async () => {
    const ports = { api: await freePort(), simulator: await freePort() };
    const first = await startStackProcess(dataDir, ports, version);
    const orders = await payForOrders(first, 2 * HANGING + RUNNING);
    const before = orders.slice(0, HANGING);
    const after = orders.slice(HANGING, 2 * HANGING);
    const running = orders.slice(2 * HANGING);
    // Else WeChat's word would come in before the kill.
    await control(first, 'faults', { point: 'notify', kind: 'lost' });
    const cutOff = [
      ...(await hang(first, before, 'timeout-before')),
      ...(await hang(first, after, 'timeout-after')),
    ];
    for (const order of before) {
      const { refunds } = await storedOrder(first, order);
      expect(refunds).toMatchObject([{ status: 'PENDING', refundFen: FEN }]);
      expect((await bookOf(first, order)).refunds).toEqual([]);
    }
    for (const order of after) {
      expect((await storedOrder(first, order)).refunds).toMatchObject([{ status: 'PENDING' }]);
      expect((await bookOf(first, order)).refunds).toMatchObject([{ refundFen: FEN }]);
    }
    let answered = 0;
    const stream = inParallel(running.length, CONCURRENCY, async (index) => {
      const { status } = await startRefund(first, running[index] ?? '');
      answered += status === 201 ? 1 : 0;
    }).catch(() => 'cut off');
    await eventually(
      async () => answered,
      (count) => count >= RUNNING / 4,
    );
    await first.end('SIGKILL');
    expect(await stream).toBe('cut off');
    expect(new Set(await Promise.all(cutOff))).toEqual(new Set(['cut off']));
    // The parts see their parent gone and end by themselves.
    await delay(500);

    const second = await startStackProcess(dataDir, ports, version);

    await passTime(second);

    for (const order of [...before, ...after, ...running]) {
      await expectOrderSettled(second, order);
    }
    // Whoever did not hear of a refund asks again: it is the same one, or the first of the order.
    for (const order of orders) {
      const { status } = await startRefund(second, order);
      expect([200, 201]).toContain(status);
    }
    for (const order of [...before, ...after]) {
      expect((await startRefund(second, order)).status).toBe(200);
    }
    await passTime(second);
    for (const order of orders) {
      await expectOrderSettled(second, order);
      const { refunds } = await bookOf(second, order);
      expect(refunds).toMatchObject([{ refundFen: FEN, status: 'SUCCESS' }]);
    }
    expect(await second.end('SIGINT')).toBe(0);
  }, 180_000);
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { inParallel, logInCrowd } from '../support/crowd.ts';
import { distinctIds, listEvents, listFactIds } from '../support/published.ts';
import { call, eventually } from '../support/shop.ts';
import { freePort, startStackProcess } from '../support/stack-process.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'wechatpay-events-kill-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

/** After so many payments of a run, and so many milliseconds more, the stack is killed. */
const KILLS = [
  { payments: 40, pauseMs: 3 },
  { payments: 70, pauseMs: 127 },
  { payments: 25, pauseMs: 251 },
];
const BUYERS = 8;

interface BookedOrder {
  readonly outTradeNo: string;
  readonly tradeState: string;
}

test('a stack killed in the middle of payments publishes every fact, and none under two ids', async () => {
  const ports = { api: await freePort(), simulator: await freePort() };
  for (const { payments, pauseMs } of KILLS) {
    const stack = await startStackProcess(dataDir, ports);
    const buyers = await logInCrowd(stack, BUYERS);
    let paid = 0;
    const paying = inParallel(10_000, BUYERS, async (index) => {
      const buyer = buyers[index % BUYERS];
      const { body } = (await buyer?.prepay({ items: [{ sku: 'cookie', quantity: 1 }] })) ?? {};
      await buyer?.pay(body?.requestPayment ?? {});
      paid += 1;
    }).catch(() => 'cut off');
    await eventually(
      async () => paid,
      (count) => count >= payments,
      60_000,
    );
    await delay(pauseMs);
    await stack.end('SIGKILL');
    expect(await paying).toBe('cut off');
    // The parts see their parent gone and end by themselves.
    await delay(500);
  }

  const stack = await startStackProcess(dataDir, ports);
  for (const advanceSeconds of [120, 1900, 400]) {
    await call(`${stack.apiUrl}/_local/clock`, 'POST', { advanceSeconds });
    const summary = await call(`${stack.apiUrl}/_local/invoke/reconcile`, 'POST', {});
    expect(summary.body).toMatchObject({ failed: 0, mismatched: 0 });
  }
  const facts = await listFactIds(stack.apiUrl);
  const events = await eventually(
    () => listEvents(stack.apiUrl),
    (seen) => distinctIds(seen).length >= facts.length,
    60_000,
  );
  expect(distinctIds(events)).toEqual(facts);

  const { orders } = (
    await call<{ orders: BookedOrder[] }>(`${stack.simulatorUrl}/_simulator/orders`)
  ).body;
  const paidThere = orders.filter(({ tradeState }) => tradeState === 'SUCCESS');
  expect(paidThere.length).toBeGreaterThanOrEqual(135);
  const paidHere = new Set(
    events
      .filter(({ detailType }) => detailType === 'Order Paid')
      .map(({ detail }) => String(detail['outTradeNo'])),
  );
  expect([...paidHere].toSorted()).toEqual(
    paidThere.map(({ outTradeNo }) => outTradeNo).toSorted(),
  );

  const redelivered = await call(`${stack.apiUrl}/_local/events/faults`, 'POST', { redeliver: 50 });
  expect(redelivered.status).toBe(200);
  expect(distinctIds(await listEvents(stack.apiUrl))).toEqual(facts);
  expect(await stack.end('SIGINT')).toBe(0);
}, 240_000);

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { inParallel, logInCrowd } from '../support/crowd.ts';
import { call, eventually, logIn } from '../support/shop.ts';
import { freePort, startStackProcess } from '../support/stack-process.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'wechatpay-kill-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

interface BookedOrder {
  readonly outTradeNo: string;
  readonly tradeState: string;
  readonly user: string;
  readonly transactionId: string | null;
}

test('a stack killed in the middle of payments loses none of them', async () => {
  const ports = { api: await freePort(), simulator: await freePort() };
  const first = await startStackProcess(dataDir, ports);
  const buyers = await logInCrowd(first, 16);
  let paid = 0;
  const payments = inParallel(10_000, 16, async (index) => {
    const buyer = buyers[index % buyers.length];
    const { body } = (await buyer?.prepay({ items: [{ sku: 'cookie', quantity: 1 }] })) ?? {};
    if (body) {
      await buyer?.pay(body.requestPayment);
    }
    paid += 1;
  }).catch(() => 'cut off');
  await eventually(
    async () => paid,
    (count) => count >= 100,
  );

  await first.end('SIGKILL');
  expect(await payments).toBe('cut off');
  // The parts see their parent gone and end by themselves.
  await delay(500);

  const second = await startStackProcess(dataDir, ports);
  const orders = async () =>
    (await call<{ orders: BookedOrder[] }>(`${second.simulatorUrl}/_simulator/orders`)).body.orders;
  expect(
    (await orders()).filter(({ tradeState }) => tradeState === 'SUCCESS').length,
  ).toBeGreaterThanOrEqual(100);

  for (const advanceSeconds of [120, 1900, 400]) {
    const clock = await call(`${second.apiUrl}/_local/clock`, 'POST', { advanceSeconds });
    expect(clock.status).toBe(200);
    const summary = await call(`${second.apiUrl}/_local/invoke/reconcile`, 'POST', {});
    expect(summary.body).toMatchObject({ failed: 0, mismatched: 0, timeRanOut: false });
  }

  const logins = new Map<string, Awaited<ReturnType<typeof logIn>>>();
  for (const { user } of await orders()) {
    if (!logins.has(user)) {
      logins.set(user, await logIn(second, user));
    }
  }
  for (const { outTradeNo, user, tradeState, transactionId } of await orders()) {
    const { status, body } = (await logins.get(user)?.order(outTradeNo)) ?? {};
    expect(status).toBe(200);
    expect(body?.tradeState).toBe(tradeState);
    expect(['SUCCESS', 'CLOSED']).toContain(tradeState);
    expect(body?.transactionId ?? null).toBe(transactionId);
  }
  expect(await second.end('SIGINT')).toBe(0);
}, 120_000);

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Buyer, call, eventually, logIn } from '../support/shop.ts';
import type { BookedOrder } from '../support/stack-console.ts';
import { freePort, type StackProcess, startStackProcess } from '../support/stack-process.ts';

const latte = { items: [{ sku: 'latte', quantity: 1 }] };

describe.each([
  ['v2', 'v3'],
  ['v3', 'v2'],
] as const)('a deployment that changes from %s to %s', (before, after) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'wechatpay-switch-'));
  let ports: { api: number; simulator: number };
  let stack: StackProcess | undefined;
  let alice: Buyer;

  /** Ends the stack that runs and starts one with another setting on the same data. */
  async function restart(apiVersion: 'v2' | 'v3') {
    await stack?.end('SIGINT');
    stack = undefined;
    stack = await startStackProcess(dataDir, ports, apiVersion);
    alice = await logIn(stack, 'alice');
    return stack;
  }

  beforeAll(async () => {
    ports = { api: await freePort(), simulator: await freePort() };
  });
  afterAll(async () => {
    await stack?.end('SIGINT');
    rmSync(dataDir, { recursive: true, force: true });
  });
  afterEach(() => stack && call(`${stack.simulatorUrl}/_simulator/faults`, 'DELETE'));

  const simulator = async <T>(path: string, body?: unknown) => {
    const url = `${stack?.simulatorUrl}/_simulator/${path}`;
    const answer = await call<T>(url, body === undefined ? 'GET' : 'POST', body);
    expect(answer.status).toBe(200);
    return answer.body;
  };
  const advance = async (advanceSeconds: number) => {
    await call(`${stack?.apiUrl}/_local/clock`, 'POST', { advanceSeconds });
    const { body } = await call(`${stack?.apiUrl}/_local/invoke/reconcile`, 'POST', {});
    expect(body).toMatchObject({ failed: 0, mismatched: 0 });
  };
  const booked = (outTradeNo: string) => simulator<BookedOrder>(`orders/${outTradeNo}`);
  const stateOf = async (outTradeNo: string) => (await alice.order(outTradeNo)).body.tradeState;
  const settled = (outTradeNo: string, state: string) =>
    eventually(
      () => stateOf(outTradeNo),
      (seen) => seen === state,
    );

  async function order(key?: string) {
    const prepaid = await alice.prepay(latte, key);
    expect(prepaid.status).toBe(200);
    return prepaid.body;
  }

  test('keeps what was open payable, refundable and closable', async () => {
    await restart(before);
    const key = randomUUID();
    const [phone, again, refunded, unseen, abandoned] = [
      await order(),
      await order(key),
      await order(),
      await order(),
      await order(),
    ];
    await alice.pay(refunded.requestPayment);
    await settled(refunded.outTradeNo, 'SUCCESS');
    await simulator('faults', { point: 'notify', kind: 'lost' });
    await alice.pay(unseen.requestPayment);

    await restart(after);

    // The parameters that the phone got before the change still pay.
    expect((await alice.pay(phone.requestPayment)).body.errMsg).toBe('requestPayment:ok');
    await settled(phone.outTradeNo, 'SUCCESS');

    // The same key goes on with the same order, by the version that it was made with.
    const repeated = await order(key);
    expect(repeated.outTradeNo).toBe(again.outTradeNo);
    expect(repeated.requestPayment['signType']).toBe(again.requestPayment['signType']);
    expect((await alice.pay(repeated.requestPayment)).body.errMsg).toBe('requestPayment:ok');
    await settled(again.outTradeNo, 'SUCCESS');
    expect((await booked(again.outTradeNo)).api).toBe(before);

    await simulator(`orders/${refunded.outTradeNo}/refund-in-console`, {});
    await settled(refunded.outTradeNo, 'REFUND');

    const fresh = await order();
    expect((await booked(fresh.outTradeNo)).api).toBe(after);
    expect((await alice.pay(fresh.requestPayment)).body.errMsg).toBe('requestPayment:ok');
    await settled(fresh.outTradeNo, 'SUCCESS');

    await advance(61);
    expect(await stateOf(unseen.outTradeNo)).toBe('SUCCESS');
    await advance(1800);
    expect(await stateOf(abandoned.outTradeNo)).toBe('CLOSED');
    expect((await booked(abandoned.outTradeNo)).tradeState).toBe('CLOSED');
  }, 60_000);
});

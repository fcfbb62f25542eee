import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { distinctIds, listEvents, listFactIds, readStackStatus } from '../support/published.ts';
import { openRefundCaller } from '../support/refund-caller.ts';
import { type Buyer, call, eventually, logIn } from '../support/shop.ts';
import { freePort, type StackProcess, startStackProcess } from '../support/stack-process.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'wechatpay-events-'));
let ports: { api: number; simulator: number };
let stack: StackProcess;
let alice: Buyer;

beforeAll(async () => {
  ports = { api: await freePort(), simulator: await freePort() };
  stack = await startStackProcess(dataDir, ports);
  alice = await logIn(stack, 'alice');
});
afterAll(async () => {
  await stack.end('SIGINT');
  rmSync(dataDir, { recursive: true, force: true });
});

const pay = async (): Promise<string> => {
  const { body } = await alice.prepay({ items: [{ sku: 'latte', quantity: 1 }] });
  expect((await alice.pay(body.requestPayment)).body.errMsg).toBe('requestPayment:ok');
  return body.outTradeNo;
};
const setFaults = (faults: object) =>
  call<Record<string, unknown>>(`${stack.apiUrl}/_local/events/faults`, 'POST', faults);
function countStreamRecords(file: string): unknown {
  const database = new DatabaseSync(file, { timeout: 5000 });
  try {
    return database.prepare('SELECT COUNT(*) AS count FROM _stream_records').get()?.['count'];
  } finally {
    database.close();
  }
}
const published = (eventId: string) =>
  eventually(
    () => listEvents(stack.apiUrl),
    (events) => distinctIds(events).includes(eventId),
  );

describe('events on the local stack', () => {
  it('follow a payment and a refund, and stand beside the order with its notifications', async () => {
    const outTradeNo = await pay();
    const [paid] = await published(`${outTradeNo}.1`);
    expect(paid).toMatchObject({
      id: 1,
      source: 'wechatpay-serverless',
      detailType: 'Order Paid',
      detail: { eventId: `${outTradeNo}.1`, sequence: 1, outTradeNo, totalFen: 2800 },
    });
    const refunded = await openRefundCaller(stack.apiUrl).ask(outTradeNo, { refundFen: 800 }, 'r');
    await published(`${outTradeNo}.${refunded.body.outRefundNo}.1`);

    const { body } = await call<Record<string, Record<string, unknown>[]>>(
      `${stack.apiUrl}/_local/orders/${outTradeNo}`,
    );
    expect(body['events']?.slice(0, 2).map(({ id, detailType }) => [id, detailType])).toEqual([
      [1, 'Order Paid'],
      [2, 'Refund Requested'],
    ]);
    expect(body['refunds']).toHaveLength(1);
    expect(body['notifications']?.[0]?.['SK']).toMatch(/^NOTIFICATION#/);
    expect(body['row']).toMatchObject({ outTradeNo });
    expect(stack.output).toContain(`event  Order Paid  ${outTradeNo}`);
    expect(stack.output).toContain(`event  Refund Requested  ${outTradeNo}`);
  });

  it('leave the newest record of the stream only, once they are delivered', async () => {
    const outTradeNo = await pay();
    await published(`${outTradeNo}.1`);
    const count = await eventually(
      async () => countStreamRecords(join(dataDir, 'dynamodb.sqlite')),
      (left) => left === 1,
    );
    expect(count).toBe(1);
  });

  it('come in spite of a bus that refuses entries, and once more on request, under no new id', async () => {
    expect((await setFaults({ fail: 3 })).body).toEqual({ fail: 3, slowMs: 0, away: false });
    const orders = [await pay(), await pay(), await pay()];
    for (const outTradeNo of orders) {
      await published(`${outTradeNo}.1`);
    }
    const before = await eventually(
      () => listEvents(stack.apiUrl),
      () => true,
    );
    const { body } = await setFaults({ redeliver: 3 });
    expect(body).toEqual({ fail: 0, slowMs: 0, away: false, redelivered: 3 });
    const after = await listEvents(stack.apiUrl);
    expect(after.length).toBeGreaterThanOrEqual(before.length + 3);
    expect(distinctIds(after)).toEqual(distinctIds(before));
    expect(after.map(({ id }) => id)).toEqual(after.map((_, index) => index + 1));
  });

  it('wait while the bus is away, also over a restart', async () => {
    await setFaults({ away: true });
    const outTradeNo = await pay();
    const blocked = await eventually(
      async () => (await readStackStatus(stack.apiUrl)).stream[0],
      (status) => status?.behind === 1 && status.lastFailure !== undefined,
    );
    expect(blocked).toMatchObject({ functionName: 'publish', failedForGood: 0 });
    const { eventFaults } = await readStackStatus(stack.apiUrl);
    expect(eventFaults).toEqual({ fail: 0, slowMs: 0, away: true });
    const before = await listEvents(stack.apiUrl);
    expect(distinctIds(before)).not.toContain(`${outTradeNo}.1`);

    expect(await stack.end('SIGINT')).toBe(0);
    stack = await startStackProcess(dataDir, ports);
    const after = await published(`${outTradeNo}.1`);
    expect(after.slice(0, before.length)).toEqual(before);
    expect(distinctIds(after)).toEqual(await listFactIds(stack.apiUrl));
    await eventually(
      async () => (await readStackStatus(stack.apiUrl)).stream[0]?.behind,
      (behind) => behind === 0,
    );
  });

  it('are made of records that are given to publish by hand, too', async () => {
    const url = `${stack.apiUrl}/_local/invoke/publish`;
    const { status, body } = await call(url, 'POST', { Records: [] });
    expect({ status, body }).toEqual({ status: 200, body: { batchItemFailures: [] } });
  });
});

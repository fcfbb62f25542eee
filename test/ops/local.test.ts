/** The operator's tool on the stack that runs on this machine. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLocalClient } from '../../local/aws/dynamodb.ts';
import { addFailedBatch } from '../../local/aws/event-source/failed-records.ts';
import { projectDirectory } from '../repo/project.ts';
import { openOrderRow, paidOrderRow, streamRecord } from '../support/fact-rows.ts';
import { jsonOf, operate } from '../support/operator.ts';
import { listEvents, readStackStatus } from '../support/published.ts';
import { openRefundCaller } from '../support/refund-caller.ts';
import { type Buyer, call, eventually, logIn } from '../support/shop.ts';
import { freePort, type StackProcess, startStackProcess } from '../support/stack-process.ts';

interface Notifications {
  readonly notifications: readonly { readonly id: string; readonly decision: string }[];
}

const dataDir = mkdtempSync(join(tmpdir(), 'wechatpay-ops-'));
let stack: StackProcess;
let alice: Buyer;
let environment: Record<string, string>;

beforeAll(async () => {
  const ports = { api: await freePort(), simulator: await freePort() };
  stack = await startStackProcess(dataDir, ports);
  environment = { PORT: String(ports.api), LOCAL_DATA_DIR: dataDir };
  alice = await logIn(stack, 'alice');
});
afterAll(async () => {
  await stack.end('SIGINT');
  rmSync(dataDir, { recursive: true, force: true });
});

const ops = (...args: string[]) => operate(args, environment);
const prepay = async () => (await alice.prepay({ items: [{ sku: 'latte', quantity: 1 }] })).body;
const eventsOf = async (outTradeNo: string) =>
  (await listEvents(stack.apiUrl)).filter(({ detail }) => detail['outTradeNo'] === outTradeNo);
const toldOf = (outTradeNo: string, count = 1) =>
  eventually(
    () => eventsOf(outTradeNo),
    (events) => events.length >= count,
  );

async function pay(): Promise<string> {
  const { outTradeNo, requestPayment } = await prepay();
  expect((await alice.pay(requestPayment)).body.errMsg).toBe('requestPayment:ok');
  await toldOf(outTradeNo);
  return outTradeNo;
}

/** Gives an order's row the look that it had before. */
async function openRow(outTradeNo: string) {
  const { dynamoDbEndpoint, tableName: TableName } = await readStackStatus(stack.apiUrl);
  const client = createLocalClient(dynamoDbEndpoint);
  const Key = { PK: { S: `ORDER#${outTradeNo}` }, SK: { S: 'ORDER' } };
  const { Item = {} } = await client.send(new GetItemCommand({ TableName, Key }));
  return {
    put: () => client.send(new PutItemCommand({ TableName, Item })),
    close: () => client.destroy(),
  };
}

describe('ops events list', () => {
  test('shows what was published, of one order, of one type, after one id', async () => {
    const outTradeNo = await pay();
    await openRefundCaller(stack.apiUrl).ask(outTradeNo, { refundFen: 800 }, 'r');
    const events = await toldOf(outTradeNo, 2);

    const seen = await ops('events', 'list', '--order', outTradeNo);
    expect(seen).toMatchObject({ code: 0, err: '' });
    expect(seen.out).toContain('Order Paid');
    expect(seen.out).toContain(`${outTradeNo}.1`);

    const order = ['events', 'list', '--json', '--order', outTradeNo];
    expect(jsonOf(await ops(...order))).toMatchObject({ events: events.slice(0, 2) });
    expect(jsonOf(await ops(...order, '--type', 'Order Paid'))).toEqual({ events: [events[0]] });
    const after = String(events[0]?.id);
    const later = (jsonOf(await ops(...order, '--after', after)) as { events: object[] }).events;
    expect(later).toEqual(expect.arrayContaining([events[1]]));
    expect(later).not.toContainEqual(events[0]);
    expect((await ops('events', 'list', '--order', 'nobody', '--lang', 'zh')).out).toBe('没有事件');
    expect((await ops('events', 'list', '--after', 'x')).code).toBe(2);
  });
});

describe('ops events rebuild', () => {
  test('sends a period again under the ids of the first time, or only counts', async () => {
    const outTradeNo = await pay();
    const [first] = await eventsOf(outTradeNo);
    const from = String(first?.detail['recordedAt']);

    const counted = await ops('events', 'rebuild', '--from', from, '--dry-run', '--json');
    expect(counted.code).toBe(0);
    const all = jsonOf(counted) as { events: Record<string, number> };
    expect(all.events['Order Paid']).toBeGreaterThanOrEqual(1);
    expect(await eventsOf(outTradeNo)).toHaveLength(1);

    const sent = await ops('events', 'rebuild', '--order', outTradeNo);
    expect(sent).toMatchObject({ code: 0, questions: [] });
    expect(sent.out).toContain('1 events were sent to wechatpay-serverless-local.');
    const [, second] = await eventsOf(outTradeNo);
    expect(second).toEqual({ ...first, id: second?.id });

    const none = await ops('events', 'rebuild', '--order', outTradeNo, '--to', from, '--lang=zh');
    expect(none).toMatchObject({ code: 0, out: expect.stringContaining('发送 0 个事件') });
    expect(await eventsOf(outTradeNo)).toHaveLength(2);
  });

  test('tells how far it has got while it reads the table', async () => {
    const { progress } = await ops('events', 'rebuild', '--from', '2020-01-01', '--dry-run');

    expect(progress.at(-1)).toBeGreaterThan(1);
  });

  test('tries again what the bus refuses, and says in the end what it left', async () => {
    const outTradeNo = await pay();
    await call(`${stack.apiUrl}/_local/events/faults`, 'POST', { fail: 1 });
    expect(await ops('events', 'rebuild', '--order', outTradeNo)).toMatchObject({ code: 0 });
    expect(await eventsOf(outTradeNo)).toHaveLength(2);

    await call(`${stack.apiUrl}/_local/events/faults`, 'POST', { fail: 100 });
    const failed = await ops('events', 'rebuild', '--order', outTradeNo, '--json');
    await call(`${stack.apiUrl}/_local/events/faults`, 'POST', { fail: 0 });
    expect(failed.code).toBe(1);
    expect(jsonOf(failed)).toMatchObject({ events: {}, failure: 'InternalFailure' });
    expect(await eventsOf(outTradeNo)).toHaveLength(2);
  });
});

describe('ops events replay', () => {
  test('finds nothing to do while no batch failed for good', async () => {
    expect(await ops('events', 'replay')).toMatchObject({
      code: 0,
      out: 'No batch failed for good.',
    });
  });

  test('sends what failed for good, once more whenever it is asked, and names what is broken', async () => {
    const file = join(dataDir, 'failed-records.jsonl');
    const batch = { functionName: 'publish', failedAt: '2026-03-01T02:00:05Z' } as const;
    const records = [streamRecord(paidOrderRow(), openOrderRow())];
    addFailedBatch(file, { ...batch, condition: 'RecordAgeExceeded', records });

    const sent = await ops('events', 'replay');
    expect(sent).toMatchObject({ code: 0, questions: [] });
    expect(sent.out).toContain('1 of 1 batches were sent.');
    await ops('events', 'replay');
    const events = await eventsOf('order-0001');
    expect(events.map(({ detail }) => detail['eventId'])).toEqual(['order-0001.1', 'order-0001.1']);

    const broken = [streamRecord(paidOrderRow({ totalFen: { S: 'much' } }), openOrderRow())];
    addFailedBatch(file, { ...batch, condition: 'RecordAgeExceeded', records: broken });
    const seen = await ops('events', 'replay', '--json');
    expect(seen.code).toBe(1);
    expect(jsonOf(seen)).toMatchObject({
      events: { 'Order Paid': 1 },
      left: 0,
      batches: [
        { problems: [], isDone: true },
        { problems: [expect.stringContaining('totalFen')], isDone: true },
      ],
    });
    expect(await ops('events', 'replay', '--delete')).toMatchObject({ code: 2 });
  });
});

describe('ops notifications', () => {
  const listJson = async (outTradeNo: string) =>
    (jsonOf(await ops('notifications', 'list', outTradeNo, '--json')) as Notifications)
      .notifications;
  const archived = (outTradeNo: string) =>
    eventually(
      () => listJson(outTradeNo),
      (found) => found.length > 0,
    );

  test('list shows what WeChat sent, what was decided and what was said', async () => {
    const outTradeNo = await pay();
    const [notification] = await archived(outTradeNo);

    expect(notification).toMatchObject({
      kind: 'payment',
      decision: 'apply',
      from: 'NOTPAY',
      to: 'SUCCESS',
      answer: 200,
    });
    const seen = await ops('notifications', 'list', outTradeNo, '--lang', 'zh');
    expect(seen.out).toContain('NOTPAY → SUCCESS');
    expect(seen.out).toContain('收到时间');
  });

  test('list tells an order that WeChat said nothing about from one that is not there', async () => {
    const { outTradeNo } = await prepay();

    expect(await ops('notifications', 'list', outTradeNo)).toMatchObject({
      code: 0,
      out: expect.stringContaining('WeChat sent nothing'),
    });
    expect(await ops('notifications', 'list', 'nobody')).toMatchObject({
      code: 1,
      out: 'there is no order nobody',
    });
    expect(await ops('notifications', 'list', 'nobody', '--unknown')).toMatchObject({ code: 1 });
  });

  test('redrive shows what a message would change, and records it when told to', async () => {
    const { outTradeNo, requestPayment } = await prepay();
    const before = await openRow(outTradeNo);
    await alice.pay(requestPayment);
    const [{ id } = { id: '' }] = await archived(outTradeNo);
    const redrive = ['notifications', 'redrive', outTradeNo, id.slice(0, 10)];
    expect(await ops(...redrive)).toMatchObject({
      code: 0,
      out: `Nothing to do: order ${outTradeNo} is SUCCESS and has it already.`,
    });

    await before.put();
    before.close();
    const planned = await ops(...redrive);
    expect(planned).toMatchObject({
      code: 0,
      out: `It would change order ${outTradeNo}: NOTPAY → SUCCESS.\nNothing was written. --apply records it.`,
    });
    const stateNow = async () => (await alice.order(outTradeNo)).body.tradeState;
    expect(await ops(...redrive, '--apply')).toMatchObject({ code: 2 });
    const refused = await operate([...redrive, '--apply'], environment, 'no');
    expect(refused).toMatchObject({
      code: 2,
      questions: ['Record this in the table of the local stack?'],
    });
    expect(await ops(...redrive)).toEqual(planned);

    const applied = await operate([...redrive, '--apply'], environment, 'yes');
    expect(applied).toMatchObject({ code: 0, out: `Recorded: order ${outTradeNo} is SUCCESS.` });
    expect(await stateNow()).toBe('SUCCESS');
    const told = await toldOf(outTradeNo, 2);
    expect(new Set(told.map(({ detail }) => detail['eventId']))).toEqual(
      new Set([`${outTradeNo}.1`]),
    );
  });

  test('redrive refuses a message that there is not', async () => {
    expect(await ops('notifications', 'redrive', await pay(), 'x')).toMatchObject({
      code: 2,
      err: 'there is no message x about it',
    });
  });
});

test('npm run ops works on the stack that runs, without being told where', async () => {
  const outTradeNo = await pay();
  const run = await new Promise<{ code: unknown; out: string; err: string }>((resolve) => {
    execFile(
      process.execPath,
      ['ops/main.ts', 'notifications', 'list', outTradeNo, '--json'],
      { cwd: projectDirectory, env: { ...process.env, PORT: '', LOCAL_DATA_DIR: dataDir } },
      (error, out, err) => resolve({ code: error?.code ?? 0, out, err }),
    );
  });

  expect(run.err).toBe('');
  expect(run.code).toBe(0);
  expect(Object.keys(JSON.parse(run.out) as object)).toEqual(['notifications']);
});

describe('ops bill', () => {
  test('asks the function of the stack', async () => {
    expect(await ops('bill', 'run', '2999-01-01')).toMatchObject({
      code: 1,
      out: '2999-01-01: nothing was compared: the day is not over',
    });
    const wrong = ['bill', 'explain', '2026-01-01', 'MISSING_HERE', '1', 'why'];
    expect(await ops(...wrong)).toMatchObject({
      code: 1,
      err: expect.stringContaining('2026-01-01 has no difference MISSING_HERE 1 left to explain'),
    });
    const today = ['bill', 'run', '2999-01-01', '--lang', 'zh'];
    expect(await ops(...today)).toMatchObject({ out: '2999-01-01：没有核对：当天尚未结束' });
  });
});

import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from 'vitest';
import { billHandler, openBill } from '../../functions/bill.ts';
import { keepDifference } from '../../lib/table/bill-differences.ts';
import { createOrder } from '../../lib/table/checkout.ts';
import { recordedFunction } from '../support/api-event.ts';
import { saved } from '../support/bill-files.ts';
import {
  type BillDesk,
  billDesk,
  csvOf,
  DAY,
  MIDNIGHT,
  MORNING,
  NOON,
  orderAt,
  paymentLine,
  transactionOf,
} from '../support/bill-desk.ts';
import { useEmbeddedTables } from '../support/embedded-tables.ts';
import { SETTINGS, testMachine } from '../support/test-machine.ts';

const newTable = useEmbeddedTables();
let desk: BillDesk;
let functionLog: ReturnType<typeof recordedFunction>;

beforeEach(async () => {
  desk = billDesk(await newTable());
  functionLog = recordedFunction();
});

let runs = 0;
const invoke = (event: unknown, changes: object = {}) => {
  runs += 1;
  const handler = billHandler(() => desk.context(changes), functionLog);
  return handler(event, { awsRequestId: `run-${runs}`, getRemainingTimeInMillis: () => 900_000 });
};

const scheduled = { source: 'aws.events', 'detail-type': 'Scheduled Event', detail: {} };

describe('the schedule', () => {
  test('checks yesterday, and no second time once there is a result', async () => {
    desk.offer([paymentLine('order-0001')]);
    const first = await invoke(scheduled);
    desk.offer([]);
    desk.nowSeconds += 3_600;
    const second = await invoke(scheduled);

    expect(first).toMatchObject({ date: DAY, state: 'DIFFERENCES' });
    expect(second).toEqual(first);
  });

  test('asks again each hour, and raises the alarm after the last', async () => {
    desk.bill = { kind: 'not-ready', reason: 'Bill Creating' };
    for (const hours of [0, 1, 2, 3, 4]) {
      desk.nowSeconds = MORNING + hours * 3_600;
      expect(await invoke(scheduled)).toMatchObject({ state: 'NOT_READY' });
    }
    expect(functionLog.log.counts).toEqual({});
    desk.nowSeconds = MIDNIGHT + 15.5 * 3_600;
    await invoke(scheduled);

    expect(functionLog.log.counts).toEqual({ BillNotReady: 1 });
  });

  test('that fails to the last raises the alarm as well', async () => {
    const bills = () => ({ downloadTradeBill: () => Promise.reject(new Error('down')) });
    await expect(invoke(scheduled, { bills })).rejects.toThrow('down');
    expect(functionLog.log.counts['BillNotReady']).toBeUndefined();
    desk.nowSeconds = MIDNIGHT + 15.5 * 3_600;
    await expect(invoke(scheduled, { bills })).rejects.toThrow('down');

    expect(functionLog.log.counts['BillNotReady']).toBe(1);
  });
});

describe('a call by hand', () => {
  test('checks its day, whatever there is already', async () => {
    desk.offer([paymentLine('order-0001')]);
    await invoke({ date: DAY });
    desk.offer([]);

    expect(await invoke({ date: DAY })).toMatchObject({
      state: 'EMPTY',
      changed: { appeared: 0, gone: 1 },
    });
  });

  test('can ask for the last result alone', async () => {
    desk.offer([paymentLine('order-0001')]);
    const checked = await invoke({ date: DAY });
    desk.offer([]);

    expect(await invoke({ date: DAY, show: true })).toEqual(checked);
    expect(await invoke({ date: '2026-11-01', show: true })).toMatchObject({
      state: 'NOT_READY',
      reason: 'the bill was not checked yet',
    });
    desk.bill = { kind: 'not-ready', reason: 'Bill Creating' };
    await invoke({ date: '2026-11-23' });
    expect(await invoke({ date: '2026-11-23', show: true })).toMatchObject({
      reason: 'Bill Creating',
    });
  });

  test('explains a difference, of a payment or of a refund', async () => {
    desk.offer([paymentLine('order-0001'), paymentLine('order-0001')]);
    await invoke({ date: DAY });
    const number = transactionOf('order-0001');
    const note = 'the till of shop 3';
    await invoke({ date: DAY, explain: { kind: 'MISSING_HERE', number, note } });
    const answer = await invoke({
      date: DAY,
      explain: { kind: 'DUPLICATE', number, line: 3, note },
    });

    expect(answer.differences.map(({ kind, state }) => [kind, state])).toEqual([
      ['DUPLICATE', 'EXPLAINED'],
      ['MISSING_HERE', 'EXPLAINED'],
    ]);
    await expect(
      invoke({ date: DAY, explain: { kind: 'MISSING_HERE', number: '1', note } }),
    ).rejects.toMatchObject({ parameters: { field: 'explain' } });
  });

  test('has every difference as a table that no spreadsheet calculates with', async () => {
    const sha1 = desk.offer([
      paymentLine('order-0001'),
      paymentLine('=HYPERLINK("x",1)', 2_800, { 微信订单号: '4200000002' }),
    ]);
    await invoke({ date: DAY });
    const note = '-1, "the till"\nof shop 3';
    const explained = { kind: 'MISSING_HERE', number: transactionOf('order-0001'), note };
    const { csv, ...answer } = await invoke({ date: DAY, explain: explained, format: 'csv' });

    expect(csv?.split('\r\n')).toEqual([
      '\uFEFFdate,kind,state,outTradeNo,outRefundNo,transactionId,hereFen,thereFen,line,wechat,repair,note,sha1',
      `\`${DAY},\`MISSING_HERE,\`OPEN,"\`=HYPERLINK(""x"",1)",,\`4200000002,,2800,3,,,,\`${sha1}`,
      `\`${DAY},\`MISSING_HERE,\`EXPLAINED,\`order-0001,,\`42order-0001,,2800,2,,,"\`-1, ""the till""\nof shop 3",\`${sha1}`,
      '',
    ]);
    expect(await invoke({ date: DAY, show: true })).toEqual(answer);
    expect(await invoke({ date: DAY, show: true, format: 'json' })).toEqual(answer);
    expect((await invoke({ date: DAY, format: 'csv' })).csv).toBe(csv);
  });

  test('has no table that is longer than an answer', async () => {
    await invoke({ date: DAY });
    const difference = {
      kind: 'MISSING_HERE',
      subject: 'payment',
      outTradeNo: 'o'.repeat(300_000),
    };
    const run = { date: DAY, runId: 'r', nowEpochSeconds: MORNING };
    for (let n = 0; n < 7; n += 1) {
      await keepDifference(
        desk.table,
        run,
        { ...difference, subject: 'payment', key: `${n}` },
        'PAYMENT_RECORDED',
      );
    }

    await expect(invoke({ date: DAY, show: true, format: 'csv' })).rejects.toThrow(/too long/);
  });

  test.each([
    [{ date: DAY, format: 'xml' }, 'format'],
    [{ date: 20261124 }, 'date'],
    [{ date: '' }, 'date'],
    [{ date: '2026-11-24T00:00' }, 'date'],
    [{ date: DAY, explain: 'x' }, 'explain.kind'],
    [{ date: DAY, explain: { kind: 'A', number: '1' } }, 'explain.note'],
    [{ date: DAY, explain: { kind: 'A', number: '1', note: 'x'.repeat(501) } }, 'explain.note'],
  ])('that is %j cannot be understood', async (event, field) => {
    await expect(invoke(event)).rejects.toMatchObject({ parameters: { field } });
  });
});

test('the function as it is opened asks WeChat for the bill of the merchant', async () => {
  await createOrder(desk.table, orderAt('order-0001', NOON));
  const paths: string[] = [];
  const machine = testMachine({
    environment: {
      ...SETTINGS,
      TABLE_NAME: desk.table.tableName,
      FOREIGN_ORDER_NUMBERS: 'pos\\d+',
    },
    nowMs: () => MORNING * 1000,
    startTimer: () => () => undefined,
    openTableClient: () => desk.table.client,
    openTemporaryFiles: async () => desk.files,
    openHost: () => (request) => {
      paths.push(request.path);
      return saved(request, gzipSync(csvOf([paymentLine('pos17'), paymentLine('posa')])));
    },
  });
  const handler = await openBill(machine);
  const answer = await handler(
    { date: DAY },
    { awsRequestId: 'run', getRemainingTimeInMillis: () => 900_000 },
  );

  expect(paths).toEqual(['/pay/downloadbill']);
  expect(answer).toMatchObject({ state: 'DIFFERENCES', foreign: 1, differenceCount: 1 });
});

/** Our download of a day's bill against the simulator, in both API versions, and what our reader makes of it. */
import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BillRow } from '../../lib/bill/row.ts';
import { BillRefusedError, type BillTotals, readTradeBill } from '../../lib/bill/trade-bill.ts';
import { bareMachine } from '../../lib/machine.ts';
import type { BillFile, TradeBillResult } from '../../lib/wechatpay/bill-file.ts';
import { openBills } from '../../lib/wechatpay/open-bills.ts';
import { type Bench, startBench } from '../simulator/support.ts';
import { secretVersions } from '../support/secret-versions.ts';

let bench: Bench;
let folder: string;
/** The day in Beijing on which everything was sold. */
let date: string;

const nowMs = async () => Date.parse(String((await bench.control('GET', '/clock')).body['now']));
const advanceTo = async (epochMs: number) => {
  const advanceSeconds = Math.max(0, Math.ceil((epochMs - (await nowMs())) / 1000));
  await bench.control('POST', '/clock', { advanceSeconds });
};
const startOf = (day: string) => Date.parse(`${day}T00:00:00+08:00`);
const HOUR_MS = 3_600_000;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bills-'));
  bench = await startBench({ tlsPort: 0 });
  // Noon of tomorrow in Beijing: nothing of the test happens near midnight.
  const today = new Date((await nowMs()) + 8 * HOUR_MS).toISOString().slice(0, 10);
  await advanceTo(startOf(today) + 36 * HOUR_MS);
  date = new Date((await nowMs()) + 8 * HOUR_MS).toISOString().slice(0, 10);
  for (const [outTradeNo, fen] of Object.entries({ tea: 600, 'tea-and-cake': 2800 })) {
    await bench.placeOrder(outTradeNo, { total_fee: String(fen), body: 'tea, `hot`' });
    await bench.control('POST', `/orders/${outTradeNo}/pay`);
  }
  await bench.control('POST', '/orders/tea-and-cake/refund-in-console', { refundFen: 1000 });
});
afterAll(async () => {
  await bench.stop();
  await rm(folder, { recursive: true });
});

function fileOnDisk(): BillFile {
  const path = join(folder, randomUUID());
  return {
    openToWrite: () => createWriteStream(path),
    openToRead: () => createReadStream(path),
  };
}

async function download(apiVersion: 'v2' | 'v3', day = date): Promise<TradeBillResult> {
  const { simulator, merchant } = bench;
  const config = {
    signType: 'HMAC-SHA256',
    wechatPayBaseUrls: [simulator.url, simulator.backupUrl],
    certifiedBaseUrls: [simulator.tls?.url ?? '', simulator.tls?.backupUrl ?? ''],
    certifiedAuthority: simulator.tls?.authority,
  } as const;
  const offsetMs = (await nowMs()) - bareMachine.nowMs();
  const moved = { ...bareMachine, nowMs: () => bareMachine.nowMs() + offsetMs };
  const bills = openBills(apiVersion, config, secretVersions({ ...merchant }), moved);
  const bill = { date: day, appid: merchant.appid, mchid: merchant.mchid };
  return bills.downloadTradeBill(bill, fileOnDisk(), { timeoutMs: 20_000 });
}

async function read(result: TradeBillResult): Promise<{ rows: BillRow[]; totals: BillTotals }> {
  if (result.kind !== 'downloaded') {
    throw new Error(`the bill is ${result.kind}`);
  }
  const rows: BillRow[] = [];
  const totals = await readTradeBill(result.open(), (row) => {
    rows.push(row);
    return undefined;
  });
  return { rows, totals };
}

const plant = async (more: object) => {
  const planted = await bench.control('POST', '/bill', { date, alter: [], ...more });
  if (planted.status !== 200) {
    throw new Error(JSON.stringify(planted.body));
  }
};

test.each(['v2', 'v3'] as const)(
  'the bill of a day in %s is not there in the morning of the next one',
  async (apiVersion) => {
    await advanceTo(startOf(date) + 33 * HOUR_MS);

    expect(await download(apiVersion)).toMatchObject({ kind: 'not-ready' });
  },
);

describe.each(['v2', 'v3'] as const)('the bill of a day in %s', (apiVersion) => {
  beforeAll(async () => advanceTo(startOf(date) + 34 * HOUR_MS));

  test.each([
    {},
    { layout: 'legacy' },
    { bom: true, gzip: false },
    { layout: 'legacy', bom: true },
  ])('is read row by row, written as %j', async (form) => {
    await plant(form);
    const { rows, totals } = await read(await download(apiVersion));

    expect(rows).toMatchObject([
      { kind: 'payment', outTradeNo: 'tea', orderedFen: 600, feeMilliFen: 4_000 },
      { kind: 'payment', outTradeNo: 'tea-and-cake', orderedFen: 2800, feeMilliFen: 17_000 },
      {
        kind: 'refund',
        outTradeNo: 'tea-and-cake',
        requestedRefundFen: 1000,
        feeMilliFen: -6_000,
        rateMillionths: 6_000,
      },
    ]);
    expect(rows.every((row) => row.time.startsWith(date))).toBe(true);
    expect(totals).toEqual({
      payments: { count: 2, totalFen: 3400 },
      refunds: { count: 1, totalFen: 1000 },
      feeMilliFen: 15_000,
      rates: [6_000],
    });
  });

  test('is empty on a day without trade', async () => {
    const before = new Date(startOf(date) - 8 * HOUR_MS).toISOString().slice(0, 10);

    expect(await download(apiVersion, before)).toEqual({ kind: 'empty' });
  });

  test('with planted rows is read with them', async () => {
    await plant({
      alter: [
        { outTradeNo: 'tea', fen: 500 },
        { outTradeNo: 'till-7', fen: 990 },
        { outTradeNo: 'tea-and-cake', repeat: true },
      ],
    });
    const { rows } = await read(await download(apiVersion));

    expect(rows.map((row) => [row.kind, row.outTradeNo, row.orderedFen])).toEqual([
      ['payment', 'tea', 500],
      ['payment', 'tea-and-cake', 2800],
      ['payment', 'tea-and-cake', 2800],
      ['refund', 'tea-and-cake', 0],
      ['payment', 'till-7', 990],
    ]);
  });

  test.each([{ truncate: true }, { wrongSum: true }])(
    'that is %j is refused whole',
    async (form) => {
      await plant(form);

      await expect(read(await download(apiVersion))).rejects.toThrow(BillRefusedError);
    },
  );

  test.each([
    ['downloadbill', 'STATEMENT_CREATING', { kind: 'not-ready' }],
    ['downloadbill', 'NO_STATEMENT_EXIST', { kind: 'empty' }],
    ['downloadbill', 'SYSTEM_ERROR', { kind: 'not-ready' }],
  ])('that %s refuses with %s is %j', async (point, code, expected) => {
    await plant({});
    await bench.control('POST', '/faults', { point, kind: 'error', code });
    expect(await download(apiVersion)).toMatchObject(expected);
    await bench.control('DELETE', '/faults');
  });
});

test('a v2 file that is altered on its way does not add up', async () => {
  await plant({});
  await bench.control('POST', '/faults', { point: 'downloadbill', kind: 'tamper', times: 1 });

  await expect(read(await download('v2'))).rejects.toThrow(BillRefusedError);
});

test('a v3 file that is altered on its way has another SHA-1', async () => {
  await plant({});
  await bench.control('POST', '/faults', { point: 'billdownload', kind: 'tamper', times: 1 });

  expect(await download('v3')).toEqual({
    kind: 'not-ready',
    reason: expect.stringMatching(/SHA-1/),
  });
});

test('a v3 file that is not what WeChat says its SHA-1 is is no bill', async () => {
  await plant({ wrongHash: true });

  expect(await download('v3')).toEqual({
    kind: 'not-ready',
    reason: expect.stringMatching(/SHA-1/),
  });
});

test('a link that has ended is asked for again', async () => {
  await plant({});
  await bench.control('POST', '/faults', {
    point: 'billdownload',
    kind: 'error',
    code: 'INVALID_REQUEST',
    text: '下载链接过期',
    times: 1,
  });

  expect(await download('v3')).toMatchObject({ kind: 'downloaded' });
});

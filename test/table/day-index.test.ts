import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { beforeEach, describe, expect, test } from 'vitest';
import { createOrder } from '../../lib/table/checkout.ts';
import type { Table } from '../../lib/table/client.ts';
import { type DayPage, listPaymentsOfDay, listRefundsOfDay } from '../../lib/table/day-index.ts';
import { applyEvidence } from '../../lib/table/order-transition.ts';
import { refundToItem } from '../../lib/table/refund-row.ts';
import { allOf } from '../support/all-of.ts';
import { putRow, useEmbeddedTables } from '../support/embedded-tables.ts';
import { CREATED_AT, orderId, sampleOrder, samplePayment } from '../support/sample-orders.ts';
import { sampleRefund } from '../support/sample-refunds.ts';

const newTable = useEmbeddedTables();
let table: Table;

beforeEach(async () => {
  table = await newTable();
});

/** 2026-03-01 16:00:00Z: the 2nd begins in Beijing. */
const MIDNIGHT = CREATED_AT + 14 * 3_600;

async function pay(outTradeNo: string, paidAtEpochSeconds: number, changes: object = {}) {
  await createOrder(table, sampleOrder({ outTradeNo, ...changes }));
  const payment = samplePayment({
    outTradeNo,
    transactionId: `42-${outTradeNo}`,
    paidAtEpochSeconds,
    ...changes,
  });
  const evidence = { kind: 'paid', refunded: false, payment } as const;
  await applyEvidence(table, orderId(outTradeNo), evidence, paidAtEpochSeconds + 60);
}

async function all<T>(pages: AsyncGenerator<DayPage<T>>) {
  const found = await allOf(pages);
  return {
    entries: found.flatMap(({ entries }) => entries),
    unreadable: found.flatMap(({ unreadable }) => unreadable),
  };
}

const numbers = (entries: readonly { readonly outTradeNo: string }[]) =>
  entries.map(({ outTradeNo }) => outTradeNo).toSorted();

describe('the payments of a day', () => {
  test('are those between two midnights in Beijing, over all shards', async () => {
    const day = Array.from({ length: 40 }, (_, n) => `order-${1_000 + n}`);
    for (const [n, outTradeNo] of day.entries()) {
      await pay(outTradeNo, MIDNIGHT - 1 - n);
    }
    await pay('order-next', MIDNIGHT + 1);

    expect(numbers((await all(listPaymentsOfDay(table, '2026-03-01'))).entries)).toEqual(day);
    expect(numbers((await all(listPaymentsOfDay(table, '2026-03-02'))).entries)).toEqual([
      'order-next',
    ]);
  });

  test('are all that a bill is compared with', async () => {
    await pay('order-0001', MIDNIGHT - 1);

    expect((await all(listPaymentsOfDay(table, '2026-03-01'))).entries).toEqual([
      {
        ...orderId('order-0001'),
        transactionId: '42-order-0001',
        appid: 'wx8888888888888888',
        mchid: '1900000109',
        spAppid: undefined,
        subMchid: undefined,
        totalFen: 2_800,
        atEpochSeconds: MIDNIGHT - 1,
      },
    ]);
  });

  test('can be those of a part of it', async () => {
    await pay('order-first', MIDNIGHT - 61);
    await pay('order-last', MIDNIGHT - 60);
    const range = { from: '2026-03-01T15:59:00Z', to: '2026-03-01T15:59:59Z' };

    expect(numbers((await all(listPaymentsOfDay(table, '2026-03-01', range))).entries)).toEqual([
      'order-last',
    ]);
  });

  test('are read page by page to the end, a few shards at a time', async () => {
    for (let n = 0; n < 20; n += 1) {
      await pay(`order-${1_000 + n}`, MIDNIGHT - 1 - n);
    }
    let [running, most, queries] = [0, 0, 0];
    const client = {
      send: async (command: QueryCommand) => {
        running += 1;
        queries += 1;
        most = Math.max(most, running);
        const small = new QueryCommand({ ...command.input, Limit: 1 });
        const answer = await table.client.send(small);
        running -= 1;
        return answer;
      },
    };
    const found = await all(listPaymentsOfDay({ ...table, client: client as never }, '2026-03-01'));

    expect(found.entries).toHaveLength(20);
    expect(most).toBe(4);
    expect(queries).toBeGreaterThan(20);
  });

  test('that cannot be read are reported, and hide none of the others', async () => {
    await pay('order-0001', MIDNIGHT - 1);
    await putRow(table, {
      PK: { S: 'ORDER#order-0002' },
      SK: { S: 'ORDER' },
      GSI3PK: { S: 'PAID#2026-03-01#00' },
      GSI3SK: { S: '2026-03-01T10:00:00Z' },
      transactionId: { S: '43' },
    });
    const found = await all(listPaymentsOfDay(table, '2026-03-01'));

    expect(numbers(found.entries)).toEqual(['order-0001']);
    expect(found.unreadable.map(({ parameters }) => parameters)).toEqual([
      { row: 'ORDER#order-0002 ORDER', attribute: 'appid' },
    ]);
  });

  test('are no rows of another kind', async () => {
    await putRow(table, {
      PK: { S: 'LATER#1' },
      SK: { S: 'LATER' },
      GSI3PK: { S: 'PAID#2026-03-01#00' },
      GSI3SK: { S: '2026-03-01T10:00:00Z' },
    });

    expect(await all(listPaymentsOfDay(table, '2026-03-01'))).toEqual({
      entries: [],
      unreadable: [],
    });
  });

  test('are none where the index has none', async () => {
    const client = { send: async () => ({}) };
    const found = await all(listPaymentsOfDay({ ...table, client: client as never }, '2026-03-01'));

    expect(found).toEqual({ entries: [], unreadable: [] });
  });

  test('cannot be read while the table cannot', async () => {
    const client = { send: () => Promise.reject(new Error('throttled')) };

    await expect(
      all(listPaymentsOfDay({ ...table, client: client as never }, '2026-03-01')),
    ).rejects.toThrow('throttled');
  });
});

describe('the refunds of a day', () => {
  test('are those that WeChat accepted on it, with what a bill is compared with', async () => {
    const accepted = sampleRefund({
      status: 'PROCESSING',
      acceptedAtEpochSeconds: MIDNIGHT - 1,
      subMchid: '1900000222',
      spAppid: 'wxprovider',
    });
    await putRow(table, refundToItem(accepted));
    await putRow(table, refundToItem(sampleRefund({ outRefundNo: 'refund-not-sent' })));

    expect((await all(listRefundsOfDay(table, '2026-03-01'))).entries).toEqual([
      {
        ...orderId('order-0001'),
        outRefundNo: 'refund-0001',
        transactionId: samplePayment().transactionId,
        appid: 'wx8888888888888888',
        spAppid: 'wxprovider',
        mchid: '1900000109',
        subMchid: '1900000222',
        refundFen: 800,
        status: 'PROCESSING',
        atEpochSeconds: MIDNIGHT - 1,
      },
    ]);
    expect((await all(listRefundsOfDay(table, '2026-03-02'))).entries).toEqual([]);
  });

  test('are no rows of another kind', async () => {
    await putRow(table, {
      PK: { S: 'LATER#1' },
      SK: { S: 'LATER' },
      GSI3PK: { S: 'REFUNDED#2026-03-01#00' },
      GSI3SK: { S: '2026-03-01T10:00:00Z' },
    });

    expect((await all(listRefundsOfDay(table, '2026-03-01'))).entries).toEqual([]);
  });
});

import { beforeEach, describe, expect, test } from 'vitest';
import type { Table } from '../../lib/table/client.ts';
import { createOrder } from '../../lib/table/checkout.ts';
import { applyEvidence, listDueOrders, markChecked } from '../../lib/table/orders.ts';
import { allRows, putRow, useEmbeddedTables } from '../support/embedded-tables.ts';
import { CREATED_AT, sampleOrder, samplePayment } from '../support/sample-orders.ts';
import { watchTable } from '../support/watched-table.ts';

const newTable = useEmbeddedTables();
let table: Table;

beforeEach(async () => {
  table = await newTable();
});

async function collect(from: Table, now: number, firstShard?: number): Promise<string[]> {
  const numbers: string[] = [];
  for await (const outTradeNo of listDueOrders(from, now, firstShard)) {
    numbers.push(outTradeNo);
  }
  return numbers;
}

const create = (outTradeNo: string, dueAt: number) =>
  createOrder(table, sampleOrder({ outTradeNo, nextCheckAtEpochSeconds: dueAt }));

/** Puts an order into a shard of our choice: rows need nothing else to be listed. */
const place = (outTradeNo: string, shard: number, dueAt = CREATED_AT) =>
  putRow(table, {
    PK: { S: `ORDER#${outTradeNo}` },
    SK: { S: 'ORDER' },
    GSI1PK: { S: `OPEN#${String(shard).padStart(2, '0')}` },
    GSI1SK: { S: `${new Date(dueAt * 1000).toISOString().slice(0, 19)}Z` },
  });

describe('the orders that are due', () => {
  test('are those whose time has come, to the second', async () => {
    await create('past-0001', CREATED_AT - 1);
    await create('now-00001', CREATED_AT);
    await create('later-001', CREATED_AT + 1);

    expect((await collect(table, CREATED_AT)).toSorted()).toEqual(['now-00001', 'past-0001']);
  });

  test('are none in an empty table, asked shard by shard', async () => {
    const watched = watchTable(table);

    expect(await collect(watched, CREATED_AT)).toEqual([]);
    expect(watched.operations).toEqual(Array.from({ length: 16 }, () => 'Query'));
  });

  test('leave out what is paid or closed: only open orders are in the index', async () => {
    await create('open-0001', CREATED_AT);
    await create('paid-0001', CREATED_AT);
    await create('closed-01', CREATED_AT);
    const payment = samplePayment({ outTradeNo: 'paid-0001' });
    await applyEvidence(table, 'paid-0001', { kind: 'paid', refunded: false, payment }, CREATED_AT);
    await applyEvidence(table, 'closed-01', { kind: 'closed' }, CREATED_AT);

    expect(await collect(table, CREATED_AT)).toEqual(['open-0001']);
    expect((await allRows(table, 'index')).map(({ PK }) => PK?.S)).toEqual(['ORDER#open-0001']);
  });

  test('come longest due first in a shard', async () => {
    await place('third', 5, CREATED_AT - 10);
    await place('first', 5, CREATED_AT - 90_000);
    await place('second', 5, CREATED_AT - 3600);

    expect(await collect(table, CREATED_AT)).toEqual(['first', 'second', 'third']);
  });

  test('come from every shard, beginning with the one that was asked for', async () => {
    await Promise.all(Array.from({ length: 16 }, (_, shard) => place(`in-${shard}`, shard)));
    const from = (first: number) =>
      Array.from({ length: 16 }, (_, offset) => `in-${(first + offset) % 16}`);

    expect(await collect(table, CREATED_AT)).toEqual(from(0));
    expect(await collect(table, CREATED_AT, 1)).toEqual(from(1));
    expect(await collect(table, CREATED_AT, 15)).toEqual(from(15));
  });

  test('come in pages of 100, every one of 250 in a shard exactly once', async () => {
    const names = Array.from({ length: 250 }, (_, index) => `order-${1000 + index}`);
    await Promise.all(names.map((name, index) => place(name, 7, CREATED_AT - index)));
    const inputs: Record<string, unknown>[] = [];
    const watched = watchTable(table, ({ input, send }) => {
      inputs.push(input);
      return send();
    });

    expect(await collect(watched, CREATED_AT)).toEqual(names.toReversed());
    expect(inputs.every(({ Limit }) => Limit === 100)).toBe(true);
    expect(inputs.filter((input) => 'ExclusiveStartKey' in input)).toHaveLength(2);
  });

  test('come once each while they are checked and put off, with pages in between', async () => {
    const names = Array.from({ length: 230 }, (_, index) => `order-${1000 + index}`);
    await Promise.all(names.map((name) => create(name, CREATED_AT)));
    const seen: string[] = [];
    for await (const outTradeNo of listDueOrders(table, CREATED_AT)) {
      seen.push(outTradeNo);
      // Every third fails and stays due; it must not come twice either.
      if (seen.length % 3 === 0) {
        continue;
      }
      const next = { checks: 1, nextCheckAtEpochSeconds: CREATED_AT + 60 };
      await markChecked(table, outTradeNo, CREATED_AT, next);
    }

    expect(seen.toSorted()).toEqual(names);
  });

  test('are read no further than they are wanted', async () => {
    await place('one', 0);
    const watched = watchTable(table);
    const due = listDueOrders(watched, CREATED_AT);

    expect(await due.next()).toEqual({ done: false, value: 'one' });
    expect(watched.operations).toEqual(['Query']);
  });

  test('go on after a page without rows, which DynamoDB may send', async () => {
    const pages = [{ LastEvaluatedKey: { PK: { S: 'ORDER#a' } } }];
    await place('one', 0);
    const watched = watchTable(table, async ({ input, send }) => {
      if ('ExclusiveStartKey' in input) {
        return { Items: [{ PK: { S: 'ORDER#one' } }] };
      }
      return pages.shift() ?? send();
    });

    expect(await collect(watched, CREATED_AT)).toEqual(['one']);
  });
});

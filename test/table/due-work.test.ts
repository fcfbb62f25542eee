import { beforeEach, describe, expect, test } from 'vitest';
import { WORK_CLASSES, type WorkClass } from '../../lib/order/work-class.ts';
import type { Table } from '../../lib/table/client.ts';
import { createOrder } from '../../lib/table/checkout.ts';
import { markChecked } from '../../lib/table/due.ts';
import {
  ALL_SHARDS,
  listDue,
  listDueClass,
  measureBacklog,
  readDue,
} from '../../lib/table/due-work.ts';
import { applyEvidence } from '../../lib/table/order-transition.ts';
import { openShardKey } from '../../lib/table/shard.ts';
import { isoTime } from '../../lib/time.ts';
import { allRows, putRow, useEmbeddedTables } from '../support/embedded-tables.ts';
import { CREATED_AT, orderId, sampleOrder, samplePayment } from '../support/sample-orders.ts';
import { watchTable } from '../support/watched-table.ts';

const newTable = useEmbeddedTables();
let table: Table;

beforeEach(async () => {
  table = await newTable();
});

async function collect(from: Table, now = CREATED_AT): Promise<string[]> {
  const numbers: string[] = [];
  for await (const { id } of listDue(from, now)) {
    numbers.push(id.outTradeNo);
  }
  return numbers;
}

async function roundsOf(
  options: Parameters<typeof listDueClass>[3],
  workClass: WorkClass = 'first',
) {
  const rounds: string[][] = [];
  for await (const entries of listDueClass(table, workClass, CREATED_AT, options)) {
    rounds.push(entries.map(({ id }) => id.outTradeNo));
  }
  return rounds;
}

const create = (outTradeNo: string, dueAt: number) =>
  createOrder(table, sampleOrder({ outTradeNo, nextCheckAtEpochSeconds: dueAt }));

/** Puts an order into a shard and a class of our choice: rows need nothing else to be listed. */
const place = (
  outTradeNo: string,
  shard: number,
  dueAt = CREATED_AT,
  workClass: WorkClass = 'first',
) =>
  putRow(table, {
    PK: { S: `ORDER#${outTradeNo}` },
    SK: { S: 'ORDER' },
    GSI1PK: { S: openShardKey(workClass, shard) },
    GSI1SK: { S: isoTime(dueAt) },
  });

describe('the orders that are due', () => {
  test('are those whose time has come, to the second', async () => {
    await create('past-0001', CREATED_AT - 1);
    await create('now-00001', CREATED_AT);
    await create('later-001', CREATED_AT + 1);

    expect(await collect(table)).toEqual(['past-0001', 'now-00001']);
  });

  test('are none in an empty table, asked class by class and shard by shard', async () => {
    const watched = watchTable(table);

    expect(await collect(watched)).toEqual([]);
    expect(watched.operations).toEqual(Array.from({ length: 4 * 16 }, () => 'Query'));
  });

  test('leave out what is paid or closed: only open orders are in the index', async () => {
    await create('open-0001', CREATED_AT);
    await create('paid-0001', CREATED_AT);
    await create('closed-01', CREATED_AT);
    const payment = samplePayment({ outTradeNo: 'paid-0001' });
    const paid = { kind: 'paid', refunded: false, payment } as const;
    await applyEvidence(table, orderId('paid-0001'), paid, CREATED_AT);
    await applyEvidence(table, orderId('closed-01'), { kind: 'closed' }, CREATED_AT);

    expect(await collect(table)).toEqual(['open-0001']);
    expect((await allRows(table, 'index')).map(({ PK }) => PK?.S)).toEqual(['ORDER#open-0001']);
  });

  test('come class by class, the most urgent first, however long others are due', async () => {
    const reversed = WORK_CLASSES.toReversed();
    await Promise.all(
      reversed.map((workClass, index) =>
        place(workClass, index, CREATED_AT - 900 + index, workClass),
      ),
    );

    expect(await collect(table)).toEqual(['asked', 'first', 'refund', 'later']);
  });

  test('that were written before there were classes come with the later ones', async () => {
    await putRow(table, {
      PK: { S: 'ORDER#old-00001' },
      SK: { S: 'ORDER' },
      GSI1PK: { S: 'OPEN#07' },
      GSI1SK: { S: isoTime(CREATED_AT) },
    });

    expect(await roundsOf({}, 'later')).toEqual([['old-00001']]);
  });

  test('come longest due first, whatever their shards', async () => {
    await place('third', 1, CREATED_AT - 10);
    await place('first', 5, CREATED_AT - 90_000);
    await place('second', 5, CREATED_AT - 3600);

    expect(await roundsOf({})).toEqual([['first', 'second', 'third']]);
    expect(await roundsOf({ since: isoTime(CREATED_AT - 3600) })).toEqual([['second', 'third']]);
  });

  test('of some shards leave the others to other runs', async () => {
    await Promise.all(ALL_SHARDS.map((shard) => place(`in-${shard}`, shard, CREATED_AT - shard)));

    expect(await roundsOf({ shards: [3, 15] })).toEqual([['in-15', 'in-3']]);
  });

  test('come in pages of 100 of each shard, every one of 250 in a shard exactly once', async () => {
    const names = Array.from({ length: 250 }, (_, index) => `order-${1000 + index}`);
    await Promise.all(names.map((name, index) => place(name, 7, CREATED_AT - index)));
    const oldestFirst = names.toReversed();

    expect((await roundsOf({})).map(({ length }) => length)).toEqual([100, 100, 50]);
    expect((await roundsOf({})).flat()).toEqual(oldestFirst);
  });

  test('come once each while they are checked and put off, with pages in between', async () => {
    const names = Array.from({ length: 230 }, (_, index) => `order-${1000 + index}`);
    await Promise.all(names.map((name) => create(name, CREATED_AT)));
    const seen: string[] = [];
    for await (const entries of listDueClass(table, 'first', CREATED_AT)) {
      for (const { id } of entries) {
        seen.push(id.outTradeNo);
        // Every third fails and stays due; it must not come twice either.
        if (seen.length % 3 !== 0) {
          const next = { checks: 1, nextCheckAtEpochSeconds: CREATED_AT + 60 };
          const read = { merchantKey: '', outTradeNo: id.outTradeNo };
          await markChecked(
            table,
            { ...read, nextCheckAtEpochSeconds: CREATED_AT },
            CREATED_AT,
            next,
          );
        }
      }
    }

    expect(seen.toSorted()).toEqual(names);
  });

  test('leave a row of a kind that is not known where it is, for the version that wrote it', async () => {
    await place('one', 0);
    const unknown = { PK: { S: 'PARCEL#1' }, SK: { S: 'PARCEL' } };
    const open = { GSI1PK: { S: 'OPEN#00' }, GSI1SK: { S: '2026-01-01T00:00:00Z' } };
    await putRow(table, { ...unknown, ...open });

    expect(await collect(table)).toEqual(['one']);
    expect(await allRows(table, 'index')).toHaveLength(2);
  });

  test('go on after a page without rows, which DynamoDB may send', async () => {
    const pages = [{ LastEvaluatedKey: { PK: { S: 'ORDER#a' } } }];
    await place('one', 0);
    const watched = watchTable(table, async ({ input, send }) => {
      if ('ExclusiveStartKey' in input) {
        return {
          Items: [
            { PK: { S: 'ORDER#one' }, SK: { S: 'ORDER' }, GSI1SK: { S: isoTime(CREATED_AT) } },
          ],
        };
      }
      return pages.shift() ?? send();
    });

    expect(await collect(watched)).toContain('one');
  });
});

describe('a page of due work', () => {
  const dueAt = isoTime(CREATED_AT);
  const entry = (outTradeNo: string) =>
    ({ kind: 'order', id: orderId(outTradeNo), dueAt }) as const;

  test('is read at once, with what there is of each order, and leaves refunds to their own check', async () => {
    await create('here-0001', CREATED_AT);
    const watched = watchTable(table);
    const refund = {
      kind: 'refund',
      id: { ...orderId('here-0001'), outRefundNo: 'refund-1' },
      dueAt,
    } as const;
    const read = await readDue(watched, [entry('here-0001'), refund, entry('gone-0001')]);

    expect(watched.operations).toEqual(['BatchGetItem']);
    expect(read).toEqual([
      { ...entry('here-0001'), row: expect.objectContaining({ outTradeNo: { S: 'here-0001' } }) },
      refund,
      { ...entry('gone-0001'), row: 'none' },
    ]);
  });

  test('asks again for what DynamoDB hands back unread, three times at most', async () => {
    await create('here-0001', CREATED_AT);
    await create('late-0001', CREATED_AT);
    let reads = 0;
    const late = { PK: { S: 'ORDER#late-0001' }, SK: { S: 'ORDER' } };
    const answer = (handsBack: number) =>
      watchTable(table, async ({ input, send }) => {
        reads += 1;
        if (reads > handsBack) {
          return send();
        }
        const { Keys } = (input['RequestItems'] as Record<string, { Keys: object[] }>)[
          table.tableName
        ] ?? { Keys: [] };
        expect(Keys).toContainEqual(late);
        return { UnprocessedKeys: { [table.tableName]: { Keys: [late] } } };
      });

    const second = await readDue(answer(1), [entry('late-0001')]);
    expect(second).toMatchObject([{ row: { outTradeNo: { S: 'late-0001' } } }]);

    reads = 0;
    const never = await readDue(answer(9), [entry('late-0001')]);
    expect(never).toEqual([entry('late-0001')]);
    expect(reads).toBe(3);
  });

  test('that cannot be read comes without rows: each order is then read by itself', async () => {
    const broken = watchTable(table, async () => Promise.reject(new Error('throttled')));

    expect(await readDue(broken, [entry('here-0001')])).toEqual([entry('here-0001')]);
  });

  test('without orders costs no read', async () => {
    const watched = watchTable(table);
    await readDue(watched, []);

    expect(watched.operations).toEqual([]);
  });
});

describe('what is left due', () => {
  test('is counted over all classes, with the time of the oldest', async () => {
    await place('one-00001', 3, CREATED_AT - 5, 'asked');
    await place('two-00001', 3, CREATED_AT - 700, 'later');
    await place('not-00001', 3, CREATED_AT + 1, 'first');

    expect(await measureBacklog(table, CREATED_AT)).toEqual({
      count: 2,
      oldestDueAt: isoTime(CREATED_AT - 700),
    });
    expect(await measureBacklog(table, CREATED_AT, [4])).toEqual({
      count: 0,
      oldestDueAt: undefined,
    });
  });

  test('costs one page of each shard and class, however much there is', async () => {
    await Promise.all(Array.from({ length: 130 }, (_, index) => place(`order-${1000 + index}`, 2)));
    const watched = watchTable(table);

    expect(await measureBacklog(watched, CREATED_AT)).toMatchObject({ count: 100 });
    expect(watched.operations).toHaveLength(64);
  });
});

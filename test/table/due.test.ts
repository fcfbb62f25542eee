import { beforeEach, describe, expect, test } from 'vitest';
import type { OrderState } from '../../lib/order/order.ts';
import type { Table } from '../../lib/table/client.ts';
import { createOrder } from '../../lib/table/checkout.ts';
import {
  claimCheck,
  leaveIndex,
  listDue,
  markChecked,
  postponeUnread,
} from '../../lib/table/due.ts';
import { applyEvidence } from '../../lib/table/order-transition.ts';
import { orderToItem } from '../../lib/table/order-row.ts';
import { readOrder } from '../../lib/table/orders.ts';
import { orderKey } from '../../lib/table/schema.ts';
import { allRows, putRow, type Row, rowOf, useEmbeddedTables } from '../support/embedded-tables.ts';
import { CREATED_AT, sampleOrder, samplePayment, orderId } from '../support/sample-orders.ts';
import { watchTable } from '../support/watched-table.ts';

const newTable = useEmbeddedTables();
let table: Table;

beforeEach(async () => {
  table = await newTable();
});

const NOW = CREATED_AT + 60;
const NUMBER = 'order-0001';
const row = () => rowOf(table, `ORDER#${NUMBER}`);

/** Writes an order that is in this state, out of the index unless it is open. */
async function given(tradeState: OrderState) {
  const open = tradeState === 'NOTPAY';
  const order = sampleOrder({
    tradeState,
    ...(!open && { nextCheckAtEpochSeconds: undefined }),
  });
  await putRow(table, orderToItem(order));
}

async function collect(from: Table, now: number, firstShard = 0): Promise<string[]> {
  const numbers: string[] = [];
  for await (const { id } of listDue(from, now, firstShard)) {
    numbers.push(id.outTradeNo);
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
    await applyEvidence(
      table,
      orderId('paid-0001'),
      { kind: 'paid', refunded: false, payment },
      CREATED_AT,
    );
    await applyEvidence(table, orderId('closed-01'), { kind: 'closed' }, CREATED_AT);

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
    for await (const { id } of listDue(table, CREATED_AT, 0)) {
      seen.push(id.outTradeNo);
      // Every third fails and stays due; it must not come twice either.
      if (seen.length % 3 === 0) {
        continue;
      }
      const next = { checks: 1, nextCheckAtEpochSeconds: CREATED_AT + 60 };
      await markChecked(table, { ...id, nextCheckAtEpochSeconds: CREATED_AT }, CREATED_AT, next);
    }

    expect(seen.toSorted()).toEqual(names);
  });

  test('leave a row of a kind that is not known where it is, for the version that wrote it', async () => {
    await place('one', 0);
    const unknown = { PK: { S: 'PARCEL#1' }, SK: { S: 'PARCEL' } };
    const open = { GSI1PK: { S: 'OPEN#00' }, GSI1SK: { S: '2026-01-01T00:00:00Z' } };
    await putRow(table, { ...unknown, ...open });

    expect(await collect(table, CREATED_AT)).toEqual(['one']);
    expect(await allRows(table, 'index')).toHaveLength(2);
  });

  test('are read no further than they are wanted', async () => {
    await place('one', 0);
    const watched = watchTable(table);
    const due = listDue(watched, CREATED_AT, 0);

    expect(await due.next()).toEqual({
      done: false,
      value: { kind: 'order', id: orderId('one') },
    });
    expect(watched.operations).toEqual(['Query']);
  });

  test('go on after a page without rows, which DynamoDB may send', async () => {
    const pages = [{ LastEvaluatedKey: { PK: { S: 'ORDER#a' } } }];
    await place('one', 0);
    const watched = watchTable(table, async ({ input, send }) => {
      if ('ExclusiveStartKey' in input) {
        return { Items: [{ PK: { S: 'ORDER#one' }, SK: { S: 'ORDER' } }] };
      }
      return pages.shift() ?? send();
    });

    expect(await collect(watched, CREATED_AT)).toEqual(['one']);
  });
});

describe('taking the turn to ask WeChat', () => {
  test('keeps the time and leaves the plan of reconcile as it is', async () => {
    await createOrder(table, sampleOrder({ checks: 2 }));

    expect(await claimCheck(table, orderId(NUMBER), NOW, 3)).toBe('claimed');
    expect(await readOrder(table, orderId(NUMBER))).toEqual({
      ...sampleOrder({ checks: 2 }),
      checkedAtEpochSeconds: NOW,
    });
  });

  test('is for one of many at the same moment', async () => {
    await createOrder(table, sampleOrder());

    const turns = await Promise.all(
      Array.from({ length: 20 }, () => claimCheck(table, orderId(NUMBER), NOW, 3)),
    );
    expect(turns.filter((turn) => turn === 'claimed')).toHaveLength(1);
  });

  test.each([
    [2, 'taken'],
    [3, 'claimed'],
    [-1, 'claimed'],
  ])('%i s after the last one (3 s apart) is %s', async (seconds, turn) => {
    await createOrder(table, sampleOrder());
    await claimCheck(table, orderId(NUMBER), NOW, 3);

    expect(await claimCheck(table, orderId(NUMBER), NOW + seconds, 3)).toBe(turn);
  });

  test.each<OrderState>(['SUCCESS', 'REFUND', 'CLOSED'])(
    'is not there for an order that is %s, nor changes it',
    async (state) => {
      await given(state);
      const before = await row();

      expect(await claimCheck(table, orderId(NUMBER), NOW, 3)).toBe('taken');
      expect(await row()).toEqual(before);
    },
  );

  test('of an order that is not there makes no row', async () => {
    expect(await claimCheck(table, orderId(NUMBER), NOW, 3)).toBe('taken');
    expect(await allRows(table)).toEqual([]);
  });
});

describe('noting that reconcile asked', () => {
  test('sets the plan of reconcile, in the same shard of the index', async () => {
    await createOrder(table, sampleOrder());
    const [before] = await allRows(table, 'index');
    await markChecked(table, sampleOrder(), NOW, {
      checks: 1,
      nextCheckAtEpochSeconds: NOW + 180,
    });

    expect(await readOrder(table, orderId(NUMBER))).toEqual(
      sampleOrder({
        checks: 1,
        checkedAtEpochSeconds: NOW,
        nextCheckAtEpochSeconds: NOW + 180,
      }),
    );
    expect(await allRows(table, 'index')).toEqual([
      { ...before, GSI1SK: { S: '2026-03-01T02:04:00Z' } },
    ]);
  });

  test.each<OrderState>(['SUCCESS', 'REFUND', 'CLOSED'])(
    'never brings an order that is %s back into the index, nor changes it',
    async (state) => {
      await given(state);
      const before = await row();
      for (const read of [orderId(NUMBER), sampleOrder()]) {
        await markChecked(table, read, NOW, { checks: 1, nextCheckAtEpochSeconds: NOW + 180 });
      }

      expect(await row()).toEqual(before);
      expect(await allRows(table, 'index')).toEqual([]);
    },
  );

  test('leaves an order where somebody else has put it since it was read', async () => {
    await createOrder(table, sampleOrder({ nextCheckAtEpochSeconds: NOW + 61 }));
    const before = await row();
    for (const read of [orderId(NUMBER), sampleOrder()]) {
      await markChecked(table, read, NOW, { checks: 1, nextCheckAtEpochSeconds: NOW + 180 });
    }

    expect(await row()).toEqual(before);
  });

  test('brings an open order back into the index that was read outside of it', async () => {
    const { GSI1PK: _, GSI1SK: __, ...outside } = orderToItem(sampleOrder());
    await putRow(table, outside);
    await markChecked(table, orderId(NUMBER), NOW, {
      checks: 1,
      nextCheckAtEpochSeconds: NOW + 180,
    });

    expect(await collect(table, NOW + 180)).toEqual([NUMBER]);
  });

  test('of an order that is not there makes no row', async () => {
    await markChecked(table, orderId(NUMBER), NOW, {
      checks: 1,
      nextCheckAtEpochSeconds: NOW + 180,
    });

    expect(await allRows(table)).toEqual([]);
  });
});

describe('putting off an order whose row cannot be read', () => {
  const spoil = async (attributes = {}) => {
    const item = orderToItem(sampleOrder({ nextCheckAtEpochSeconds: NOW }));
    const spoilt = { ...item, tradeState: { NULL: true }, ...attributes };
    await putRow(table, spoilt);
    return spoilt;
  };
  const postpone = (now = NOW) =>
    postponeUnread(table, orderKey(orderId(NUMBER)), now, now + 86_400);

  test('changes nothing of it but when it is looked at, whatever else is wrong', async () => {
    const before = await spoil();

    expect(await postpone()).toBe('written');
    expect(await row()).toEqual({ ...before, GSI1SK: { S: '2026-03-02T02:01:00Z' } });
    expect(await collect(table, NOW + 86_399)).toEqual([]);
    expect(await collect(table, NOW + 86_400)).toEqual([NUMBER]);
  });

  test('is for one of two runs that meet', async () => {
    await spoil();

    expect((await Promise.all([postpone(), postpone()])).toSorted()).toEqual([
      'refused',
      'written',
    ]);
  });

  test('is refused while it is not due, and for one that left the index: it stays out', async () => {
    await spoil();
    expect(await postpone(NOW - 1)).toBe('refused');

    const { GSI1PK: _, GSI1SK: __, ...outside }: Row = await spoil();
    await putRow(table, outside);
    expect(await postpone()).toBe('refused');
    expect(await row()).toEqual(outside);
  });

  test('of an order that is not there makes no row', async () => {
    expect(await postpone()).toBe('refused');
    expect(await allRows(table)).toEqual([]);
  });
});

describe('leaving the index', () => {
  test.each<OrderState>(['SUCCESS', 'REFUND', 'CLOSED'])(
    'is for an order that is %s and was left in it; nothing else of it changes',
    async (tradeState) => {
      const item = orderToItem(sampleOrder({ tradeState }));
      await putRow(table, item);
      await leaveIndex(table, orderId(NUMBER));

      const { GSI1PK: _, GSI1SK: __, ...outside }: Row = item;
      expect(await row()).toEqual(outside);
    },
  );

  test('is not for an open order, and makes no row', async () => {
    await leaveIndex(table, orderId(NUMBER));
    expect(await allRows(table)).toEqual([]);

    await createOrder(table, sampleOrder());
    const before = await row();
    await leaveIndex(table, orderId(NUMBER));
    expect(await row()).toEqual(before);
  });
});

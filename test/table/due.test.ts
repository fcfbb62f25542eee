import { beforeEach, describe, expect, test } from 'vitest';
import type { OrderState } from '../../lib/order/order.ts';
import type { Table } from '../../lib/table/client.ts';
import { createOrder } from '../../lib/table/checkout.ts';
import { claimCheck, leaveIndex, markChecked, postponeUnread } from '../../lib/table/due.ts';
import { listDue } from '../../lib/table/due-work.ts';
import { orderToItem } from '../../lib/table/order-row.ts';
import { readOrder } from '../../lib/table/orders.ts';
import { orderKey } from '../../lib/table/schema.ts';
import { allRows, putRow, type Row, rowOf, useEmbeddedTables } from '../support/embedded-tables.ts';
import { CREATED_AT, sampleOrder, orderId } from '../support/sample-orders.ts';
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

async function collect(from: Table, now: number): Promise<string[]> {
  const numbers: string[] = [];
  for await (const { id } of listDue(from, now)) {
    numbers.push(id.outTradeNo);
  }
  return numbers;
}

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

describe('an order that somebody asks about', () => {
  const URGENT = { GSI1PK: { S: 'OPEN#ASKED#01' }, GSI1SK: { S: '2026-03-01T02:01:00Z' } };

  test('becomes urgent by the write that takes the turn; when it is due stays as it is', async () => {
    await createOrder(table, sampleOrder());
    await claimCheck(table, sampleOrder(), NOW, 3);

    expect(await row()).toMatchObject({ ...URGENT, checkedAt: { S: '2026-03-01T02:01:00Z' } });
    expect(await readOrder(table, orderId(NUMBER))).toMatchObject({ isAskedAbout: true });
  });

  test('is not moved within the index by the next one who asks', async () => {
    const watched = watchTable(table, ({ input, send }) => {
      expect(input['UpdateExpression']).toBe('SET checkedAt = :now');
      return send();
    });
    await createOrder(table, sampleOrder({ isAskedAbout: true }));
    await claimCheck(watched, sampleOrder({ isAskedAbout: true }), NOW, 3);

    expect(await row()).toMatchObject(URGENT);
  });

  test('is as before once reconcile asked', async () => {
    await createOrder(table, sampleOrder());
    await claimCheck(table, sampleOrder(), NOW, 3);
    await markChecked(table, sampleOrder(), NOW, { checks: 1, nextCheckAtEpochSeconds: NOW + 180 });

    expect(await row()).toMatchObject({ GSI1PK: { S: 'OPEN#01' } });
  });

  test.each<OrderState>(['SUCCESS', 'REFUND', 'CLOSED'])(
    'and is %s by now is not brought back into the index',
    async (state) => {
      await given(state);
      const before = await row();
      await claimCheck(table, sampleOrder(), NOW, 3);

      expect(await row()).toEqual(before);
    },
  );
});

describe('noting that reconcile asked', () => {
  test('sets the plan of reconcile, in the same shard, among what is asked later', async () => {
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
    expect(before?.['GSI1PK']).toEqual({ S: 'OPEN#FIRST#01' });
    expect(await allRows(table, 'index')).toEqual([
      { ...before, GSI1PK: { S: 'OPEN#01' }, GSI1SK: { S: '2026-03-01T02:04:00Z' } },
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

import { beforeEach, describe, expect, test } from 'vitest';
import type { OrderId } from '../../lib/order/order-id.ts';
import type { Order } from '../../lib/order/order.ts';
import { createOrder, readCart } from '../../lib/table/checkout.ts';
import type { Table } from '../../lib/table/client.ts';
import { claimCheck, markChecked } from '../../lib/table/due.ts';
import { listDue } from '../../lib/table/due-work.ts';
import { bindKey, createQuotedOrder } from '../../lib/table/idempotency-binding.ts';
import { recordMismatch } from '../../lib/table/mismatches.ts';
import { applyEvidence } from '../../lib/table/order-transition.ts';
import { readOrder } from '../../lib/table/orders.ts';
import { allRows, type Row, rowOf, useEmbeddedTables } from '../support/embedded-tables.ts';
import { CREATED_AT, orderId, sampleOrder, samplePayment } from '../support/sample-orders.ts';

const newTable = useEmbeddedTables();
let table: Table;

beforeEach(async () => {
  table = await newTable();
});

const FIRST = orderId();
const TEA: OrderId = { merchantKey: 'tea', outTradeNo: 'order-0001' };
const NOW = CREATED_AT + 60;

const orderOf = (id: OrderId, changes: Partial<Order> = {}) => sampleOrder({ ...id, ...changes });

/** The rows of the two orders of one number. */
const rows = () =>
  Promise.all([rowOf(table, 'ORDER#order-0001'), rowOf(table, 'ORDER#tea#order-0001')]);

async function dueIds(): Promise<OrderId[]> {
  const ids: OrderId[] = [];
  for await (const { id } of listDue(table, NOW)) {
    ids.push(id);
  }
  return ids.toSorted((a, b) => a.merchantKey.localeCompare(b.merchantKey));
}

describe('two merchants with an order of the same number', () => {
  test('each have a row, and each find their own', async () => {
    await createOrder(table, orderOf(FIRST, { totalFen: 1 }));
    await createOrder(table, orderOf(TEA, { totalFen: 2 }));

    expect(await allRows(table)).toHaveLength(2);
    expect(await readOrder(table, FIRST)).toEqual(orderOf(FIRST, { totalFen: 1 }));
    expect(await readOrder(table, TEA)).toEqual(orderOf(TEA, { totalFen: 2 }));
    expect((await readCart(table, [], FIRST)).order?.totalFen).toBe(1);
    expect((await readCart(table, [], TEA)).order?.totalFen).toBe(2);
  });

  test('differ in nothing but their keys', async () => {
    await createOrder(table, orderOf(FIRST));
    await createOrder(table, orderOf(TEA));

    const [first, tea] = await rows();
    expect(tea).toEqual({ ...first, PK: { S: 'ORDER#tea#order-0001' } });
  });

  test.each<[string, (id: OrderId) => Promise<unknown>]>([
    [
      'a payment',
      (id) =>
        applyEvidence(table, id, { kind: 'paid', refunded: false, payment: samplePayment() }, NOW),
    ],
    ['a close', (id) => applyEvidence(table, id, { kind: 'closed' }, NOW)],
    [
      'a contradiction',
      (id) =>
        recordMismatch(
          table,
          id,
          samplePayment({ totalFen: 1 }),
          { field: 'totalFen', expected: 2800, observed: 1 },
          { nowEpochSeconds: NOW },
        ),
    ],
    ['a turn to ask', (id) => claimCheck(table, id, NOW, 3)],
    [
      'a check',
      (id) =>
        markChecked(table, { ...sampleOrder(), ...id }, NOW, {
          checks: 1,
          nextCheckAtEpochSeconds: NOW + 60,
        }),
    ],
  ])('are not touched by %s of the other', async (_name, act) => {
    for (const [one, other] of [
      [FIRST, 1],
      [TEA, 0],
    ] as const) {
      table = await newTable();
      await createOrder(table, orderOf(FIRST));
      await createOrder(table, orderOf(TEA));
      const before = await rows();
      await act(one);

      const after: readonly (Row | undefined)[] = await rows();
      expect(after[other]).toEqual(before[other]);
      expect(after[1 - other]).not.toEqual(before[1 - other]);
    }
  });

  test('are both due, each by its own name', async () => {
    await createOrder(table, orderOf(FIRST));
    await createOrder(table, orderOf(TEA));

    expect(await dueIds()).toEqual([FIRST, TEA]);
  });

  test('each bind a key of the same digest to their own order', async () => {
    const made = await Promise.all(
      [FIRST, TEA].map((id) => createQuotedOrder(table, orderOf(id), 'key-0001')),
    );

    expect(made).toEqual([
      { kind: 'order', order: orderOf(FIRST) },
      { kind: 'order', order: orderOf(TEA) },
    ]);
    expect((await allRows(table)).map(({ PK }) => String(PK?.S)).toSorted()).toEqual([
      'IDEMPOTENCY#key-0001',
      'IDEMPOTENCY#tea#key-0001',
      'ORDER#order-0001',
      'ORDER#tea#order-0001',
    ]);
  });

  test('are free to bind a key that the other has bound to another order', async () => {
    await createQuotedOrder(table, orderOf(FIRST), 'key-0001');
    const other = { merchantKey: 'tea', outTradeNo: 'order-0002' };
    await createQuotedOrder(table, orderOf(other), 'key-0002');

    expect(await bindKey(table, other, 'key-0001', CREATED_AT)).toBeUndefined();
    expect(await bindKey(table, orderId('order-0002'), 'key-0001', CREATED_AT)).toBe('order-0001');
    expect((await readCart(table, [], { ...TEA, outTradeNo: 'key-0001' })).boundTo).toBe(
      'order-0002',
    );
    expect((await readCart(table, [], orderId('key-0001'))).boundTo).toBe('order-0001');
  });
});

import { beforeEach, describe, expect, test } from 'vitest';
import { createOrder } from '../../lib/table/checkout.ts';
import type { Table } from '../../lib/table/client.ts';
import { markClosing } from '../../lib/table/closing.ts';
import { applyEvidence } from '../../lib/table/order-transition.ts';
import { readOrder } from '../../lib/table/orders.ts';
import { allRows, rowOf, useEmbeddedTables } from '../support/embedded-tables.ts';
import { CREATED_AT, orderId, sampleOrder, samplePayment } from '../support/sample-orders.ts';

const newTable = useEmbeddedTables();
let table: Table;

beforeEach(async () => {
  table = await newTable();
});

const NOW = CREATED_AT + 400;
const order = sampleOrder({ nextCheckAtEpochSeconds: CREATED_AT + 1800 });
const mark = (at = NOW) => markClosing(table, order, at);
const stored = () => readOrder(table, orderId());

describe('marking an order as given up', () => {
  test('sets when, and makes it due in a minute and urgent, with nothing else changed', async () => {
    await createOrder(table, order);
    const marked = await mark();

    expect(marked).toEqual({
      ...order,
      closingAtEpochSeconds: NOW,
      isAskedAbout: true,
      nextCheckAtEpochSeconds: NOW + 60,
    });
    expect(await stored()).toEqual(marked);
    expect((await allRows(table, 'index')).map(({ GSI1SK }) => GSI1SK?.S)).toEqual([
      '2026-03-01T02:07:40Z',
    ]);
  });

  test('happens once: a repeat gets the order as it was marked first', async () => {
    await createOrder(table, order);
    const marked = await mark();

    expect(await mark(NOW + 30)).toEqual(marked);
    expect(await stored()).toEqual(marked);
  });

  test.each([
    ['paid', { kind: 'paid', refunded: false, payment: samplePayment() }, 'SUCCESS'],
    ['closed', { kind: 'closed' }, 'CLOSED'],
  ] as const)('of one that is %s by now changes nothing of it', async (_, evidence, tradeState) => {
    await createOrder(table, order);
    await applyEvidence(table, orderId(), evidence, NOW);
    const before = await rowOf(table, 'ORDER#order-0001');

    expect(await mark()).toMatchObject({ tradeState, closingAtEpochSeconds: undefined });
    expect(await rowOf(table, 'ORDER#order-0001')).toEqual(before);
  });

  test('of one that is gone makes no row', async () => {
    await expect(mark()).rejects.toMatchObject({ code: 'ORDER_NOT_FOUND' });
    expect(await allRows(table)).toEqual([]);
  });

  test('leaves the mark where it is when the order ends', async () => {
    await createOrder(table, order);
    await mark();
    await applyEvidence(table, orderId(), { kind: 'closed' }, NOW);

    expect(await stored()).toMatchObject({ tradeState: 'CLOSED', closingAtEpochSeconds: NOW });
    expect(await allRows(table, 'index')).toEqual([]);
  });
});

import { beforeEach, describe, expect, test } from 'vitest';
import { createOrder } from '../../lib/table/checkout.ts';
import type { Table } from '../../lib/table/client.ts';
import { readOrder } from '../../lib/table/orders.ts';
import { concludeNotices, noteRefund } from '../../lib/table/refund-notices.ts';
import type { Order } from '../../lib/order/order.ts';
import { useEmbeddedTables } from '../support/embedded-tables.ts';
import { givePaidOrder } from '../support/paid-order.ts';
import { orderId, sampleOrder } from '../support/sample-orders.ts';
import { ASKED_AT } from '../support/sample-refunds.ts';

const newTable = useEmbeddedTables();
let table: Table;

beforeEach(async () => {
  table = await newTable();
});

const stored = async () => (await readOrder(table, orderId())) as Order;
const note = (outRefundNo: string, at = ASKED_AT) => noteRefund(table, orderId(), outRefundNo, at);

describe('a refund that WeChat reported and that has no row', () => {
  test('leaves its order due, with every number once', async () => {
    await givePaidOrder(table);

    expect([await note('b'), await note('a'), await note('b')]).toEqual([
      'noted',
      'noted',
      'noted',
    ]);
    expect(await stored()).toMatchObject({ nextCheckAtEpochSeconds: ASKED_AT, checks: 0 });
    expect((await stored()).refundNotices?.toSorted()).toEqual(['a', 'b']);
  });

  test('of an unpaid order is not noted: its place in the index is that of its payment', async () => {
    await createOrder(table, sampleOrder());

    expect(await note('a')).toBe('not-paid');
    expect(await stored()).toEqual(sampleOrder());
  });
});

describe('when reconcile has asked', () => {
  test('the order leaves the index, or is put off', async () => {
    await givePaidOrder(table);
    await note('a');
    const order = await stored();
    await concludeNotices(table, order, { checks: 3, atEpochSeconds: ASKED_AT + 60 });
    const later = await stored();
    expect(later).toEqual({ ...order, checks: 3, nextCheckAtEpochSeconds: ASKED_AT + 60 });

    await concludeNotices(table, later, undefined);
    expect(await stored()).toMatchObject({
      nextCheckAtEpochSeconds: undefined,
      refundNotices: undefined,
    });
  });

  test.each([
    ['another refund in the same second', 'b', ASKED_AT],
    ['the same refund again', 'a', ASKED_AT + 1],
  ])('an order of which WeChat reported %s meanwhile stays due', async (_, outRefundNo, at) => {
    await givePaidOrder(table);
    await note('a');
    const order = await stored();
    await note(outRefundNo, at);
    await concludeNotices(table, order, undefined);

    expect(await stored()).toMatchObject({ nextCheckAtEpochSeconds: at });
    expect((await stored()).refundNotices).toContain(outRefundNo);
  });

  test('an order that was due without a number leaves the index too', async () => {
    await givePaidOrder(table);
    const order = { ...(await stored()), nextCheckAtEpochSeconds: ASKED_AT };
    await note('a');
    await concludeNotices(table, order, undefined);

    expect((await stored()).refundNotices).toEqual(['a']);
  });
});

/** When the rows of an order may go, by the table's time to live. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { OrderEffect } from '../../lib/refund/transition.ts';
import { createOrder } from '../../lib/table/checkout.ts';
import type { Table } from '../../lib/table/client.ts';
import { markClosing } from '../../lib/table/closing.ts';
import { claimCheck, markChecked } from '../../lib/table/due.ts';
import { bindKey, createQuotedOrder } from '../../lib/table/idempotency-binding.ts';
import { applyEvidence } from '../../lib/table/order-transition.ts';
import { readOrder } from '../../lib/table/orders.ts';
import { changeRefund, recordConsoleRefund } from '../../lib/table/refund-change.ts';
import { concludeNotices, noteRefund } from '../../lib/table/refund-notices.ts';
import { reserveRefund } from '../../lib/table/refunds.ts';
import { keepWhileOpen } from '../../lib/table/retention.ts';
import { recordUnknownPayment } from '../../lib/table/unknown-payments.ts';
import { markUnsettled } from '../../lib/table/unsettled.ts';
import { allRows, useEmbeddedTables } from '../support/embedded-tables.ts';
import { CREATED_AT, orderId, sampleOrder, samplePayment } from '../support/sample-orders.ts';
import { ASKED_AT, sampleRefund } from '../support/sample-refunds.ts';
import { watchTable } from '../support/watched-table.ts';

const newTable = useEmbeddedTables();
const DAYS = 500;
const DAY = 86_400;

let forEver: Table;
let table: Table;

beforeEach(async () => {
  forEver = await newTable();
  table = { ...forEver, retentionDays: DAYS };
});

const PK = 'ORDER#order-0001';
const PAID = { kind: 'paid', refunded: false, payment: samplePayment() } as const;
const NO_EFFECT: OrderEffect = { takesFen: 0, provesFen: 0, counts: 0, refunds: false };

/** After how many days, from then on, a row may go. */
const daysFrom = async (from: number, key = PK, sortKey?: string) => {
  const rows = await allRows(table);
  const row = rows.find(
    (each) => each['PK']?.S === key && (sortKey === undefined || each['SK']?.S === sortKey),
  );
  expect(row).toBeDefined();
  const deleteAt = row?.['deleteAt']?.N;
  return deleteAt === undefined ? undefined : (Number(deleteAt) - from) / DAY;
};
const pay = async (on = table) => applyEvidence(on, orderId(), PAID, CREATED_AT + 60);

describe('an order', () => {
  test('that is open stays, whatever is done with it', async () => {
    await createOrder(table, sampleOrder());
    await claimCheck(table, orderId(), CREATED_AT + 5, 3);
    await markChecked(table, sampleOrder(), CREATED_AT + 60, {
      checks: 1,
      nextCheckAtEpochSeconds: CREATED_AT + 240,
      isUnsettled: true,
    });
    await markClosing(table, sampleOrder(), CREATED_AT + 70);
    expect(await daysFrom(0)).toBeUndefined();

    const read = (await readOrder(table, orderId())) ?? sampleOrder();
    expect(await markUnsettled(table, read, 'NOT_CLOSED', CREATED_AT + 90)).toBe('written');
    expect(await daysFrom(0)).toBeUndefined();
  });

  test('may go so many days after the write that ends it', async () => {
    await createOrder(table, sampleOrder());
    await applyEvidence(table, orderId(), { kind: 'closed' }, CREATED_AT + 1800);
    expect(await daysFrom(CREATED_AT + 1800)).toBe(DAYS);

    await applyEvidence(table, orderId(), PAID, CREATED_AT + 5000);
    expect(await daysFrom(CREATED_AT + 5000)).toBe(DAYS);
    expect((await readOrder(table, orderId()))?.deleteAtEpochSeconds).toBe(
      CREATED_AT + 5000 + DAYS * DAY,
    );
  });

  test('is put off by every refund that is noted, looked for, reserved or proved', async () => {
    await createOrder(table, sampleOrder());
    await pay();
    const at = (day: number) => CREATED_AT + day * DAY;
    await noteRefund(table, orderId(), 'console-1', at(10));
    expect(await daysFrom(at(10))).toBe(DAYS);

    const noted = (await readOrder(table, orderId())) ?? sampleOrder();
    await concludeNotices(table, noted, { checks: 1, atEpochSeconds: at(20) });
    expect(await daysFrom(at(20))).toBe(DAYS);

    const turns = { nowEpochSeconds: at(30), order: false, probe: false };
    expect(await reserveRefund(table, sampleRefund(), turns, 'digest')).toBe('reserved');
    expect(await daysFrom(at(30), PK, 'ORDER')).toBe(DAYS);

    const effect = { ...NO_EFFECT, provesFen: 800, refunds: true };
    const accepted = { ...sampleRefund(), status: 'PROCESSING' } as const;
    await changeRefund(table, sampleRefund(), accepted, { effect, nowMs: at(40) * 1000 });
    expect(await daysFrom(at(40), PK, 'ORDER')).toBe(DAYS);
  });

  test('has no such day where orders are kept', async () => {
    await createOrder(forEver, sampleOrder());
    await pay(forEver);
    const turns = { nowEpochSeconds: ASKED_AT, order: false, probe: false };
    await reserveRefund(forEver, sampleRefund(), turns, 'digest');

    for (const row of await allRows(forEver)) {
      expect(row).not.toHaveProperty('deleteAt');
    }
  });
});

describe('a refund', () => {
  const reserved = async () => {
    await createOrder(table, sampleOrder());
    await pay();
    const turns = { nowEpochSeconds: ASKED_AT, order: false, probe: false };
    await reserveRefund(table, sampleRefund(), turns, 'digest');
    return sampleRefund();
  };

  test('stays while it is open, and may go so many days after its end', async () => {
    const before = await reserved();
    const SK = `REFUND#${before.outRefundNo}`;
    expect(await daysFrom(0, PK, SK)).toBeUndefined();

    const nowMs = (ASKED_AT + 10) * 1000;
    const abnormal = { ...before, status: 'ABNORMAL' } as const;
    const { refund } = await changeRefund(table, before, abnormal, { nowMs });
    expect(await daysFrom(0, PK, SK)).toBeUndefined();

    const ended = { ...refund, status: 'CLOSED', nextCheckAtEpochSeconds: undefined } as const;
    await changeRefund(table, refund, ended, { nowMs: nowMs + 5_000 });
    expect(await daysFrom(ASKED_AT + 15, PK, SK)).toBe(DAYS);
  });

  test('made in the console and ended when it is found may go as well', async () => {
    await createOrder(table, sampleOrder());
    await pay();
    const ended = { status: 'SUCCESS', nextCheckAtEpochSeconds: undefined } as const;
    const refund = sampleRefund({ ...ended, changedAtEpochMs: ASKED_AT * 1000 });
    await recordConsoleRefund(table, refund, NO_EFFECT);

    expect(await daysFrom(ASKED_AT, PK, `REFUND#${refund.outRefundNo}`)).toBe(DAYS);
  });

  test('has its number and its key guarded for longer than order and refund last', async () => {
    const { mchid, outRefundNo } = await reserved();

    expect(await daysFrom(ASKED_AT, `REFUNDNUMBER#${mchid}#${outRefundNo}`)).toBe(DAYS + 400);
    expect(await daysFrom(ASKED_AT, PK, 'REFUNDKEY#digest')).toBe(DAYS + 400);
  });

  test('that is still open when its order’s day comes near puts the order off', async () => {
    await reserved();
    const look = async (day: number, on = table) => {
      const order = await readOrder(table, orderId());
      const watched = watchTable(on);
      await keepWhileOpen(watched, order ?? sampleOrder(), ASKED_AT + day * DAY);
      return watched.operations;
    };

    expect(await look(1)).toEqual([]);
    expect(await look(DAYS - 99)).toEqual(['UpdateItem']);
    expect(await daysFrom(ASKED_AT, PK, 'ORDER')).toBe(DAYS - 99 + DAYS);
    // Meanwhile orders are kept for ever.
    expect(await look(2 * DAYS - 99, forEver)).toEqual(['UpdateItem']);
    expect(await daysFrom(0, PK, 'ORDER')).toBeUndefined();
  });
});

test('what binds a key to a quoted order outlives the order', async () => {
  await createQuotedOrder(table, sampleOrder(), 'key-0001');
  expect(await daysFrom(CREATED_AT, 'IDEMPOTENCY#key-0001')).toBe(DAYS + 400);

  await bindKey(table, orderId(), 'key-0002', CREATED_AT + DAY);
  expect(await daysFrom(CREATED_AT + DAY, 'IDEMPOTENCY#key-0002')).toBe(DAYS + 400);
  expect(await daysFrom(0)).toBeUndefined();
});

test('a payment of no order may go like an order', async () => {
  const notification = {
    id: '1',
    kind: 'payment',
    apiVersion: 'v2',
    receivedAtMs: 0,
    content: '{}',
    decision: 'unknown-order',
    answer: 500,
  } as const;
  await recordUnknownPayment(table, orderId(), samplePayment(), CREATED_AT, notification);

  expect(await daysFrom(CREATED_AT, `UNKNOWN#${samplePayment().transactionId}`)).toBe(DAYS);
});

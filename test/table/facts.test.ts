import { beforeEach, describe, expect, test } from 'vitest';
import type { Evidence, PaymentEvidence } from '../../lib/order/transition.ts';
import { createOrder } from '../../lib/table/checkout.ts';
import type { Table } from '../../lib/table/client.ts';
import { claimCheck, markChecked } from '../../lib/table/due.ts';
import { recordMismatch, recordRefundOfOrderMismatch } from '../../lib/table/mismatches.ts';
import type { ReceivedNotification } from '../../lib/table/notification-attribute.ts';
import { orderFromItem, orderToItem } from '../../lib/table/order-row.ts';
import { applyEvidence } from '../../lib/table/order-transition.ts';
import { noteRefund } from '../../lib/table/refund-notices.ts';
import { recordUnknownPayment } from '../../lib/table/unknown-payments.ts';
import { allRows, putRow, type Row, rowOf, useEmbeddedTables } from '../support/embedded-tables.ts';
import { carriedIn, factsIn, factsOf } from '../support/facts-of.ts';
import { CREATED_AT, orderId, sampleOrder, samplePayment } from '../support/sample-orders.ts';
import { refundEvidence } from '../support/sample-refunds.ts';
import { watchTable } from '../support/watched-table.ts';

const newTable = useEmbeddedTables();
let table: Table;

beforeEach(async () => {
  table = await newTable();
});

const NOW = CREATED_AT + 60;
const AT = '2026-03-01T02:01:00Z';
const PAYMENT = samplePayment();
const paid = (refunded = false, changes: Partial<PaymentEvidence> = {}): Evidence => ({
  kind: 'paid',
  refunded,
  payment: samplePayment(changes),
});
const closed: Evidence = { kind: 'closed' };
const apply = (evidence: Evidence, on: Table = table, at = NOW) =>
  applyEvidence(on, orderId(), evidence, at);
const row = () => rowOf(table, 'ORDER#order-0001');

/** A network that loses the first answer of every write: the SDK sends each twice. */
const forgetful = () => watchTable(table, async ({ send }) => send().then(send, send));

const MESSAGE: ReceivedNotification = {
  id: 'EV-1',
  receivedAtMs: NOW * 1000 + 5,
  apiVersion: 'v3',
  kind: 'payment',
  content: '{"event_type":"TRANSACTION.SUCCESS"}',
};
const KEPT = {
  key: '2026-03-01T02:01:00.005Z#EV-1',
  id: 'EV-1',
  receivedAt: '2026-03-01T02:01:00.005Z',
  apiVersion: 'v3',
  kind: 'payment',
  message: MESSAGE.content,
};

describe('an order', () => {
  beforeEach(async () => {
    await createOrder(table, sampleOrder());
  });

  test('has no facts while it is open, whoever asks about it', async () => {
    await claimCheck(table, orderId(), NOW, 3);
    const next = { checks: 1, nextCheckAtEpochSeconds: NOW + 60 };
    await markChecked(table, sampleOrder(), NOW, next);

    expect(await factsOf(table)).toEqual([]);
  });

  test.each([
    [[paid()], [{ type: 'PAID', at: AT, tradeState: 'SUCCESS' }]],
    [[paid(true)], [{ type: 'PAID', at: AT, tradeState: 'REFUND' }]],
    // The refund's own row tells of the refund.
    [[paid(), paid(true)], [{ type: 'PAID', at: AT, tradeState: 'SUCCESS' }]],
    [[closed], [{ type: 'CLOSED', at: AT }]],
    [
      [closed, paid()],
      [
        { type: 'CLOSED', at: AT },
        { type: 'PAID_AFTER_CLOSE', at: AT, tradeState: 'SUCCESS', paymentAfterClose: 'keep' },
      ],
    ],
    [
      [closed, paid(true)],
      [
        { type: 'CLOSED', at: AT },
        { type: 'PAID_AFTER_CLOSE', at: AT, tradeState: 'REFUND', paymentAfterClose: 'keep' },
      ],
    ],
  ])(
    'by %j tells %j, once, however often each is said and answers are lost',
    async (said, told) => {
      for (const evidence of said) {
        await apply(evidence, forgetful());
        await Promise.all([apply(evidence), apply(evidence, forgetful())]);
      }

      expect(await factsOf(table)).toEqual(told);
    },
  );

  test('says since when it is closed, also once it was paid', async () => {
    await apply(closed);
    await apply(paid(), table, NOW + 5);

    expect(await row()).toMatchObject({ closedAt: { S: AT }, tradeState: { S: 'SUCCESS' } });
  });

  test('keeps what was told of its payment when it is refunded', async () => {
    await apply(paid(false, { bankType: undefined }));
    const before = await row();
    await apply(paid(true, { bankType: 'ICBC', paidAtEpochSeconds: CREATED_AT + 50 }));
    const after = await row();

    expect(after).toMatchObject({ tradeState: { S: 'REFUND' } });
    for (const name of ['paidAt', 'GSI3PK', 'GSI3SK', 'transactionId', 'bankType', 'facts']) {
      expect(after?.[name]).toEqual(before?.[name]);
    }
  });

  test('of an earlier version gains what its row never had by a refund', async () => {
    const { transactionId } = PAYMENT;
    await putRow(table, {
      ...orderToItem(sampleOrder({ tradeState: 'SUCCESS' })),
      transactionId: { S: transactionId },
    });
    await apply(paid(true));

    expect(await row()).toMatchObject({
      paidAt: { S: '2026-03-01T02:00:40Z' },
      GSI3SK: { S: '2026-03-01T02:00:40Z' },
    });
    expect(await factsOf(table)).toEqual([]);
  });

  test('is read whatever its facts and its message look like', async () => {
    const order = sampleOrder();
    for (const damaged of [{ S: 'x' }, { L: [{ S: 'x' }] }, { M: {} }]) {
      const item = { ...orderToItem(order), facts: damaged, factCount: damaged };
      expect(orderFromItem({ ...item, notification: damaged, closedAt: damaged })).toEqual(order);
    }
  });
});

describe('a contradiction', () => {
  const contradict = (observed: number, on: Table = table, at = NOW, expected = 2800) =>
    recordMismatch(
      on,
      orderId(),
      samplePayment({ totalFen: observed }),
      { field: 'totalFen', expected, observed },
      { nowEpochSeconds: at },
    );

  beforeEach(async () => {
    await createOrder(table, sampleOrder());
  });

  test('is told once, whoever repeats it and whenever', async () => {
    await Promise.all([contradict(1, forgetful()), contradict(1), contradict(1, forgetful())]);
    const [told, ...others] = await factsOf(table);
    // What it was held against may be the time of day.
    await contradict(1, table, NOW + 99, 2801);

    expect(others).toEqual([]);
    expect(told).toEqual({
      type: 'MISMATCH',
      at: AT,
      digest: expect.stringMatching(/^[0-9a-f]{32}$/),
      field: 'totalFen',
      expected: '2800',
      observed: '1',
      transactionId: PAYMENT.transactionId,
      totalFen: 1,
    });
    expect(await factsOf(table)).toEqual([told]);
  });

  test('in another way is another fact, up to twenty', async () => {
    const said = Array.from({ length: 25 }, (_, index) => index + 1);
    for (const observed of said) {
      await contradict(observed);
    }

    const facts = await factsOf(table);
    expect(facts.map(({ observed }) => observed)).toEqual(said.slice(0, 20).map(String));
    expect(new Set(facts.map(({ digest }) => digest)).size).toBe(20);
    expect((await row())?.['mismatchDigests']?.SS).toHaveLength(20);
  });

  test('of a refund without a row is told by its order, once', async () => {
    const mismatch = { field: 'transactionId', expected: '42', observed: '43' } as const;
    const record = (on: Table) =>
      recordRefundOfOrderMismatch(on, orderId(), refundEvidence(), mismatch, {
        nowEpochSeconds: NOW,
      });
    await Promise.all([record(forgetful()), record(table)]);

    expect(await factsOf(table)).toEqual([
      {
        type: 'REFUND_MISMATCH',
        at: AT,
        digest: expect.any(String),
        ...mismatch,
        outRefundNo: 'refund-0001',
        refundFen: 800,
      },
    ]);
    expect(await row()).not.toHaveProperty('mismatch');
  });
});

describe('a payment of no order', () => {
  const carried = { ...MESSAGE, decision: 'unknown-order', answer: 404 };
  const record = (on: Table, changes: Partial<PaymentEvidence> = {}, merchantKey = '') =>
    recordUnknownPayment(on, { merchantKey }, samplePayment(changes), NOW, carried);

  test('leaves one row of its own, once', async () => {
    await Promise.all([record(forgetful()), record(table)]);
    const rows = await allRows(table);

    expect(rows).toEqual([
      {
        PK: { S: `UNKNOWN#${PAYMENT.transactionId}` },
        SK: { S: 'UNKNOWN' },
        outTradeNo: { S: 'order-0001' },
        transactionId: { S: PAYMENT.transactionId },
        totalFen: { N: '2800' },
        currency: { S: 'CNY' },
        appid: { S: PAYMENT.appid },
        mchid: { S: PAYMENT.mchid },
        paidAt: { S: '2026-03-01T02:00:40Z' },
        facts: expect.anything(),
        factCount: { N: '1' },
        notification: expect.anything(),
      },
    ]);
    expect(factsIn(rows[0])).toEqual([{ type: 'UNKNOWN_ORDER', at: AT }]);
    expect(carriedIn(rows[0])).toEqual({ ...KEPT, decision: 'unknown-order', answer: 404 });
  });

  test('is never told otherwise afterwards', async () => {
    await record(table);
    const before = await allRows(table);
    await record(table, { totalFen: 1 });

    expect(await allRows(table)).toEqual(before);
  });

  test('names the merchants that it is of, and no time that is none', async () => {
    await record(table, { subMchid: '1900000999', paidAtEpochSeconds: Number.NaN }, 'tea');
    const [kept] = await allRows(table);

    expect(kept).toMatchObject({ merchantKey: { S: 'tea' }, subMchid: { S: '1900000999' } });
    expect(kept).not.toHaveProperty('paidAt');
  });
});

describe('a message from WeChat', () => {
  const notification = MESSAGE;
  const carriedBy = async () => carriedIn(await row());

  beforeEach(async () => {
    await createOrder(table, sampleOrder());
  });

  test('is carried by the write that it led to, with what was decided, and by no other', async () => {
    const watched = watchTable(table);
    await applyEvidence(watched, orderId(), paid(), NOW, { notification });
    const later = { ...notification, id: 'EV-2' };
    await applyEvidence(watched, orderId(), paid(), NOW, { notification: later });

    expect(watched.operations).toEqual(['UpdateItem', 'UpdateItem']);
    expect(await carriedBy()).toEqual({
      ...KEPT,
      decision: 'apply',
      from: 'NOTPAY',
      to: 'SUCCESS',
      answer: 200,
    });
  });

  test('says which state was really left', async () => {
    await apply(closed);
    await applyEvidence(table, orderId(), paid(), NOW, { notification });

    expect(await carriedBy()).toMatchObject({ from: 'CLOSED', to: 'SUCCESS' });
  });

  test('that contradicts is carried by what it contradicts, once', async () => {
    const record = (id: string) =>
      recordMismatch(
        table,
        orderId(),
        samplePayment({ totalFen: 1 }),
        { field: 'totalFen', expected: 2800, observed: 1 },
        {
          nowEpochSeconds: NOW,
          notification: { ...notification, id, decision: 'mismatch', answer: 409 },
        },
      );
    await record('EV-1');
    await record('EV-2');

    expect(await carriedBy()).toEqual({ ...KEPT, decision: 'mismatch', answer: 409 });
  });

  test('about a refund without a row is carried by its order', async () => {
    await apply(paid());
    const carried = {
      ...notification,
      kind: 'refund',
      decision: 'duplicate',
      answer: 200,
    } as const;

    expect(await noteRefund(table, orderId(), 'r-1', NOW, carried)).toBe('noted');
    expect(await carriedBy()).toMatchObject({ kind: 'refund', decision: 'duplicate' });
  });

  test('that would crowd the row out is named and not kept: the payment is', async () => {
    const content = '好'.repeat(11_000);
    await applyEvidence(table, orderId(), paid(), NOW, {
      notification: { ...notification, content },
    });

    const { message: _, ...named } = KEPT;
    expect(await carriedBy()).toEqual({
      ...named,
      decision: 'apply',
      from: 'NOTPAY',
      to: 'SUCCESS',
      answer: 200,
      messageBytes: 33_000,
    });
    expect((await row()) as Row).toMatchObject({ tradeState: { S: 'SUCCESS' } });
  });
});

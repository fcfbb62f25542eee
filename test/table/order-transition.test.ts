import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Order, OrderState } from '../../lib/order/order.ts';
import type { Decision, Evidence, PaymentEvidence } from '../../lib/order/transition.ts';
import { isoTime } from '../../lib/time.ts';
import type { Table } from '../../lib/table/client.ts';
import { orderToItem } from '../../lib/table/order-row.ts';
import { markChecked } from '../../lib/table/due.ts';
import { recordMismatch } from '../../lib/table/mismatches.ts';
import { applyEvidence } from '../../lib/table/order-transition.ts';
import { readOrder } from '../../lib/table/orders.ts';
import { allRows, putRow, rowOf, useEmbeddedTables } from '../support/embedded-tables.ts';
import { CREATED_AT, sampleOrder, samplePayment, orderId } from '../support/sample-orders.ts';
import { watchTable } from '../support/watched-table.ts';

const newTable = useEmbeddedTables();
let table: Table;

beforeEach(async () => {
  table = await newTable();
});

const NOW = CREATED_AT + 60;
const NUMBER = 'order-0001';
const TRANSACTION = samplePayment().transactionId;

const paid = (changes: Partial<PaymentEvidence> = {}): Evidence => ({
  kind: 'paid',
  refunded: false,
  payment: samplePayment(changes),
});
const refunded = (): Evidence => ({ kind: 'paid', refunded: true, payment: samplePayment() });
const closed: Evidence = { kind: 'closed' };

/** Writes an order as an earlier transition would have left it. */
async function given(tradeState: OrderState, changes: Partial<Order> = {}) {
  const isOpen = tradeState === 'NOTPAY';
  const order = sampleOrder({
    tradeState,
    ...(!isOpen && { nextCheckAtEpochSeconds: undefined }),
    ...changes,
  });
  await putRow(table, {
    ...orderToItem(order),
    ...(order.transactionId !== undefined && { transactionId: { S: order.transactionId } }),
  });
}

const row = () => rowOf(table, `ORDER#${NUMBER}`);
const apply = (evidence: Evidence, on: Table = table) =>
  applyEvidence(on, orderId(NUMBER), evidence, NOW);

/** An order whose payment, if any, is the sample's. */
const givenWithPayment = (state: OrderState) =>
  given(state, state === 'SUCCESS' || state === 'REFUND' ? { transactionId: TRANSACTION } : {});

describe('a payment at an impossible time', () => {
  const DAY = 86_400;

  test.each([
    ['a day and a second before its order', CREATED_AT - DAY - 1],
    ['in the year 1', -62_135_596_800],
    ['before the year 0', -62_200_000_000],
    ['a day and a second from now', NOW + DAY + 1],
    ['in the year 9999', 253_402_300_799],
    ['at no time', Number.NaN],
  ])('(%s) is a contradiction and not recorded', async (_, paidAtEpochSeconds) => {
    for (const state of ['NOTPAY', 'CLOSED', 'SUCCESS'] as const) {
      await givenWithPayment(state);
      const before = await row();

      expect(await apply(paid({ paidAtEpochSeconds }))).toMatchObject({
        kind: 'mismatch',
        field: 'paidAtEpochSeconds',
      });
      expect(await row()).toEqual(before);
    }
  });

  test.each([CREATED_AT - DAY, NOW + DAY])('but not off by more than a day is', async (at) => {
    await given('NOTPAY');

    expect(await apply(paid({ paidAtEpochSeconds: at }))).toMatchObject({ kind: 'apply' });
  });

  test.each([{ N: '5' }, { S: 'yesterday' }, undefined])(
    'but a row that does not say when it was made (%j) takes a payment',
    async (createdAt) => {
      const { createdAt: _, ...item } = orderToItem(sampleOrder());
      await putRow(table, { ...item, ...(createdAt && { createdAt }) });

      expect(await apply(paid())).toMatchObject({ kind: 'apply', to: 'SUCCESS' });
      expect(await apply(paid({ paidAtEpochSeconds: NOW + DAY + 1 }))).toMatchObject({
        kind: 'mismatch',
      });
    },
  );

  test('can be kept beside the order', async () => {
    await given('NOTPAY');
    const payment = samplePayment({ paidAtEpochSeconds: Number.NaN });
    const mismatch = {
      field: 'paidAtEpochSeconds',
      expected: CREATED_AT,
      observed: 'not a time',
    } as const;
    await recordMismatch(table, orderId(NUMBER), payment, mismatch, { nowEpochSeconds: NOW });

    expect((await row())?.['mismatch']?.M).toMatchObject({ observed: { S: 'not a time' } });
  });
});

describe('evidence on the row', () => {
  test.each<[string, OrderState, Evidence, OrderState, { flagged: boolean; writes: number }]>([
    ['a payment', 'NOTPAY', paid(), 'SUCCESS', { flagged: false, writes: 1 }],
    ['a close', 'NOTPAY', closed, 'CLOSED', { flagged: false, writes: 1 }],
    ['a refund', 'NOTPAY', refunded(), 'REFUND', { flagged: false, writes: 1 }],
    ['a payment', 'CLOSED', paid(), 'SUCCESS', { flagged: true, writes: 2 }],
    ['a refund', 'CLOSED', refunded(), 'REFUND', { flagged: true, writes: 2 }],
    ['a refund', 'SUCCESS', refunded(), 'REFUND', { flagged: false, writes: 2 }],
  ])(
    'of %s moves an order from %s without a read; in the index stays only what was refunded elsewhere',
    async (_name, from, evidence, to, { flagged, writes }) => {
      await givenWithPayment(from);
      const watched = watchTable(table);

      expect(await apply(evidence, watched)).toEqual({
        kind: 'apply',
        from,
        to,
        paidAfterClose: flagged,
      });
      expect(watched.operations).toEqual(Array.from({ length: writes }, () => 'UpdateItem'));
      const after = await row();
      expect(after?.['tradeState']).toEqual({ S: to });
      expect(after?.['paidAfterClose']).toEqual(flagged ? { BOOL: true } : undefined);
      const due = {
        GSI1PK: { S: 'OPEN#REFUND#01' },
        GSI1SK: { S: isoTime(NOW) },
        checks: { N: '0' },
      };
      expect({ GSI1PK: after?.['GSI1PK'], GSI1SK: after?.['GSI1SK'] }).toEqual(
        to === 'REFUND' ? { GSI1PK: due.GSI1PK, GSI1SK: due.GSI1SK } : {},
      );
      expect(after?.['checks']).toEqual({ N: '0' });
    },
  );

  test.each<[string, OrderState, Evidence, object | undefined]>([
    ['a payment', 'NOTPAY', paid(), { N: '2800' }],
    ['a payment', 'CLOSED', paid(), { N: '2800' }],
    ['a refund', 'NOTPAY', refunded(), { N: '2800' }],
    // What was reserved meanwhile stays reserved.
    ['a refund', 'SUCCESS', refunded(), undefined],
    ['a close', 'NOTPAY', closed, undefined],
  ])(
    'of %s makes of an order in %s one of which %4$j can be refunded',
    async (_, from, evidence, fen) => {
      await givenWithPayment(from);
      await apply(evidence);

      expect((await row())?.['refundableFen']).toEqual(fen);
    },
  );

  test.each(['keep', 'refund'] as const)(
    'of a payment after the close keeps the decision of that moment (%s), and its order due to be given back',
    async (paymentAfterClose) => {
      await given('CLOSED');
      await applyEvidence(table, orderId(NUMBER), paid(), NOW, { paymentAfterClose });

      expect(await readOrder(table, orderId(NUMBER))).toMatchObject({
        tradeState: 'SUCCESS',
        paidAfterClose: true,
        paymentAfterClose,
        nextCheckAtEpochSeconds: paymentAfterClose === 'refund' ? NOW : undefined,
      });
    },
  );

  test('of a payment in time stores no decision, whatever the setting', async () => {
    await given('NOTPAY');
    await applyEvidence(table, orderId(NUMBER), paid(), NOW, { paymentAfterClose: 'refund' });

    const after = await row();
    expect(after).not.toHaveProperty('paymentAfterClose');
    expect(after).not.toHaveProperty('GSI1PK');
  });

  test.each<[string, OrderState, { paidAfterClose: boolean }]>([
    ['a payment', 'NOTPAY', { paidAfterClose: false }],
    ['a payment after the close', 'CLOSED', { paidAfterClose: true }],
  ])(
    'of %s is known as its own when the answer was lost and the SDK repeats the write',
    async (_name, from, expected) => {
      await givenWithPayment(from);
      const repeating = watchTable(table, async ({ send }) => {
        await send();
        return send();
      });

      expect(await apply(paid(), repeating)).toMatchObject({ kind: 'apply', from, ...expected });
      expect(await apply(paid(), watchTable(table))).toEqual({ kind: 'duplicate' });
    },
  );

  test.each<[string, OrderState, Evidence, Decision['kind']]>([
    ['a payment', 'SUCCESS', paid(), 'duplicate'],
    ['a refund', 'REFUND', refunded(), 'duplicate'],
    ['a close', 'CLOSED', closed, 'duplicate'],
    ['a payment', 'REFUND', paid(), 'duplicate'],
    ['a close', 'SUCCESS', closed, 'stale'],
    ['a close', 'REFUND', closed, 'stale'],
  ])(
    'of %s leaves an order that is %s as it is, with one write that is refused and no read',
    async (_name, state, evidence, kind) => {
      await givenWithPayment(state);
      const before = await row();
      const watched = watchTable(table);

      expect(await apply(evidence, watched)).toEqual({ kind });
      expect(watched.operations).toEqual(['UpdateItem']);
      expect(await row()).toEqual(before);
    },
  );

  test.each([paid(), refunded(), closed])(
    'for an order that is not there makes no row (%#)',
    async (evidence) => {
      const watched = watchTable(table);

      expect(await apply(evidence, watched)).toEqual({ kind: 'unknown-order' });
      expect(watched.operations).toEqual(['UpdateItem']);
      expect(await allRows(table)).toEqual([]);
    },
  );

  test('of a payment without a bank keeps no bank', async () => {
    await given('NOTPAY');
    await apply(paid({ bankType: undefined }));

    expect(await row()).not.toHaveProperty('bankType');
  });

  const others = {
    totalFen: 2799,
    currency: 'USD',
    openid: 'oSomebodyElse',
    appid: 'wx0000000000000000',
    mchid: '1900000999',
  } as const;

  test.each(
    (Object.keys(others) as (keyof typeof others)[]).flatMap((field) =>
      (['NOTPAY', 'CLOSED'] as const).map((state) => [field, state] as const),
    ),
  )('with another %s leaves an order that is %s as it is', async (field, state) => {
    await given(state);
    const before = await row();

    expect(await apply(paid({ [field]: others[field] }))).toEqual({
      kind: 'mismatch',
      field,
      expected: sampleOrder()[field],
      observed: others[field],
    });
    expect(await row()).toEqual(before);
  });

  test.each<[string, OrderState, Evidence]>([
    [
      'paid',
      'SUCCESS',
      { ...refunded(), payment: samplePayment({ transactionId: 'other' }) } as Evidence,
    ],
    ['set back by hand', 'NOTPAY', paid({ transactionId: 'other' })],
  ])(
    'of a second transaction leaves an order that was %s as it is',
    async (_name, state, evidence) => {
      await given(state, { transactionId: TRANSACTION });
      const before = await row();

      expect(await apply(evidence)).toEqual({
        kind: 'mismatch',
        field: 'transactionId',
        expected: TRANSACTION,
        observed: 'other',
      });
      expect(await row()).toEqual(before);
    },
  );

  test('passes on what the table says when it fails', async () => {
    const error = new Error('throttled');
    const broken = watchTable(table, async () => {
      throw error;
    });

    await expect(apply(paid(), broken)).rejects.toBe(error);
    expect(broken.operations).toEqual(['UpdateItem']);
  });

  test('gives up on a row that changes under every write', async () => {
    const refusing = watchTable(table, async () => {
      throw new ConditionalCheckFailedException({
        message: 'refused',
        $metadata: {},
        Item: orderToItem(sampleOrder()),
      });
    });

    await expect(apply(paid(), refusing)).rejects.toThrow(
      'an order changed under every attempt to update it',
    );
    expect(refusing.operations).toHaveLength(5);
  });
});

describe('evidence that arrives at the same moment', () => {
  const atOnce = (evidence: readonly Evidence[]) =>
    Promise.all(evidence.map((each) => apply(each)));
  const kinds = (decisions: readonly Decision[]) =>
    decisions.map((decision) => (decision.kind === 'apply' ? `to ${decision.to}` : decision.kind));

  test('20 times the same payment: one writes, 19 are duplicates', async () => {
    await given('NOTPAY');
    const decisions = await atOnce(Array.from({ length: 20 }, () => paid()));

    expect(kinds(decisions).toSorted()).toEqual([
      ...Array.from({ length: 19 }, () => 'duplicate'),
      'to SUCCESS',
    ]);
  });

  test('a payment against a close: the money counts in every round, flagged if it came second', async () => {
    const firsts = new Set<string>();
    for (let round = 0; round < 40; round += 1) {
      await given('NOTPAY');
      // Both orders of sending, so that both outcomes of the race are seen.
      const evidence = round % 2 === 0 ? [paid(), closed, paid()] : [closed, paid(), paid()];
      const decisions = await atOnce(evidence);

      const after = await readOrder(table, orderId(NUMBER));
      expect(after).toMatchObject({ tradeState: 'SUCCESS', transactionId: TRANSACTION });
      const outcome = kinds(decisions).toSorted();
      const closedFirst = after?.paidAfterClose === true;
      firsts.add(closedFirst ? 'close' : 'payment');
      expect(outcome).toEqual(
        closedFirst
          ? ['duplicate', 'to CLOSED', 'to SUCCESS']
          : ['duplicate', 'stale', 'to SUCCESS'],
      );
    }
    expect([...firsts].toSorted()).toEqual(['close', 'payment']);
  });

  test('payment, refund, close and forgeries in any order: refunded in the end, by our transaction', async () => {
    for (let round = 0; round < 20; round += 1) {
      await given('NOTPAY');
      const evidence = [paid(), refunded(), closed, paid({ totalFen: 1 }), paid({ openid: 'o' })];
      const turned = [...evidence.slice(round % 5), ...evidence.slice(0, round % 5)];
      await atOnce(turned);

      expect(await readOrder(table, orderId(NUMBER))).toMatchObject({
        tradeState: 'REFUND',
        transactionId: TRANSACTION,
        totalFen: 2800,
        nextCheckAtEpochSeconds: NOW,
      });
    }
  });

  test('payments by two transactions: one counts, the other is a contradiction', async () => {
    for (let round = 0; round < 20; round += 1) {
      await given('NOTPAY');
      const decisions = await atOnce([paid(), paid({ transactionId: 'second' })]);

      expect(kinds(decisions).toSorted()).toEqual(['mismatch', 'to SUCCESS']);
    }
  });

  test('a payment between the look at a closed order and the write: still once, still flagged', async () => {
    await given('CLOSED');
    const racing = watchTable(table, async ({ send }) => {
      // The other message is through between this writer's two writes.
      if (racing.operations.length === 2) {
        await apply(paid());
      }
      return send();
    });

    expect(await apply(paid(), racing)).toEqual({ kind: 'duplicate' });
    expect(racing.operations).toEqual(['UpdateItem', 'UpdateItem']);
    expect(await readOrder(table, orderId(NUMBER))).toMatchObject({
      tradeState: 'SUCCESS',
      paidAfterClose: true,
    });
  });

  test('a check that ends after the payment: the order stays out of the index', async () => {
    for (let round = 0; round < 20; round += 1) {
      await given('NOTPAY');
      await Promise.all([
        apply(paid()),
        markChecked(table, sampleOrder(), NOW, { checks: 1, nextCheckAtEpochSeconds: NOW + 180 }),
      ]);

      expect(await allRows(table, 'index')).toEqual([]);
      expect(await readOrder(table, orderId(NUMBER))).toMatchObject({ tradeState: 'SUCCESS' });
    }
  });
});

describe('recording a contradiction', () => {
  const record = (on: Table = table) =>
    recordMismatch(
      on,
      orderId(NUMBER),
      samplePayment({ totalFen: 1 }),
      { field: 'totalFen', expected: 2800, observed: 1 },
      { nowEpochSeconds: NOW },
    );

  test('without an order makes no row', async () => {
    await record();

    expect(await allRows(table)).toEqual([]);
  });

  test.each<OrderState>(['NOTPAY', 'SUCCESS', 'CLOSED'])(
    'beside an order that is %s leaves everything else, with one write',
    async (state) => {
      await given(state);
      const before = await row();
      const watched = watchTable(table);
      await record(watched);

      const { mismatch, facts, factCount, mismatchDigests, ...rest } = (await row()) ?? {};
      expect(mismatch?.M?.['field']).toEqual({ S: 'totalFen' });
      expect({ factCount, named: mismatchDigests?.SS }).toEqual({
        factCount: { N: '1' },
        named: [facts?.L?.[0]?.M?.['digest']?.S],
      });
      expect(rest).toEqual(before);
      expect(watched.operations).toEqual(['UpdateItem']);
    },
  );
});

/** What the rows of a day's bill tell, as the table writes them. */
import { beforeEach, expect, test } from 'vitest';
import { allEvents, newEvents } from '../../lib/events/events.ts';
import { keepDifference } from '../../lib/table/bill-differences.ts';
import { takeLease } from '../../lib/table/bill-lease.ts';
import { type CheckedBill, endWithResult } from '../../lib/table/bills.ts';
import type { Table } from '../../lib/table/client.ts';
import { allRows, rowOf, useEmbeddedTables } from '../support/embedded-tables.ts';
import { problemsOf } from '../support/event-schemas.ts';

const newTable = useEmbeddedTables();
let table: Table;

beforeEach(async () => {
  table = await newTable();
});

const DATE = '2026-11-24';
const SHA1 = 'da39a3ee5e6b4b0d3255bfef95601890afd80709';
const RUN = { date: DATE, runId: 'run', nowEpochSeconds: 1_795_574_400 };

const CHECKED: CheckedBill = {
  state: 'DIFFERENCES',
  sha1: SHA1,
  paymentCount: 2,
  paymentFen: 5_600,
  refundCount: 1,
  refundFen: 800,
  rates: [6_000],
  newRates: [],
  feeMilliFen: -20,
  carriedOver: 1,
  foreign: 3,
  differenceCount: 1,
  repairedCount: 2,
  appeared: 0,
  gone: 0,
};

test('a checked day tells what came of it, and a bill without a text no digest', async () => {
  await takeLease(table, DATE, 'run', { nowMs: 0, untilMs: 1 });
  await endWithResult(table, DATE, RUN, CHECKED, undefined);
  await takeLease(table, DATE, 'run', { nowMs: 2, untilMs: 3 });
  await endWithResult(table, DATE, RUN, { ...CHECKED, sha1: undefined, state: 'EMPTY' }, CHECKED);
  const row = await rowOf(table, `BILL#${DATE}`, 'BILL');
  const { events, unreadable } = allEvents(row ?? {});

  expect(unreadable).toEqual([]);
  const details = events.map(({ detailType, detail }) => ({
    detailType,
    said: JSON.parse(detail) as object,
  }));
  expect(details).toMatchObject([
    {
      detailType: 'Bill Checked',
      said: {
        eventId: `bill.${DATE}.1`,
        sequence: 1,
        recordedAt: '2026-11-25T02:40:00Z',
        date: DATE,
        state: 'DIFFERENCES',
        sha1: SHA1,
        payments: { count: 2, totalFen: 5_600 },
        refunds: { count: 1, totalFen: 800 },
        feeThousandths: -20,
        carriedOver: 1,
        foreign: 3,
        differenceCount: 1,
        repairedCount: 2,
      },
    },
    { said: { eventId: `bill.${DATE}.2`, state: 'EMPTY' } },
  ]);
  expect(details[1]?.said).not.toHaveProperty('sha1');
  expect(details.flatMap(({ detailType, said }) => problemsOf(detailType, said))).toEqual([]);
});

test.each([
  [
    'of an amount',
    { kind: 'AMOUNT_DIFFERS', hereFen: 2_800, thereFen: 2_700, line: 7, sha1: SHA1 },
    { hereFen: 2_800, thereFen: 2_700, line: 7, sha1: SHA1 },
  ],
  ['that is not in the bill', { kind: 'MISSING_THERE', hereFen: 2_800 }, { hereFen: 2_800 }],
  [
    'of a fee, in thousandths',
    { kind: 'FEE_DIFFERS', hereFen: -16.8, thereFen: 0, line: 7, sha1: SHA1 },
    { expectedFee: -16_800, chargedFee: 0 },
  ],
])('a difference %s is told once', async (_, changes, said) => {
  const difference = {
    subject: 'payment',
    key: '42',
    outTradeNo: 'order-0001',
    transactionId: '42',
    ...changes,
  } as const;
  await keepDifference(table, RUN, difference);
  await keepDifference(table, { ...RUN, runId: 'again' }, difference);
  const [row = {}] = await allRows(table);
  const { events } = newEvents(row, undefined);
  const [event] = events;

  expect(events).toHaveLength(1);
  expect(event?.detailType).toBe('Bill Difference');
  expect(event?.eventId).toMatch(/^bill\.2026-11-24\.[0-9a-f]{32}\.1$/);
  const detail = JSON.parse(event?.detail ?? '') as object;
  expect(detail).toMatchObject({
    date: DATE,
    outTradeNo: 'order-0001',
    kind: changes.kind,
    ...said,
  });
  expect(problemsOf('Bill Difference', detail)).toEqual([]);
  expect(allEvents(row).events).toEqual(events);
});

test('a fee without a rate tells what there is of it', async () => {
  const difference = {
    kind: 'FEE_DIFFERS',
    subject: 'payment',
    key: '1',
    outTradeNo: 'a',
  } as const;
  await keepDifference(table, RUN, difference);
  const [row = {}] = await allRows(table);

  expect(allEvents(row).events[0]?.detail).not.toContain('Fee"');
});

test('rows of a day that are neither tell nothing, nor does a row without facts', () => {
  const key = { PK: { S: `BILL#${DATE}` } };

  expect(allEvents({ ...key, SK: { S: 'SEEN#payment#42' } }).events).toEqual([]);
  expect(allEvents({ ...key, SK: { S: 'BILL' } }).events).toEqual([]);
  expect(allEvents({ ...key, SK: { S: 'DIFFERENCE#A#b#c' } }).events).toEqual([]);
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openBuckets } from '../../lib/bill/buckets.ts';
import { compareSides, type Carried, crossingName } from '../../lib/bill/compare.ts';
import { type HereEntry, type Subject, type ThereEntry, thereOf } from '../../lib/bill/entries.ts';
import type { BillRow } from '../../lib/bill/row.ts';
import { allOf } from '../support/all-of.ts';
import { memoryFiles } from '../support/memory-files.ts';

const NONE: Carried = new Set();

const here = (changes: Partial<HereEntry> = {}): HereEntry => ({
  outTradeNo: 'order-0001',
  fen: 100,
  mchid: '1900000109',
  appids: ['wx8888888888888888'],
  day: 'same',
  ...changes,
});

const there = (changes: Partial<ThereEntry> = {}): ThereEntry => ({
  outTradeNo: 'order-0001',
  transactionId: '42',
  fen: 100,
  mchid: '1900000109',
  appid: 'wx8888888888888888',
  line: 2,
  ...changes,
});

async function compare(
  ours: readonly (readonly [string, HereEntry])[],
  theirs: readonly (readonly [string, ThereEntry])[],
  carried = NONE,
  subject: Subject = 'payment',
) {
  const files = memoryFiles();
  const sides = {
    here: openBuckets<HereEntry>(files, 'here'),
    there: openBuckets<ThereEntry>(files, 'there'),
  };
  for (const [key, entry] of ours) {
    await sides.here.add(key, entry);
  }
  for (const [key, entry] of theirs) {
    await sides.there.add(key, entry);
  }
  await sides.here.close();
  await sides.there.close();
  return allOf(compareSides(subject, sides, carried));
}

const kinds = (found: readonly { readonly kind: string }[]) => found.map(({ kind }) => kind);

describe('the two sides of a day', () => {
  test('that agree have nothing to say', async () => {
    expect(await compare([['1', here()]], [['1', there()]])).toEqual([]);
  });

  test.each([
    ['payment', 'MISSING_HERE', 'MISSING_THERE', 'AMOUNT_DIFFERS'],
    ['refund', 'REFUND_MISSING_HERE', 'REFUND_MISSING_THERE', 'REFUND_AMOUNT_DIFFERS'],
  ] as const)('of a %s differ as %s, %s or %s', async (subject, noHere, noThere, amount) => {
    const differ = (ours: Parameters<typeof compare>[0], theirs: Parameters<typeof compare>[1]) =>
      compare(ours, theirs, NONE, subject);

    expect(await differ([], [['1', there()]])).toEqual([
      { kind: noHere, subject, key: '1', there: there() },
    ]);
    expect(await differ([['1', here()]], [])).toEqual([
      { kind: noThere, subject, key: '1', here: here() },
    ]);
    expect(await differ([['1', here()]], [['1', there({ fen: 99 })]])).toEqual([
      { kind: amount, subject, key: '1', here: here(), there: there({ fen: 99 }) },
    ]);
  });

  test.each([
    ['another merchant', { mchid: '1900000222' }, 'MERCHANT_DIFFERS'],
    ['a sub-merchant that is none here', { subMchid: '1' }, 'MERCHANT_DIFFERS'],
    ['another mini-program', { appid: 'wx0' }, 'MERCHANT_DIFFERS'],
    ['another order', { outTradeNo: 'order-0002' }, 'STATE_DIFFERS'],
    ['a payment that was revoked', { isRevoked: true }, 'STATE_DIFFERS'],
    ['a wrong fee', { fee: { expected: 1_000, charged: 9_000 } }, 'FEE_DIFFERS'],
  ])('differ in %s', async (_, changes, kind) => {
    const found = await compare([['1', here()]], [['1', there(changes)]]);

    expect(found).toEqual([
      { kind, subject: 'payment', key: '1', here: here(), there: there(changes) },
    ]);
  });

  test('agree where the bill names no appid, or the provider’s', async () => {
    const ours = here({ appids: ['wx8888888888888888', 'wxprovider'] });

    expect(await compare([['1', ours]], [['1', there({ appid: '' })]])).toEqual([]);
    expect(await compare([['1', ours]], [['1', there({ appid: 'wxprovider' })]])).toEqual([]);
  });

  test('differ in each thing by itself', async () => {
    const changes = { fen: 99, mchid: '1', isRevoked: true, fee: { expected: 1, charged: 2 } };

    expect(kinds(await compare([['1', here()]], [['1', there(changes)]]))).toEqual([
      'MERCHANT_DIFFERS',
      'AMOUNT_DIFFERS',
      'STATE_DIFFERS',
      'FEE_DIFFERS',
    ]);
  });

  test('have a row twice: the first is compared, each further one is a duplicate', async () => {
    const rows = [
      ['1', there()],
      ['1', there({ line: 3 })],
      ['1', there({ line: 4, fen: 1 })],
    ] as const;

    expect(await compare([['1', here()]], rows)).toEqual([
      { kind: 'DUPLICATE', subject: 'payment', key: '1', there: there({ line: 3 }) },
      { kind: 'DUPLICATE', subject: 'payment', key: '1', there: there({ line: 4, fen: 1 }) },
    ]);
    expect(kinds(await compare([], rows))).toEqual(['MISSING_HERE', 'DUPLICATE', 'DUPLICATE']);
  });

  test('do not differ in a refund that WeChat closed, in the bill or not', async () => {
    const closed = [['1', here({ isClosed: true })]] as const;

    expect(await compare(closed, [], NONE, 'refund')).toEqual([]);
    expect(await compare(closed, [['1', there()]], NONE, 'refund')).toEqual([]);
  });

  test('give exactly what was planted, whatever the rest is', async () => {
    const amounts = fc.uniqueArray(fc.integer({ min: 1, max: 1_000_000 }), { maxLength: 60 });
    const property = fc.asyncProperty(
      amounts,
      fc.infiniteStream(fc.nat(4)),
      async (all, faults) => {
        const planted: string[] = [];
        const ours: [string, HereEntry][] = [];
        const theirs: [string, ThereEntry][] = [];
        for (const fen of all) {
          const key = `42000${fen}`;
          const fault = faults.next().value;
          const plant = (kind: string) => planted.push(`${kind} ${key}`);
          if (fault === 1) {
            plant('MISSING_HERE');
          } else {
            ours.push([key, here({ fen })]);
          }
          if (fault === 2) {
            plant('MISSING_THERE');
          } else {
            theirs.push([key, there({ fen: fault === 3 ? fen + 1 : fen })]);
          }
          if (fault === 3) {
            plant('AMOUNT_DIFFERS');
          }
          if (fault === 4) {
            plant('DUPLICATE');
            theirs.push([key, there({ fen })]);
          }
        }
        const found = await compare(ours, theirs.toReversed());

        expect(found.map(({ kind, key }) => `${kind} ${key}`).toSorted()).toEqual(
          planted.toSorted(),
        );
      },
    );
    await fc.assert(property, { numRuns: 30 });
  });
});

describe('around midnight', () => {
  const named = (...keys: string[]) => new Set(keys.map((key) => crossingName('payment', key)));

  test('what is here at the end of the day and not in its bill is carried over', async () => {
    const late = here({ isLate: true });

    expect(await compare([['1', late]], [])).toEqual([
      { kind: 'carried', subject: 'payment', key: '1', here: late },
    ]);
  });

  test('what was carried over arrives in the next bill, or is missing', async () => {
    const before = here({ day: 'before', isLate: true });

    expect(await compare([['1', before]], [['1', there()]], named('1'))).toEqual([
      { kind: 'found', subject: 'payment', key: '1', here: before },
    ]);
    expect(kinds(await compare([['1', before]], [], named('1')))).toEqual(['MISSING_THERE']);
  });

  test('what was in the bill of the day before is not asked of this one', async () => {
    const before = here({ day: 'before', isLate: true });

    expect(await compare([['1', before]], [])).toEqual([]);
  });

  test('what is in this bill and here on the next day is found, and else not asked of it', async () => {
    const after = here({ day: 'after' });

    expect(kinds(await compare([['1', after]], [['1', there()]]))).toEqual(['found']);
    expect(await compare([['1', after]], [])).toEqual([]);
  });

  test('it is compared like everything else', async () => {
    const found = await compare([['1', here({ day: 'after' })]], [['1', there({ fen: 1 })]]);

    expect(kinds(found)).toEqual(['AMOUNT_DIFFERS', 'found']);
  });
});

describe('a row of a bill', () => {
  const row: BillRow = {
    kind: 'payment',
    line: 7,
    time: '2026-11-24 10:00:00',
    appid: 'wx8888888888888888',
    mchid: '1900000109',
    transactionId: '42',
    outTradeNo: 'order-0001',
    settledFen: 90,
    orderedFen: 100,
    settledRefundFen: 0,
    couponRefundFen: 0,
    requestedRefundFen: 0,
    feeMilliFen: 1_000,
    rateMillionths: 6_000,
  };

  test('of a payment is compared by WeChat’s number and what the buyer was to pay', () => {
    expect(thereOf(row)).toEqual({
      subject: 'payment',
      key: '42',
      entry: there({ line: 7 }),
    });
    expect(thereOf({ ...row, kind: 'revoked', subMchid: '5' }).entry).toMatchObject({
      isRevoked: true,
      subMchid: '5',
    });
  });

  test('of a refund is compared by its own number and what was asked for', () => {
    const refund = thereOf({
      ...row,
      kind: 'refund',
      outRefundNo: 'refund-0001',
      refundId: '50',
      settledRefundFen: 38,
      requestedRefundFen: 40,
      feeMilliFen: 0,
    });

    expect(refund).toMatchObject({ subject: 'refund', key: 'refund-0001' });
    expect(refund.entry).toMatchObject({ fen: 40, refundId: '50', transactionId: '42' });
    expect(refund.entry).not.toHaveProperty('fee');
  });

  test('says its fee only when that is wrong', () => {
    expect(thereOf({ ...row, feeMilliFen: 9_000 }).entry.fee).toEqual({
      expected: 540,
      charged: 9_000,
    });
  });
});

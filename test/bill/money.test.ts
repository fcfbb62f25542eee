import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fenOf, milliFenOf, rateOf, wrongFee } from '../../lib/bill/money.ts';

describe('an amount', () => {
  test.each([
    ['0', 0],
    ['0.0', 0],
    ['-0.00', 0],
    ['45.0', 4_500],
    ['0.01', 1],
    ['0.29', 29],
    ['1.1', 110],
    ['19.99', 1_999],
    ['-0.02', -2],
    ['-12.5', -1_250],
    ['0.03000', 3],
    ['9999999999.99', 999_999_999_999],
  ])('of %s yuan is %i fen', (yuan, fen) => {
    expect(fenOf(yuan)).toBe(fen);
  });

  test.each([
    ['0.04000', 4_000],
    ['0.00001', 1],
    ['-0.02000', -2_000],
    ['1.23456', 123_456],
    ['0', 0],
  ])('of %s yuan is %i thousandths of a fen', (yuan, milliFen) => {
    expect(milliFenOf(yuan)).toBe(milliFen);
  });

  test.each(['', ' 1', '1.', '.5', '1e3', '0x1', '1,000.00', '+1', '--1', 'NaN', '１', '1.000000'])(
    'is none that is written %s',
    (text) => {
      expect(milliFenOf(text)).toBeUndefined();
      expect(fenOf(text)).toBeUndefined();
    },
  );

  test('that has a part of a fen is none in fen', () => {
    expect(fenOf('0.001')).toBeUndefined();
    expect(fenOf('-0.00001')).toBeUndefined();
  });

  test('comes back from its text, whatever it is', () => {
    const amounts = fc.integer({ min: -999_999_999_999, max: 999_999_999_999 });
    fc.assert(
      fc.property(amounts, (fen) => {
        const digits = String(Math.abs(fen)).padStart(3, '0');
        const yuan = `${fen < 0 ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
        expect(fenOf(yuan)).toBe(fen);
      }),
    );
  });
});

describe('a rate', () => {
  test.each([
    ['0.60%', 6_000],
    ['0.6%', 6_000],
    ['39.00%', 390_000],
    ['0.38%', 3_800],
    ['0.5432%', 5_432],
    ['100%', 1_000_000],
    ['0%', 0],
  ])('of %s is %i millionths', (text, millionths) => {
    expect(rateOf(text)).toBe(millionths);
  });

  test.each(['', '0.60', '%', '-0.60%', '0.60％'])('is none that is written %s', (text) => {
    expect(rateOf(text)).toBeUndefined();
  });
});

describe('a fee', () => {
  test.each([
    ['of 6.00 at 0.60 %, as in a real bill', 600, 6_000, 4_000],
    ['of 0.03 at 39 %, as in a real bill', 3, 390_000, 1_000],
    ['of 0.01 at 39 %, as in a real bill', 1, 390_000, 0],
    ['given back', -600, 6_000, -4_000],
    ['a fen too much', 600, 6_000, 4_600],
    ['nothing at no rate that is known', 600, undefined, 99_000],
  ])('is right: %s', (_, settledFen, rate, fee) => {
    expect(wrongFee(settledFen, rate, fee)).toBeUndefined();
  });

  test.each([
    [10_000, 6_000, 61_001, 60_000],
    [10_000, 6_000, 58_999, 60_000],
    [10_000, 6_000, -60_000, 60_000],
    [10_000, 0, 60_000, 0],
  ])('of %i fen at %i millionths that is %i should be %i', (settledFen, rate, fee, expected) => {
    expect(wrongFee(settledFen, rate, fee)).toBe(expected);
  });
});

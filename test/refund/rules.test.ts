import { describe, expect, test } from 'vitest';
import { OrderConflictError } from '../../lib/errors.ts';
import {
  assertMayRefund,
  assertOutRefundNo,
  assertRefundFen,
  MAX_REFUNDS,
  refundableFenOf,
  refundedFenOf,
  refundFenOf,
  turnFreeAt,
} from '../../lib/refund/rules.ts';
import { thrownBy } from '../support/thrown.ts';
import { PAID_AT, paidOrder } from '../support/sample-refunds.ts';

const YEAR = 365 * 86_400;
const NOW = PAID_AT + 100;

describe('what can be refunded of an order', () => {
  test.each([
    [undefined, 2800, 0],
    [2800, 2800, 0],
    [1200, 1200, 1600],
    [0, 0, 2800],
    // More was proved than was reserved: a refund in the console.
    [-300, 0, 2800],
  ])('with refundableFen %s is %i, and %i came back', (refundableFen, left, back) => {
    const order = paidOrder({ refundableFen });

    expect([refundableFenOf(order), refundedFenOf(order)]).toEqual([left, back]);
  });

  test('is all that is left, unless less is asked for', () => {
    const order = paidOrder({ refundableFen: 1200 });

    expect([undefined, 1, 1199, 1200].map((wanted) => refundFenOf(order, wanted))).toEqual([
      1200, 1, 1199, 1200,
    ]);
  });

  test.each([
    [1200, 1201],
    [0, undefined],
    [0, 1],
    [-300, undefined],
  ])('with %i fen left is not %s fen; the caller learns what is left', (refundableFen, wanted) => {
    const left = Math.max(0, refundableFen);

    expect(thrownBy(() => refundFenOf(paidOrder({ refundableFen }), wanted))).toEqual(
      new OrderConflictError('REFUND_EXCEEDS_PAYMENT', { refundableFen: left }),
    );
  });

  test.each([0, -1, 1.5, Number.NaN, 100_000_001])('is never %s fen', (wanted) => {
    expect(() => assertRefundFen(wanted)).toThrow('AMOUNT_INVALID');
  });

  test.each([undefined, 1, 100_000_000])('may be %s fen', (wanted) => {
    expect(() => assertRefundFen(wanted)).not.toThrow();
  });
});

describe('an order', () => {
  test.each(['SUCCESS', 'REFUND'] as const)('in %s can be refunded', (tradeState) => {
    expect(() => assertMayRefund(paidOrder({ tradeState }), NOW)).not.toThrow();
  });

  test.each(['NOTPAY', 'CLOSED'] as const)('in %s has nothing to refund', (tradeState) => {
    expect(() => assertMayRefund(paidOrder({ tradeState }), NOW)).toThrow('ORDER_NOT_PAID');
  });

  test('whose row does not say when it was paid cannot be judged', () => {
    const order = paidOrder({ paidAtEpochSeconds: undefined });

    expect(() => assertMayRefund(order, NOW)).toThrow('ORDER_NOT_PAID');
  });

  test('can be refunded for a year after its payment, to the second', () => {
    expect(() => assertMayRefund(paidOrder(), PAID_AT + YEAR)).not.toThrow();
    expect(() => assertMayRefund(paidOrder(), PAID_AT + YEAR + 1)).toThrow('REFUND_EXPIRED');
  });

  test('can be refunded 50 times', () => {
    expect(MAX_REFUNDS).toBe(50);
    expect(() => assertMayRefund(paidOrder({ refundCount: 49 }), NOW)).not.toThrow();
    expect(() => assertMayRefund(paidOrder({ refundCount: 50 }), NOW)).toThrow(
      'REFUND_LIMIT_REACHED',
    );
  });
});

describe('the turn to send', () => {
  test.each([
    ['was never taken', undefined, NOW],
    ['was taken a second ago', NOW - 1, NOW + 59],
    ['was taken a minute ago', NOW - 60, NOW],
    ['was taken long ago', NOW - 6000, NOW - 5940],
    ['was taken in the future, by a clock that was set back', NOW + 1, NOW],
  ])('of an order that %s', (_, refundSentAtEpochSeconds, freeAt) => {
    expect(turnFreeAt({ refundSentAtEpochSeconds }, NOW)).toBe(freeAt);
  });
});

describe("a refund's number", () => {
  test.each(['1', 'A-z_|*@9', 'x'.repeat(64)])('may be %s', (value) => {
    expect(() => assertOutRefundNo('outRefundNo', value)).not.toThrow();
  });

  test.each(['', 'x'.repeat(65), 'a b', 'a#b', '退款', 'a\n'])('may not be "%s"', (value) => {
    expect(() => assertOutRefundNo('outRefundNo', value)).toThrow(
      'INVALID_REQUEST (field=outRefundNo, problem=1 to 64 letters, digits, _ - | * or @)',
    );
  });
});

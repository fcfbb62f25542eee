import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OrderState } from '../../lib/order/order.ts';
import { nextCheckAt, planCheck } from '../../lib/order/pace.ts';

const minutes = (count: number) => count * 60;

/** Made at 0, payable for 30 minutes unless said otherwise. */
const order = (expiresAtEpochSeconds = minutes(30), tradeState: OrderState = 'NOTPAY') => ({
  tradeState,
  createdAtEpochSeconds: 0,
  expiresAtEpochSeconds,
});

/** The times at which an order is looked at while nothing comes of it. */
function visits(of: ReturnType<typeof order>, count: number): number[] {
  const times: number[] = [];
  let now = 0;
  for (let checks = 0; checks < count; checks += 1) {
    now = nextCheckAt(of, checks, now);
    times.push(now);
  }
  return times;
}

describe('what is done with an order that is due', () => {
  test.each<OrderState>(['SUCCESS', 'REFUND', 'CLOSED'])(
    'is nothing when it is %s, even long after its time',
    (tradeState) => {
      expect(planCheck(order(minutes(30), tradeState), minutes(90))).toBe('none');
    },
  );

  test('is a query until the second in which its time ends, then a close', () => {
    expect(planCheck(order(), minutes(1))).toBe('query');
    expect(planCheck(order(), minutes(30) - 1)).toBe('query');
    expect(planCheck(order(), minutes(30))).toBe('close');
    expect(planCheck(order(), minutes(31))).toBe('close');
  });

  test('is no close in the first 5 minutes, which WeChat refuses, though its time is over', () => {
    expect(planCheck(order(minutes(2)), minutes(2))).toBe('query');
    expect(planCheck(order(minutes(2)), minutes(5) - 1)).toBe('query');
    expect(planCheck(order(minutes(2)), minutes(5))).toBe('close');
  });
});

describe('the next look at an unpaid order', () => {
  test('comes after 1, 3, 5, 10 and 30 minutes, then every 30', () => {
    const longLived = order(minutes(7 * 24 * 60));

    expect(visits(longLived, 7)).toEqual(
      [1, 1 + 3, 4 + 5, 9 + 10, 19 + 30, 49 + 30, 79 + 30].map(minutes),
    );
  });

  test('is at the latest when its time ends', () => {
    expect(visits(order(minutes(30)), 5)).toEqual([1, 4, 9, 19, 30].map(minutes));
    expect(visits(order(minutes(6)), 3)).toEqual([1, 4, 6].map(minutes));
  });

  test('waits for the minute 5 when its time ends before WeChat lets it be closed', () => {
    expect(visits(order(minutes(2)), 3)).toEqual([1, 4, 5].map(minutes));
  });

  test('after its time comes within 5 minutes, again and again', () => {
    expect(nextCheckAt(order(), 0, minutes(30))).toBe(minutes(31));
    expect(nextCheckAt(order(), 1, minutes(30))).toBe(minutes(33));
    expect(nextCheckAt(order(), 4, minutes(30))).toBe(minutes(35));
    expect(nextCheckAt(order(), 100, minutes(90))).toBe(minutes(95));
  });

  test('lies always ahead, and until its time is over never beyond it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 604_800 }),
        fc.nat(50),
        fc.integer({ min: 0, max: 700_000 }),
        (lifetime, checks, now) => {
          const next = nextCheckAt(order(lifetime), checks, now);
          const closingTime = Math.max(lifetime, minutes(5));

          expect(next).toBeGreaterThan(now);
          expect(next).toBeLessThanOrEqual(now < closingTime ? closingTime : now + minutes(5));
        },
      ),
    );
  });

  test('never misses the close: the visit at closing time is planned as one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 604_800 }), (lifetime) => {
        const closingTime = Math.max(lifetime, minutes(5));
        const times = visits(order(lifetime), 400);

        expect(times).toContain(closingTime);
        for (const time of times) {
          expect(planCheck(order(lifetime), time)).toBe(time >= closingTime ? 'close' : 'query');
        }
      }),
      { numRuns: 30 },
    );
  });
});

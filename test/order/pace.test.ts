import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ApiVersion } from '../../lib/order/parties.ts';
import type { OrderState } from '../../lib/order/order.ts';
import {
  isTooYoungToClose,
  mayStillBePlaced,
  nextCheckAt,
  planCheck,
} from '../../lib/order/pace.ts';

const minutes = (count: number) => count * 60;

/** Made at 0, payable for 30 minutes unless said otherwise. */
const order = (expiresAtEpochSeconds = minutes(30), tradeState: OrderState = 'NOTPAY') => ({
  tradeState,
  apiVersion: 'v2' as ApiVersion,
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

/** The latest next look at an order that should have been closed at a time. */
const latest = (now: number, closingTime: number) =>
  now +
  (now - closingTime < minutes(120)
    ? minutes(5)
    : Math.min(minutes(24 * 60), (now - closingTime) / 4));

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

  test('after two hours comes less and less often, once a day in the end', () => {
    const hours = (count: number) => minutes(60 * count);
    const after = (overdue: number) => {
      const now = minutes(30) + overdue;
      return nextCheckAt(order(), 9, now) - now;
    };

    expect(after(hours(2) - 1)).toBe(minutes(5));
    expect(after(hours(2))).toBe(minutes(30));
    expect(after(hours(8))).toBe(hours(2));
    expect(after(hours(1_000))).toBe(hours(24));
  });

  describe('that came late', () => {
    const late = (seconds: number, changes = {}) => ({
      ...order(),
      nextCheckAtEpochSeconds: minutes(4),
      ...changes,
      now: minutes(4) + seconds,
    });
    const next = ({ now, ...of }: ReturnType<typeof late>, checks = 2) =>
      nextCheckAt(of, checks, now);

    test('is left alone until it is to be closed, as long as nobody asks about it', () => {
      expect(next(late(181))).toBe(minutes(30));
      expect(next(late(180))).toBe(minutes(4) + 180 + minutes(5));
      expect(next(late(181, { isAskedAbout: true }))).toBe(minutes(4) + 181 + minutes(5));
    });

    test('for its first question has the usual second one', () => {
      expect(next(late(181), 1)).toBe(minutes(4) + 181 + minutes(3));
    });

    test('and that its buyer gave up is closed all the same', () => {
      const closing = late(181, { closingAtEpochSeconds: minutes(3) });
      expect(next(closing)).toBe(minutes(4) + 181 + 241);
    });
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
          expect(next).toBeLessThanOrEqual(
            now < closingTime ? closingTime : latest(now, closingTime),
          );
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

describe('an order that its buyer gave up', () => {
  const MADE_AT = minutes(1);
  const closing = (apiVersion: ApiVersion, closingAtEpochSeconds: number) => ({
    ...order(minutes(60)),
    createdAtEpochSeconds: MADE_AT,
    apiVersion,
    closingAtEpochSeconds,
  });

  test('is closed at every look, though its time is not over', () => {
    expect(planCheck(closing('v2', minutes(2)), minutes(3))).toBe('close');
    expect(planCheck(closing('v3', minutes(2)), minutes(3))).toBe('close');
  });

  test.each<OrderState>(['SUCCESS', 'REFUND', 'CLOSED'])('is left alone once %s', (tradeState) => {
    expect(planCheck({ ...closing('v2', minutes(2)), tradeState }, minutes(9))).toBe('none');
  });

  test('is too young for a close in the first 5 minutes of v2, and never in v3', () => {
    const young = (apiVersion: ApiVersion, now: number) =>
      isTooYoungToClose(closing(apiVersion, MADE_AT), now);

    expect(young('v2', minutes(6) - 1)).toBe(true);
    expect(young('v2', minutes(6))).toBe(false);
    expect(young('v3', MADE_AT)).toBe(false);
  });

  test('may still reach WeChat for a minute, and an order that nobody gave up is not meant', () => {
    expect(mayStillBePlaced(closing('v3', minutes(2)), minutes(3) - 1)).toBe(true);
    expect(mayStillBePlaced(closing('v3', minutes(2)), minutes(3))).toBe(false);
    expect(mayStillBePlaced(order(), minutes(2))).toBe(false);
  });

  test('is looked at after 1, 2, 4 and 8 minutes, then every 5, whatever reconcile asked before', () => {
    const times = [];
    let now = minutes(10);
    for (let look = 0; look < 6; look += 1) {
      now = nextCheckAt(closing('v2', minutes(10)), 40 + look, now);
      times.push(now - minutes(10));
    }

    expect(times).toEqual([1, 2, 4, 8, 13, 18].map(minutes));
  });

  test('is looked at in the second from which on v2 lets it be closed', () => {
    const given = minutes(3) + 20;

    expect(nextCheckAt(closing('v2', given), 0, given)).toBe(minutes(4) + 20);
    expect(nextCheckAt(closing('v2', given), 0, minutes(5) + 30)).toBe(minutes(6));
  });

  test('is looked at within 5 minutes for two hours, then less and less, always ahead', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<ApiVersion>('v2', 'v3'),
        fc.nat(700_000),
        fc.nat(700_000),
        fc.nat(50),
        (apiVersion, closingAt, waited, checks) => {
          const now = closingAt + waited;
          const next = nextCheckAt(closing(apiVersion, closingAt), checks, now);

          const closingTime = Math.max(closingAt, apiVersion === 'v2' ? minutes(6) : 0);

          expect(next).toBeGreaterThan(now);
          expect(next).toBeLessThanOrEqual(latest(now, closingTime));
        },
      ),
    );
  });
});

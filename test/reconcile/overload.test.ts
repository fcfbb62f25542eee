/** Reconcile under overload, in virtual time: the default settings of one worker, from several seeds. */
import { describe, expect, test } from 'vitest';
import { runOverload } from '../support/overload.ts';

const seeds = ['one', 'two'];
/** A WeChat that mostly answers in a fifth of a second, now and then in one. */
const usual = (random: () => number) => (random() < 0.03 ? 1_000 : 100 + 200 * random());
const longest = (seconds: readonly (number | undefined)[]) =>
  Math.max(...seconds.map((one) => one ?? Number.POSITIVE_INFINITY));

describe('a flood of 100 abandoned orders a second', () => {
  test.each(seeds)(
    'keeps no paid order whose notification was lost waiting for two minutes (seed %s)',
    async (seed) => {
      const { foundAfter, runs } = await runOverload({
        seed,
        minutes: 9,
        latencyMs: usual,
        arrivals: (random) => [
          ...Array.from({ length: 36_000 }, () => ({
            at: 360 * random(),
            fate: 'abandoned' as const,
          })),
          ...Array.from({ length: 300 }, () => ({
            at: 360 * random(),
            fate: 'paid' as const,
            paidAfter: 5 + 40 * random(),
          })),
        ],
      });

      expect(foundAfter).toHaveLength(300);
      expect(longest(foundAfter)).toBeLessThan(120);
      // It is an overload: later questions wait, and the run says so.
      expect(runs.some(({ timeRanOut, backlog }) => timeRanOut && backlog > 0)).toBe(true);
    },
    120_000,
  );
});

describe('a flood of abandoned orders, half of which somebody asks about,', () => {
  const flood = (random: () => number) => [
    ...Array.from({ length: 24_000 }, (_, index) => ({
      at: 240 * random(),
      fate: 'abandoned' as const,
      isAsked: index % 2 === 0,
    })),
    ...Array.from({ length: 200 }, (_, index) => ({
      at: 240 * random(),
      fate: 'paid' as const,
      paidAfter: 5 + 40 * random(),
      isAsked: index % 3 === 0,
    })),
  ];

  test.each(['three', 'four'])(
    'does not starve 1,200 refunds beside it (seed %s)',
    async (seed) => {
      const { foundAfter, refundsAfter } = await runOverload({
        seed,
        minutes: 7,
        latencyMs: usual,
        arrivals: (random) => [
          ...flood(random),
          ...Array.from({ length: 1_200 }, () => ({
            at: 240 * random(),
            fate: 'refunded' as const,
          })),
        ],
      });

      expect(refundsAfter).toHaveLength(1_200);
      expect(longest(refundsAfter)).toBeLessThan(120);
      expect(longest(foundAfter)).toBeLessThan(120);
    },
    120_000,
  );

  test('of a WeChat that throttles a third of the calls keeps no paid order waiting for long', async () => {
    const { foundAfter } = await runOverload({
      seed: 'throttled',
      minutes: 9,
      latencyMs: usual,
      throttled: 0.33,
      arrivals: flood,
    });

    // Each time WeChat does not hear a question, it is asked a minute later, before any order's second one.
    expect(longest(foundAfter)).toBeLessThan(480);
    const inTime = foundAfter.filter((seconds = Number.POSITIVE_INFINITY) => seconds < 180);
    expect(inTime.length).toBeGreaterThan(0.9 * foundAfter.length);
  }, 120_000);
});

describe('20,000 orders that hang', () => {
  const hanging = (random: () => number, from: number, to: number) =>
    Array.from({ length: 20_000 }, () => ({
      at: from + (to - from) * random(),
      fate: 'hangs' as const,
    }));

  test.each([
    ['before', 0, 20],
    ['among', 0, 55],
    ['after', 30, 55],
  ])(
    'and come %s 160 that are paid delay none of these beyond two runs',
    async (_where, from, to) => {
      const { foundInRun } = await runOverload({
        seed: `hang-${from}-${to}`,
        minutes: 5,
        latencyMs: usual,
        arrivals: (random) => [
          ...hanging(random, from, to),
          ...Array.from({ length: 160 }, () => ({
            at: 20 + 10 * random(),
            fate: 'paid' as const,
            paidAfter: 1,
          })),
        ],
      });

      // Made in the first minute and due in the second: run 2 is the first that may ask.
      expect(longest(foundInRun)).toBeLessThanOrEqual(3);
    },
    120_000,
  );
});

describe('a WeChat that is away', () => {
  const away = (fate: 'hangs' | 'unreachable') =>
    runOverload({
      seed: 'away',
      minutes: 3,
      latencyMs: usual,
      arrivals: (random) => Array.from({ length: 5_000 }, () => ({ at: 50 * random(), fate })),
    });

  test('and cannot be connected to ends a run at once: what it did not ask keeps its turn', async () => {
    const { runs, calls } = await away('unreachable');

    expect(runs[2]).toMatchObject({ wechatSilent: true, timeRanOut: false });
    expect(runs[2]?.backlog).toBeGreaterThan(1_000);
    expect(calls).toBeLessThan(1_000);
  }, 120_000);

  test('and never answers is told by the run', async () => {
    const { runs } = await away('hangs');

    expect(runs[2]).toMatchObject({ paid: 0, wechatSilent: true });
  }, 120_000);
});

import { describe, expect, test } from 'vitest';
import { startPatience } from '../../lib/reconcile/patience.ts';

function afterTimeouts(count: number, outcome: 'not-sent' | 'unknown' = 'unknown') {
  const patience = startPatience();
  for (let call = 0; call < count; call += 1) {
    patience.unanswered(outcome);
  }
  return patience;
}

/** The limits of the next 16 calls: one of them is a probe. */
const limits = (patience: ReturnType<typeof startPatience>) =>
  Array.from({ length: 16 }, () => patience.nextCallMs());

describe('the patience of a run', () => {
  test('is 4 s a call, as long as fewer than 48 of the last 64 were left unanswered', () => {
    const patience = afterTimeouts(47);

    expect(patience.isShort()).toBe(false);
    expect(new Set(limits(patience))).toEqual(new Set([4_000]));
  });

  test('is 1.5 s from then on, but for one call in 16, which shows whether WeChat is only slow', () => {
    const patience = afterTimeouts(48);

    expect(patience.isShort()).toBe(true);
    expect(limits(patience).toSorted((a, b) => a - b)).toEqual([
      ...Array.from({ length: 15 }, () => 1_500),
      4_000,
    ]);
  });

  test('stays short while few answer quickly among many that hang', () => {
    const patience = afterTimeouts(64);
    for (let round = 0; round < 20; round += 1) {
      patience.answered(200);
      for (let call = 0; call < 10; call += 1) {
        patience.unanswered('unknown');
      }
    }

    expect(patience.isShort()).toBe(true);
  });

  test('is whole again once most of the last calls are answered', () => {
    const patience = afterTimeouts(64);
    for (let call = 0; call < 17; call += 1) {
      patience.answered(200);
    }

    expect(patience.isShort()).toBe(false);
  });

  test('is whole for the rest of the run once an answer came that impatience would have cut off', () => {
    const patience = afterTimeouts(64);
    patience.answered(1_501);
    for (let call = 0; call < 64; call += 1) {
      patience.unanswered('unknown');
    }

    expect(patience.isShort()).toBe(false);
    expect(new Set(limits(patience))).toEqual(new Set([4_000]));
  });

  test('is over after 64 calls in a row that could not be made, and no answer before', () => {
    expect(afterTimeouts(63, 'not-sent').isOver()).toBe(false);
    expect(afterTimeouts(64, 'not-sent').isOver()).toBe(true);

    const patience = startPatience();
    patience.answered(100);
    for (let call = 0; call < 200; call += 1) {
      patience.unanswered('not-sent');
    }
    expect(patience.isOver()).toBe(false);
  });

  test('is never over for silence alone, which says nothing of the next order', () => {
    expect(afterTimeouts(5_000).isOver()).toBe(false);
  });

  test('knows a WeChat that answered nothing at all', () => {
    expect(afterTimeouts(63).isSilent()).toBe(false);
    const patience = afterTimeouts(64);
    expect(patience.isSilent()).toBe(true);
    patience.answered(100);
    expect(patience.isSilent()).toBe(false);
  });
});

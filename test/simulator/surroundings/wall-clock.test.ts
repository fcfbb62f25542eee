import { expect, test } from 'vitest';
import { createWallClock } from '../../../simulator/surroundings/wall-clock.ts';

const START_MS = Date.UTC(2026, 0, 1);

test('reads the time of day with the fractions of the steady clock', () => {
  const wallClock = createWallClock({ nowMs: () => START_MS, monotonicMs: () => 12.25 });

  expect(wallClock()).toBeCloseTo(START_MS, 3);
});

test('keeps to the steady clock while the two differ by no more than 20 ms', () => {
  let [nowMs, monotonicMs] = [START_MS, 1000];
  const wallClock = createWallClock({ nowMs: () => nowMs, monotonicMs: () => monotonicMs });
  const first = wallClock();
  monotonicMs += 0.5;
  nowMs -= 15;

  expect(wallClock() - first).toBeCloseTo(0.5, 3);
});

test('follows when the machine slept or its clock was set', () => {
  let [nowMs, monotonicMs] = [START_MS, 1000];
  const wallClock = createWallClock({ nowMs: () => nowMs, monotonicMs: () => monotonicMs });
  wallClock();
  nowMs += 3_600_000;
  monotonicMs += 1;

  expect(wallClock()).toBeCloseTo(nowMs, 3);
});

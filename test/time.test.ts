import { describe, expect, test } from 'vitest';
import { beijingDay, beijingWeekday, isoTime } from '../lib/time.ts';

test('a time is ISO 8601 in UTC, to the second', () => {
  // date -u -d @1772330400 +%FT%TZ
  expect(isoTime(1_772_330_400)).toBe('2026-03-01T02:00:00Z');
});

describe('a day in Beijing', () => {
  test.each([
    // TZ=Asia/Shanghai date -d 2026-02-28T15:59:59Z +%F
    ['2026-02-28T15:59:59Z', '2026-02-28'],
    ['2026-02-28T16:00:00Z', '2026-03-01'],
    ['2026-03-01T02:00:00Z', '2026-03-01'],
    ['2025-12-31T16:00:00Z', '2026-01-01'],
    // Shanghai had summer time until 1991; bills begin long after it.
    ['2026-07-01T15:59:59Z', '2026-07-01'],
  ])('at %s is %s', (instant, day) => {
    expect(beijingDay(Date.parse(instant) / 1000)).toBe(day);
  });
});

describe('a day of the week in Beijing', () => {
  test.each([
    // TZ=Asia/Shanghai date -d 2026-03-01T15:59:59Z +%w
    ['2026-03-01T15:59:59Z', 0],
    ['2026-03-01T16:00:00Z', 1],
    ['2026-03-07T02:00:00Z', 6],
  ])('at %s is %i', (instant, weekday) => {
    expect(beijingWeekday(Date.parse(instant) / 1000)).toBe(weekday);
  });
});

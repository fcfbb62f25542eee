import { afterEach, describe, expect, it } from 'vitest';
import { installClock, type LocalClock } from '../../../local/clock/clock.ts';

let clock: LocalClock | undefined;
afterEach(() => clock?.uninstall());

const RealDate = Date;
const HOUR_MS = 3_600_000;

describe('the local clock', () => {
  it('moves Date.now, new Date() and Date() by what it was advanced', () => {
    clock = installClock();
    clock.advance(3600);
    const expected = RealDate.now() + HOUR_MS;
    expect(Math.abs(Date.now() - expected)).toBeLessThan(50);
    expect(Math.abs(new Date().getTime() - expected)).toBeLessThan(50);
    expect(Math.abs(Date.parse(Date()) - expected)).toBeLessThan(1050);
    expect(clock.offsetSeconds()).toBe(3600);
  });

  it('leaves dates with arguments, Date.UTC and Date.parse alone', () => {
    clock = installClock(86_400);
    expect(new Date(0).toISOString()).toBe('1970-01-01T00:00:00.000Z');
    expect(new Date(2026, 0, 2, 3).getHours()).toBe(3);
    expect(Date.UTC(2026, 0)).toBe(RealDate.UTC(2026, 0));
    expect(Date.parse('2026-01-01T00:00:00Z')).toBe(1_767_225_600_000);
  });

  it('keeps instanceof true in both directions', () => {
    const before = new RealDate();
    clock = installClock(60);
    expect(before).toBeInstanceOf(Date);
    expect(new Date()).toBeInstanceOf(RealDate);
    class Stamp extends Date {}
    expect(new Stamp()).toBeInstanceOf(Stamp);
    expect(new Stamp().getTime() - RealDate.now()).toBeGreaterThan(59_000);
  });

  it('leaves timers in real time', async () => {
    clock = installClock();
    const startedAt = performance.now();
    const fired = new Promise<number>((resolve) => {
      setTimeout(() => resolve(performance.now() - startedAt), 60);
    });
    clock.advance(7200);
    expect(await fired).toBeGreaterThanOrEqual(55);
  });

  it('starts where it stood and gives the process its Date back', () => {
    clock = installClock(120);
    expect(clock.now().getTime() - RealDate.now()).toBeGreaterThan(119_000);
    clock.uninstall();
    expect(Date).toBe(RealDate);
  });
});

import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { bareMachine } from '../lib/machine.ts';

describe('the machine that Lambda runs a function on', () => {
  test('has the time of now, and a clock that goes on', async () => {
    const [wall, monotonic] = [Date.now(), bareMachine.monotonicMs()];
    await delay(20);

    expect(bareMachine.nowMs()).toBeGreaterThanOrEqual(wall);
    expect(bareMachine.nowMs()).toBeLessThan(wall + 5_000);
    expect(bareMachine.monotonicMs() - monotonic).toBeGreaterThan(10);
  });

  test('has other bytes each time', () => {
    const [first, second] = [bareMachine.randomBytes(16), bareMachine.randomBytes(16)];

    expect(first).toHaveLength(16);
    expect(first.equals(second)).toBe(false);
  });

  test('runs what it is to run later, unless that is called off', async () => {
    const happened: string[] = [];
    bareMachine.startTimer(5, () => happened.push('later'));
    const callOff = bareMachine.startTimer(5, () => happened.push('never'));
    happened.push('first');
    callOff();
    await delay(50);

    expect(happened).toEqual(['first', 'later']);
  });

  test('has the settings of its process', () => {
    expect(bareMachine.environment['PATH']).toBe(process.env['PATH']);
  });
});

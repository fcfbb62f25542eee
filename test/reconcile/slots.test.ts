import { describe, expect, test } from 'vitest';
import { openSlots } from '../../lib/reconcile/slots.ts';
import { type SeededMachine, seededMachine } from '../support/seeded-machine.ts';

/** Checks begin as long as there is room; each ends when it is told to. */
function begin(machine: SeededMachine, isShort = () => false) {
  const slots = openSlots(machine, { isShort });
  const ends: (() => void)[] = [];
  void (async () => {
    for (;;) {
      await slots.free();
      const { promise, resolve } = Promise.withResolvers<void>();
      slots.take(promise);
      ends.push(resolve);
    }
  })();
  return { slots, ends };
}

describe('room for checks', () => {
  test('is for 64 that are worked on', async () => {
    const machine = seededMachine('slots');
    const { ends } = begin(machine);
    await machine.advance(249);

    expect(ends).toHaveLength(64);
    ends[0]?.();
    await machine.advance(0);
    expect(ends).toHaveLength(65);
  });

  test('is made by those that only wait after a quarter of a second, up to 128', async () => {
    const machine = seededMachine('slots');
    const { ends } = begin(machine);
    await machine.advance(250);
    expect(ends).toHaveLength(128);
    await machine.advance(10_000);
    expect(ends).toHaveLength(128);

    ends[0]?.();
    await machine.advance(0);
    expect(ends).toHaveLength(129);
  });

  test('is for 512 where nearly all of it hangs', async () => {
    const machine = seededMachine('slots');
    const { ends } = begin(machine, () => true);
    await machine.advance(10_000);

    expect(ends).toHaveLength(512);
  });

  test('leaves no timer behind for a check that is done', async () => {
    const machine = seededMachine('slots');
    const slots = openSlots(machine, { isShort: () => false });
    slots.take(Promise.resolve());
    await slots.allDone();

    expect(machine.pendingTimers()).toBe(0);
    expect(await slots.oneDone()).toBe('none');
  });
});

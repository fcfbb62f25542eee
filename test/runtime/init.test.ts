import { expect, test } from 'vitest';
import { once } from '../../lib/runtime/init.ts';

test('a value is made at the first call and kept', () => {
  let made = 0;
  const value = once(() => {
    made += 1;
    return made > 9;
  });

  expect([value(), value()]).toEqual([false, false]);
  expect(made).toBe(1);
});

test('a value that could not be made is tried again', () => {
  let attempts = 0;
  const value = once(() => {
    attempts += 1;
    if (attempts === 1) {
      throw new Error('not yet');
    }
    return 'value';
  });

  expect(() => value()).toThrow('not yet');
  expect(value()).toBe('value');
});

import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../lib/errors.ts';
import { loadBillConfig } from '../../lib/runtime/bill-config.ts';

describe('the form of numbers of other systems', () => {
  test('is that of no number where none is set', () => {
    expect(loadBillConfig({}).isForeign('pos-0001')).toBe(false);
    expect(loadBillConfig({ FOREIGN_ORDER_NUMBERS: '' }).isForeign('')).toBe(false);
  });

  test('is of the whole number', () => {
    const { isForeign } = loadBillConfig({ FOREIGN_ORDER_NUMBERS: 'pos-\\d+|till' });

    expect(['pos-0001', 'till', 'pos-0001x', 'my-till'].map(isForeign)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  test('that is none is named, and its value is not', () => {
    const load = () => loadBillConfig({ FOREIGN_ORDER_NUMBERS: 's3cret(' });

    expect(load).toThrow(new ConfigError('FOREIGN_ORDER_NUMBERS is not a regular expression'));
  });
});

import { expect, test } from 'vitest';
import { storedRequestOf } from '../../lib/order/stored-request.ts';

const v2 = { apiVersion: 'v2', fields: { total_fee: '2800' } } as const;
const v3 = { apiVersion: 'v3', path: '/v3/p', body: '{}' } as const;

test('a stored request is given to its own version as it is', () => {
  expect(storedRequestOf(v2, 'v2')).toBe(v2);
  expect(storedRequestOf(v3, 'v3')).toBe(v3);
});

test('a stored request is not given to the other version', () => {
  expect(() => storedRequestOf(v2, 'v3')).toThrow(
    new TypeError('an order of API v2 was handed to API v3'),
  );
  expect(() => storedRequestOf(v3, 'v2')).toThrow(
    new TypeError('an order of API v3 was handed to API v2'),
  );
});

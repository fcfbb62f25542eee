import { describe, expect, test } from 'vitest';
import { productFromItem } from '../../lib/table/products.ts';
import { productRow } from '../support/embedded-tables.ts';

describe('a product row', () => {
  const withKind = (kind: string) => productRow('coins', { priceFen: 100 }, { kind: { S: kind } });
  const coins = { sku: 'coins', name: 'coins', priceFen: 100 };

  test.each(['service', 'virtual'])('of the kind %s says so', (kind) => {
    expect(productFromItem(withKind(kind))).toEqual({ ...coins, kind });
  });

  test('of physical goods says no kind', () => {
    expect(productFromItem(withKind('physical'))).toEqual(coins);
  });

  test('of a kind that there is not is named for the shop', () => {
    expect(() => productFromItem(withKind('Virtual'))).toThrow(
      expect.objectContaining({
        code: 'CONFIG_ERROR',
        message: 'the row PRODUCT#coins is not a usable product',
        cause: new TypeError('the attribute kind is none of physical, service, virtual'),
      }),
    );
  });
});

/** The catalogue: `PRODUCT#<sku>` rows that the merchant maintains. */
import { ConfigError } from '../errors.ts';
import type { Product } from '../order/pricing.ts';
import { type Item, numberOf, stringOf } from './order-item.ts';

/**
 * Nothing for a product that is switched off (`active` false).
 *
 * @throws {ConfigError} naming a row that was written by hand and is no product.
 */
export function productFromItem(item: Item): Product | undefined {
  const { active } = item;
  if (active && active.BOOL === undefined) {
    throw new TypeError('the row has no boolean attribute active');
  }
  if (active?.BOOL === false) return undefined;
  try {
    const product = { sku: stringOf(item, 'sku'), name: stringOf(item, 'name') };
    return item['priceFen'] !== undefined
      ? { ...product, priceFen: numberOf(item, 'priceFen') }
      : { ...product, minFen: numberOf(item, 'minFen'), maxFen: numberOf(item, 'maxFen') };
  } catch (error) {
    throw new ConfigError(`the row ${stringOf(item, 'PK')} is not a usable product`, error);
  }
}

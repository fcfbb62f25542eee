/** The catalogue: `PRODUCT#<sku>` rows that the merchant maintains. */
import type { Product } from '../order/pricing.ts';
import { type Item, numberOf, stringOf } from './order-item.ts';

/** Nothing for a product that is switched off (`active` false). */
export function productFromItem(item: Item): Product | undefined {
  if (item['active']?.BOOL === false) return undefined;
  const product = { sku: stringOf(item, 'sku'), name: stringOf(item, 'name') };
  return item['priceFen'] !== undefined
    ? { ...product, priceFen: numberOf(item, 'priceFen') }
    : { ...product, minFen: numberOf(item, 'minFen'), maxFen: numberOf(item, 'maxFen') };
}

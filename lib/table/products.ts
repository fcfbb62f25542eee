/** The catalogue: `PRODUCT#<sku>` rows that the merchant maintains. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { ConfigError } from '../errors.ts';
import { GOODS_KINDS, isGoodsKind, keptKind, type KeptKind } from '../order/goods-kind.ts';
import type { Product } from '../order/pricing.ts';
import { type Item, numberOf, stringOf } from './attributes.ts';

/**
 * Nothing for a product that is switched off (`active` false).
 *
 * @throws {ConfigError} naming a row that was written by hand and is no product.
 */
export function productFromItem(item: Item): Product | undefined {
  try {
    if (item['active'] && !isForSale(item['active'])) {
      return undefined;
    }
    const kind = kindOf(item);
    const product = {
      sku: stringOf(item, 'sku'),
      name: stringOf(item, 'name'),
      ...(kind !== undefined && { kind }),
    };
    return item['priceFen'] !== undefined
      ? { ...product, priceFen: numberOf(item, 'priceFen') }
      : { ...product, minFen: numberOf(item, 'minFen'), maxFen: numberOf(item, 'maxFen') };
  } catch (error) {
    throw new ConfigError(`the row ${stringOf(item, 'PK')} is not a usable product`, error);
  }
}

/** A misspelt kind must not sell virtual goods as physical ones. */
function kindOf(item: Item): KeptKind {
  const kind = item['kind'] ? stringOf(item, 'kind') : undefined;
  if (kind !== undefined && !isGoodsKind(kind)) {
    throw new TypeError(`the attribute kind is none of ${GOODS_KINDS.join(', ')}`);
  }
  return keptKind(kind);
}

/** A text `false` must not keep a product on sale. */
function isForSale({ BOOL }: AttributeValue): boolean {
  if (BOOL === undefined) {
    throw new TypeError('the row has no boolean attribute active');
  }
  return BOOL;
}

/**
 * Kinds of goods. Since 2026-04-01 mini-programs sell virtual goods (memberships, coins, top-ups,
 * courses, films) through WeChat's virtual payment (虚拟支付) on every terminal; an ordinary order
 * for them can cost the merchant the permission to take payments.
 */
import { InvalidRequestError } from '../errors.ts';

export const GOODS_KINDS = ['physical', 'service', 'virtual'] as const;

/** What a product, or all that a quote is for, is. Absent everywhere it is stored: `physical`. */
export type GoodsKind = (typeof GOODS_KINDS)[number];

/** A kind as it is kept: nothing for `physical`, however it was said. */
export type KeptKind = Exclude<GoodsKind, 'physical'> | undefined;

export const keptKind = (kind: GoodsKind | undefined): KeptKind =>
  kind === 'physical' ? undefined : kind;

export const isGoodsKind = (value: string): value is GoodsKind =>
  (GOODS_KINDS as readonly string[]).includes(value);

/**
 * One virtual product, also a free one, makes the whole cart an order for virtual goods.
 *
 * @throws {InvalidRequestError} `VIRTUAL_GOODS_NOT_ALLOWED`, naming the first one.
 */
export function assertNoVirtualProduct(
  cart: readonly { readonly sku: string }[],
  catalogue: ReadonlyMap<string, { readonly kind?: KeptKind }>,
): void {
  const virtual = cart.find(({ sku }) => catalogue.get(sku)?.kind === 'virtual');
  if (virtual) {
    throw new InvalidRequestError('VIRTUAL_GOODS_NOT_ALLOWED', {
      problem: 'the product {sku} is virtual',
      sku: virtual.sku,
    });
  }
}

/** The refusal of a quote for virtual goods, which names no products. */
export const virtualQuoteRefused = () =>
  new InvalidRequestError('VIRTUAL_GOODS_NOT_ALLOWED', {
    problem: 'the quote is for virtual goods',
  });

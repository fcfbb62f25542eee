/** Prices a cart from the catalogue. The buyer's client names products, never prices. */
import { ConfigError, InvalidRequestError } from '../errors.ts';
import type { KeptKind } from './goods-kind.ts';
import {
  assertFen,
  cutToBytes,
  MAX_TEXT_BYTES,
  MAX_TOTAL_FEN,
  type OrderItem,
  plainName,
} from './order.ts';

/** A product of the catalogue: a fixed price, or bounds for an amount that the buyer chooses. */
export type Product = {
  readonly sku: string;
  readonly name: string;
  readonly kind?: KeptKind;
} & ({ readonly priceFen: number } | { readonly minFen: number; readonly maxFen: number });

/** One line of a cart as the client sent it: numbers are not checked yet. */
export interface CartItem {
  readonly sku: string;
  readonly quantity: unknown;
  /** Only for products whose amount the buyer chooses. */
  readonly amountFen?: unknown;
}

export interface PricedCart {
  readonly items: readonly OrderItem[];
  readonly totalFen: number;
  readonly description: string;
}

export const MAX_CART_ITEMS = 50;
const MAX_QUANTITY = 9_999;

/**
 * The price of a cart in fen.
 *
 * @throws {InvalidRequestError} `PRODUCT_NOT_FOUND`, `AMOUNT_INVALID`, `QUANTITY_INVALID`.
 * @throws {ConfigError} when the catalogue's own price is none.
 */
export function priceCart(
  cart: readonly CartItem[],
  catalogue: ReadonlyMap<string, Product>,
): PricedCart {
  const lines = cart.map((item, index) => priceItem(item, `items[${index}]`, catalogue));
  const totalFen = lines.reduce((sum, { item }) => sum + item.unitFen * item.quantity, 0);
  assertFen('totalFen', totalFen);
  return {
    items: lines.map(({ item }) => item),
    totalFen,
    description: describe(lines.map(({ item, name }) => ({ name, quantity: item.quantity }))),
  };
}

function priceItem(
  { sku, quantity, amountFen }: CartItem,
  path: string,
  catalogue: ReadonlyMap<string, Product>,
): { item: OrderItem; name: string } {
  assertQuantity(`${path}.quantity`, quantity);
  const product = catalogue.get(sku);
  if (!product) {
    throw new InvalidRequestError('PRODUCT_NOT_FOUND', { sku });
  }
  const unitFen = unitPrice(product, amountFen, `${path}.amountFen`);
  const { kind } = product;
  const item = { sku, quantity, unitFen, ...(kind !== undefined && { kind }) };
  return { item, name: product.name };
}

/** @throws {InvalidRequestError} `QUANTITY_INVALID` unless it is a whole number in bounds. */
export function assertQuantity(
  field: string,
  value: unknown,
  max = MAX_QUANTITY,
): asserts value is number {
  if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > max) {
    throw new InvalidRequestError('QUANTITY_INVALID', { field, min: 1, max });
  }
}

function unitPrice(product: Product, amountFen: unknown, field: string): number {
  if ('priceFen' in product) {
    if (amountFen === undefined) {
      return listedPrice(product.sku, product.priceFen);
    }
    throw new InvalidRequestError('INVALID_REQUEST', {
      field,
      problem: '{sku} has a fixed price',
      sku: product.sku,
    });
  }
  // Whatever the catalogue allows, one line never pays for another.
  const minFen = Math.max(product.minFen, 0);
  assertFen(field, amountFen, minFen, Math.min(product.maxFen, MAX_TOTAL_FEN));
  return amountFen;
}

/** A price in yuan by mistake (`28.5`) must not pass because two of it make a whole number. */
function listedPrice(sku: string, priceFen: number): number {
  if (Number.isInteger(priceFen) && priceFen >= 0 && priceFen <= MAX_TOTAL_FEN) {
    return priceFen;
  }
  throw new ConfigError(`priceFen of the product ${sku} is not whole fen`);
}

/**
 * What the buyer reads on WeChat's payment sheet: the names, as many as fit into WeChat's 127
 * bytes, without the characters that WeChat refuses.
 */
function describe(lines: readonly { name: string; quantity: number }[]): string {
  const names = lines.map(({ name, quantity }) =>
    quantity === 1 ? plainName(name) : `${plainName(name)} x${quantity}`,
  );
  const whole = names.join(', ');
  if (Buffer.byteLength(whole) <= MAX_TEXT_BYTES) {
    return whole;
  }
  const ellipsis = '…';
  return `${cutToBytes(whole, MAX_TEXT_BYTES - Buffer.byteLength(ellipsis)).trimEnd()}${ellipsis}`;
}

/** The body of `POST /prepay`: exactly one of a cart, a quote or an order to pay again. */
import * as v from 'valibot';
import { assertObject, invalidField, parse } from '../http/input.ts';
import { assertFen, assertText } from '../order/order.ts';
import { assertQuantity, type CartItem, MAX_CART_ITEMS } from '../order/pricing.ts';

export type CheckoutRequest = (
  | {
      readonly kind: 'cart';
      readonly items: readonly CartItem[];
      readonly attach?: string | undefined;
    }
  | { readonly kind: 'quote'; readonly quote: string }
  | { readonly kind: 'again'; readonly outTradeNo: string }
) & {
  /** What the buyer was shown; the order is refused when it would cost something else. */
  readonly expectedTotalFen?: number | undefined;
};

const expectedTotalFen = v.optional(v.unknown());

const bodies = {
  items: v.strictObject({
    items: v.pipe(
      v.array(
        v.strictObject({
          // No control characters and no halves of characters, which no key of the table can hold.
          sku: v.pipe(v.string(), v.regex(/^[^\p{C}]{1,64}$/u)),
          quantity: v.unknown(),
          amountFen: v.optional(v.unknown()),
        }),
      ),
      v.minLength(1),
      v.maxLength(MAX_CART_ITEMS),
    ),
    attach: v.optional(v.string()),
    expectedTotalFen,
  }),
  quote: v.strictObject({ quote: v.pipe(v.string(), v.maxLength(16_384)), expectedTotalFen }),
  outTradeNo: v.strictObject({
    outTradeNo: v.pipe(v.string(), v.minLength(1), v.maxLength(32)),
    expectedTotalFen,
  }),
};

/**
 * Reads the body. A field that is not known is refused, not ignored: a client that sends a price
 * or an openid learns that it has no say in them.
 *
 * @throws {InvalidRequestError} naming the field and what is wrong with it.
 */
export function parseCheckoutRequest(body: unknown): CheckoutRequest {
  switch (bodyKind(body)) {
    case 'items': {
      const { items, attach, expectedTotalFen } = parse(bodies.items, body);
      if (attach !== undefined) {
        assertText('attach', attach);
      }
      items.forEach(assertNumbers);
      return { kind: 'cart', items, attach, ...expected(expectedTotalFen) };
    }
    case 'quote': {
      const { quote, expectedTotalFen } = parse(bodies.quote, body);
      return { kind: 'quote', quote, ...expected(expectedTotalFen) };
    }
    case 'outTradeNo': {
      const { outTradeNo, expectedTotalFen } = parse(bodies.outTradeNo, body);
      return { kind: 'again', outTradeNo, ...expected(expectedTotalFen) };
    }
  }
}

/** Numbers at all; pricing knows their bounds. Nothing deeper gets as far as the fingerprint. */
function assertNumbers({ quantity, amountFen }: CartItem, index: number): void {
  if (typeof quantity !== 'number') {
    assertQuantity(`items[${index}].quantity`, quantity);
  }
  if (amountFen !== undefined && typeof amountFen !== 'number') {
    assertFen(`items[${index}].amountFen`, amountFen);
  }
}

function bodyKind(body: unknown): keyof typeof bodies {
  assertObject(body);
  const names = Object.keys(bodies) as (keyof typeof bodies)[];
  const present = names.filter((name) => Object.hasOwn(body, name));
  const [kind] = present;
  if (kind !== undefined && present.length === 1) {
    return kind;
  }
  throw invalidField('body', {
    problem: 'expected a JSON object with exactly one of items, quote, outTradeNo',
  });
}

function expected(value: unknown): { expectedTotalFen?: number } {
  if (value === undefined) {
    return {};
  }
  assertFen('expectedTotalFen', value);
  return { expectedTotalFen: value };
}

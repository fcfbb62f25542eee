/** From a cart to its order, priced by the catalogue. */
import { assertNoVirtualProduct } from '../order/goods-kind.ts';
import { detailOfCart } from '../order/options.ts';
import { digest, type Order } from '../order/order.ts';
import { priceCart } from '../order/pricing.ts';
import { createOrder, readCart } from '../table/checkout.ts';
import type { CheckoutRequest } from './request.ts';
import {
  assertExpectedTotal,
  assertRoomForOrder,
  buildOrder,
  type CheckoutTerms,
  type FoundOrder,
  keyOrderNumber,
  keyReused,
  openOrdersOf,
} from './terms.ts';

/** The order of the buyer's idempotency key: written now, or found with the same cart. */
export async function orderFromCart(
  request: CheckoutRequest & { kind: 'cart' },
  terms: CheckoutTerms,
): Promise<FoundOrder> {
  const outTradeNo = keyOrderNumber(terms);
  const skus = request.items.map(({ sku }) => sku);
  const id = { merchantKey: terms.merchantKey, outTradeNo };
  const [{ catalogue, order: earlier, boundTo }, open] = await Promise.all([
    readCart(terms.table, skus, id),
    openOrdersOf(terms),
  ]);
  if (boundTo) {
    throw keyReused(boundTo);
  }

  const lines = request.items.map(({ sku, quantity, amountFen }) => [sku, quantity, amountFen]);
  const fingerprint = digest({ cart: lines, attach: request.attach });
  if (earlier) {
    return { order: sameRequest(earlier, fingerprint), isNew: false };
  }

  assertRoomForOrder(terms, open);
  if (!terms.allowVirtualGoods) {
    assertNoVirtualProduct(request.items, catalogue);
  }
  const priced = priceCart(request.items, catalogue);
  assertExpectedTotal(priced.totalFen, request);
  const content = { outTradeNo, fingerprint, attach: request.attach, ...priced };
  const detail = detailOfCart(priced.items, catalogue);
  const order = buildOrder(terms, content, { detail, options: terms.orderOptions });
  const stored = await createOrder(terms.table, order);
  return { order: sameRequest(stored, fingerprint), isNew: stored === order };
}

/** One key stands for one request; another cart under it is a mistake, not a second order. */
function sameRequest(order: Order, fingerprint: string): Order {
  if (order.fingerprint !== fingerprint) {
    throw keyReused(order.outTradeNo);
  }
  return order;
}

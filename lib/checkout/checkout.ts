/**
 * From what a buyer asks for to an order in the table, priced by us and written exactly once.
 * WeChat is not called here: the row comes first.
 */
import { OrderConflictError } from '../errors.ts';
import { isClosing, isPaid, type Order } from '../order/order.ts';
import { readOwnOrder } from '../table/orders.ts';
import { orderFromCart } from './from-cart.ts';
import { orderFromQuote } from './from-quote.ts';
import type { CheckoutRequest } from './request.ts';
import { assertExpectedTotal, type CheckoutTerms, type FoundOrder } from './terms.ts';

/**
 * The one order that a request stands for, neither paid nor closed nor given up by its buyer.
 *
 * @throws {InvalidRequestError | OrderConflictError | OrderNotFoundError}
 */
export async function findOrCreateOrder(
  request: CheckoutRequest,
  terms: CheckoutTerms,
): Promise<FoundOrder> {
  const found = await findOrCreate(request, terms);
  assertExpectedTotal(found.order.totalFen, request);
  assertPayable(found.order);
  return found;
}

async function findOrCreate(request: CheckoutRequest, terms: CheckoutTerms): Promise<FoundOrder> {
  switch (request.kind) {
    case 'cart':
      return orderFromCart(request, terms);
    case 'quote':
      return orderFromQuote(request, terms);
    case 'again':
      return { order: await ownOrder(request.outTradeNo, terms), isNew: false };
  }
}

async function ownOrder(
  outTradeNo: string,
  { table, merchantKey, openid }: CheckoutTerms,
): Promise<Order> {
  return readOwnOrder(table, { merchantKey, outTradeNo }, openid);
}

/** Whether its time still lasts is asked when it is placed. */
function assertPayable(order: Order): void {
  const { outTradeNo } = order;
  if (isPaid(order)) {
    throw new OrderConflictError('ORDER_ALREADY_PAID', { outTradeNo });
  }
  if (order.tradeState === 'CLOSED' || isClosing(order)) {
    throw new OrderConflictError('ORDER_CLOSED', { outTradeNo });
  }
}

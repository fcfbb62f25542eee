/** From a signed quote to its order, under the number that the merchant's backend chose. */
import { InvalidRequestError, OrderConflictError } from '../errors.ts';
import { keptKind, virtualQuoteRefused } from '../order/goods-kind.ts';
import { assertOrderDetail, assertOrderOptions, type OrderOptions } from '../order/options.ts';
import { assertFen, assertLifetime, assertOutTradeNo, assertText, digest } from '../order/order.ts';
import { bindKey, createQuotedOrder } from '../table/idempotency-binding.ts';
import { readOrder } from '../table/orders.ts';
import { type Quote, verifyQuote } from './quote.ts';
import type { CheckoutRequest } from './request.ts';
import {
  assertExpectedTotal,
  assertRoomForOrder,
  buildOrder,
  type CheckoutTerms,
  type Extras,
  type FoundOrder,
  keyOrderNumber,
  keyReused,
  openOrdersOf,
} from './terms.ts';

/** The order of a quote: written now, or found with the same content. */
export async function orderFromQuote(
  request: CheckoutRequest & { kind: 'quote' },
  terms: CheckoutTerms,
): Promise<FoundOrder> {
  const keyNumber = keyOrderNumber(terms);
  const quote = await verifyQuote(request.quote, terms);
  assertOutTradeNo('quote.outTradeNo', quote.outTradeNo);
  assertFen('quote.totalFen', quote.totalFen);
  assertText('quote.description', quote.description);
  if (quote.attach !== undefined) {
    assertText('quote.attach', quote.attach);
  }
  const extras = quotedExtras(quote, terms);
  if (quote.openid !== undefined && quote.openid !== terms.openid) {
    throw new InvalidRequestError('QUOTE_FOR_OTHER_BUYER');
  }
  await assertQuotedKind(quote, terms);
  await assertRoomForQuote(quote, terms);
  assertExpectedTotal(quote.totalFen, request);

  const { outTradeNo, totalFen, description, attach } = quote;
  // The number belongs to the key itself, under which there is no second order.
  if (outTradeNo === keyNumber) {
    throw new OrderConflictError('ORDER_EXISTS');
  }
  const kind = keptKind(quote.kind);
  const fingerprint = digest({
    quote: [outTradeNo, totalFen, description, attach],
    detail: quote.detail,
    options: extras.quoted,
    lifetimeSeconds: quote.lifetimeSeconds,
    kind,
  });
  const content = { outTradeNo, totalFen, description, attach, kind, fingerprint };
  const order = buildOrder(terms, content, extras);
  const created = await createQuotedOrder(terms.table, order, keyNumber);
  if (created.kind === 'bound') {
    throw keyReused(created.outTradeNo);
  }
  const isSame = created.order.openid === terms.openid && created.order.fingerprint === fingerprint;
  if (!isSame) {
    throw new OrderConflictError('ORDER_EXISTS');
  }
  const isNew = created.order === order;
  // Found, perhaps under another key: this one stands for the order from now on, too.
  const boundTo = isNew
    ? undefined
    : await bindKey(terms.table, order, keyNumber, Math.floor(terms.nowMs / 1000));
  if (boundTo !== undefined) {
    throw keyReused(boundTo);
  }
  return { order: created.order, isNew };
}

/** An order that was made while virtual goods were allowed stays payable: a repeat is no new sale. */
async function assertQuotedKind(
  { kind, outTradeNo }: Quote,
  { allowVirtualGoods, table, merchantKey }: CheckoutTerms,
): Promise<void> {
  if (kind !== 'virtual' || allowVirtualGoods) {
    return;
  }
  if (!(await readOrder(table, { merchantKey, outTradeNo }))) {
    throw virtualQuoteRefused();
  }
}

/** One that is there already is no new order. */
async function assertRoomForQuote({ outTradeNo }: Quote, terms: CheckoutTerms): Promise<void> {
  if (terms.openOrdersPerBuyer) {
    const { table, merchantKey } = terms;
    const [open, order] = await Promise.all([
      openOrdersOf(terms),
      readOrder(table, { merchantKey, outTradeNo }),
    ]);
    if (!order) {
      assertRoomForOrder(terms, open);
    }
  }
}

/** The quote's own options, each in place of the deployment's. */
function quotedExtras(
  quote: Quote,
  { orderOptions }: CheckoutTerms,
): Extras & { readonly quoted: OrderOptions | undefined } {
  const { goodsTag, limitPay, deviceInfo, storeInfo, receipt, profitSharing } = quote;
  const named = { goodsTag, limitPay, deviceInfo, storeInfo, receipt, profitSharing };
  const given = Object.entries(named).filter(([, value]) => value !== undefined);
  const quoted: OrderOptions | undefined = given.length > 0 ? Object.fromEntries(given) : undefined;
  if (quoted) {
    assertOrderOptions('quote', quoted);
  }
  const { detail, lifetimeSeconds } = quote;
  if (detail) {
    assertOrderDetail('quote.detail', detail);
  }
  if (lifetimeSeconds !== undefined) {
    assertLifetime('quote.lifetimeSeconds', lifetimeSeconds);
  }
  return { detail, options: { ...orderOptions, ...quoted }, lifetimeSeconds, quoted };
}

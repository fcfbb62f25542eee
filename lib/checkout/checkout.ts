/**
 * From what a buyer asks for to an order in the table, priced by us and written exactly once.
 * WeChat is not called here: the row comes first.
 */
import { InvalidRequestError, OrderConflictError, OrderNotFoundError } from '../errors.ts';
import {
  assertOrderDetail,
  assertOrderOptions,
  detailOfCart,
  type OrderDetail,
  type OrderOptions,
} from '../order/options.ts';
import {
  assertFen,
  assertLifetime,
  assertOutTradeNo,
  assertText,
  digest,
  isOutTradeNo,
  isPaid,
  type Order,
  orderNumberFor,
} from '../order/order.ts';
import { assertNoVirtualProduct, keptKind, virtualQuoteRefused } from '../order/goods-kind.ts';
import type { Parties } from '../order/parties.ts';
import { priceCart } from '../order/pricing.ts';
import { nextCheckAt } from '../order/pace.ts';
import type { Table } from '../table/client.ts';
import { createOrder, readCart } from '../table/checkout.ts';
import { bindKey, createQuotedOrder } from '../table/idempotency-binding.ts';
import { readOrder } from '../table/orders.ts';
import type { WechatPay } from '../wechatpay/operations.ts';
import { type Quote, verifyQuote } from './quote.ts';
import type { CheckoutRequest } from './request.ts';

/** Who buys, and the terms that the server sets for every order. */
export interface CheckoutTerms extends Parties {
  readonly table: Table;
  readonly wechatPay: Pick<WechatPay, 'buildPrepayRequest'>;
  /** Which of the deployment's merchants sells; see `OrderId`. */
  readonly merchantKey: string;
  readonly openid: string;
  readonly clientIp: string;
  readonly notifyBaseUrl: string;
  readonly lifetimeSeconds: number;
  /** What every order says to WeChat, unless its quote says otherwise. */
  readonly orderOptions?: OrderOptions | undefined;
  /** Whether the deployment sells virtual goods by ordinary payment. */
  readonly allowVirtualGoods: boolean;
  readonly quoteKey: string | undefined;
  /** Required for a cart and a quote; an order that is paid again has its own number. */
  readonly idempotencyKey: string | undefined;
  readonly nowMs: number;
}

/** An order to be paid; `isNew` when this very request wrote it. */
export interface PlacedOrder {
  readonly order: Order;
  readonly isNew: boolean;
}

/**
 * The one order that a request stands for, ready to be paid.
 *
 * @throws {InvalidRequestError | OrderConflictError | OrderNotFoundError}
 */
export async function placeOrder(
  request: CheckoutRequest,
  terms: CheckoutTerms,
): Promise<PlacedOrder> {
  const placed = await findOrCreate(request, terms);
  assertExpectedTotal(placed.order.totalFen, request);
  assertPayable(placed.order, terms.nowMs);
  return placed;
}

async function findOrCreate(request: CheckoutRequest, terms: CheckoutTerms): Promise<PlacedOrder> {
  switch (request.kind) {
    case 'cart':
      return orderFromCart(request, terms);
    case 'quote':
      return orderFromQuote(request, terms);
    case 'again':
      return { order: await ownOrder(request.outTradeNo, terms), isNew: false };
  }
}

async function orderFromCart(
  request: CheckoutRequest & { kind: 'cart' },
  terms: CheckoutTerms,
): Promise<PlacedOrder> {
  const outTradeNo = keyOrderNumber(terms);
  const skus = request.items.map(({ sku }) => sku);
  const id = { merchantKey: terms.merchantKey, outTradeNo };
  const { catalogue, order: earlier, boundTo } = await readCart(terms.table, skus, id);
  if (boundTo) {
    throw keyReused(boundTo);
  }

  const lines = request.items.map(({ sku, quantity, amountFen }) => [sku, quantity, amountFen]);
  const fingerprint = digest({ cart: lines, attach: request.attach });
  if (earlier) {
    return { order: sameRequest(earlier, fingerprint), isNew: false };
  }

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

async function orderFromQuote(
  request: CheckoutRequest & { kind: 'quote' },
  terms: CheckoutTerms,
): Promise<PlacedOrder> {
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
  assertExpectedTotal(quote.totalFen, request);

  const { outTradeNo, totalFen, description, attach } = quote;
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
  const boundTo = isNew ? undefined : await bindKey(terms.table, order, keyNumber);
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

/** What an order says and does besides its content. */
interface Extras {
  readonly detail?: OrderDetail | undefined;
  readonly options?: OrderOptions | undefined;
  readonly lifetimeSeconds?: number | undefined;
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

async function ownOrder(outTradeNo: string, terms: CheckoutTerms): Promise<Order> {
  const { table, merchantKey } = terms;
  const order = isOutTradeNo(outTradeNo)
    ? await readOrder(table, { merchantKey, outTradeNo })
    : undefined;
  if (order?.openid !== terms.openid) {
    throw new OrderNotFoundError();
  }
  return order;
}

function keyOrderNumber(terms: CheckoutTerms): string {
  const { idempotencyKey, table } = terms;
  if (idempotencyKey === undefined) {
    throw new InvalidRequestError('IDEMPOTENCY_KEY_REQUIRED');
  }
  if (!/^[\x21-\x7e]{1,128}$/.test(idempotencyKey)) {
    throw new InvalidRequestError('IDEMPOTENCY_KEY_INVALID');
  }
  return orderNumberFor(table.scope, terms, idempotencyKey);
}

/** One key stands for one request; another cart under it is a mistake, not a second order. */
function sameRequest(order: Order, fingerprint: string): Order {
  if (order.fingerprint !== fingerprint) {
    throw keyReused(order.outTradeNo);
  }
  return order;
}

const keyReused = (outTradeNo: string) =>
  new InvalidRequestError('IDEMPOTENCY_KEY_REUSED', { outTradeNo });

function assertExpectedTotal(
  totalFen: number,
  { expectedTotalFen }: Pick<CheckoutRequest, 'expectedTotalFen'>,
): void {
  if (expectedTotalFen !== undefined && expectedTotalFen !== totalFen) {
    throw new OrderConflictError('PRICE_CHANGED', { totalFen });
  }
}

function assertPayable(order: Order, nowMs: number): void {
  const { outTradeNo } = order;
  if (isPaid(order)) {
    throw new OrderConflictError('ORDER_ALREADY_PAID', { outTradeNo });
  }
  if (order.tradeState === 'CLOSED') {
    throw new OrderConflictError('ORDER_CLOSED', { outTradeNo });
  }
  if (nowMs >= order.expiresAtEpochSeconds * 1000) {
    throw new OrderConflictError('ORDER_EXPIRED', { outTradeNo });
  }
}

function buildOrder(
  terms: CheckoutTerms,
  content: Pick<
    Order,
    'outTradeNo' | 'totalFen' | 'description' | 'attach' | 'items' | 'kind' | 'fingerprint'
  >,
  { detail, options, lifetimeSeconds = terms.lifetimeSeconds }: Extras,
): Order {
  const { merchantKey, appid, mchid, subMchid, spAppid, openid } = terms;
  const { clientIp, notifyBaseUrl, wechatPay } = terms;
  const createdAtEpochSeconds = Math.floor(terms.nowMs / 1000);
  const facts = {
    ...content,
    merchantKey,
    appid,
    mchid,
    subMchid,
    spAppid,
    openid,
    createdAtEpochSeconds,
    expiresAtEpochSeconds: createdAtEpochSeconds + lifetimeSeconds,
  };
  const request = { ...facts, detail, options, clientIp, notifyBaseUrl };
  const prepayRequest = wechatPay.buildPrepayRequest(request);
  return {
    ...facts,
    currency: 'CNY',
    ...(options?.profitSharing && { profitSharing: true }),
    tradeState: 'NOTPAY',
    apiVersion: prepayRequest.apiVersion,
    prepayRequest,
    checks: 0,
    nextCheckAtEpochSeconds: nextCheckAt(facts, 0, createdAtEpochSeconds),
  };
}

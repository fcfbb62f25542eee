/** What every way to an order has in common: the terms, the idempotency key, and the order itself. */
import { InvalidRequestError, OrderConflictError, TooManyOpenOrdersError } from '../errors.ts';
import type { OrderDetail, OrderOptions } from '../order/options.ts';
import { type Order, orderNumberFor } from '../order/order.ts';
import { nextCheckAt } from '../order/pace.ts';
import type { Parties } from '../order/parties.ts';
import { countOpenOrders } from '../table/buyer-orders.ts';
import type { Table } from '../table/client.ts';
import type { WechatPay } from '../wechatpay/operations.ts';
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
  /** How many orders the buyer may leave unpaid before this one; 0 or absent: any number. */
  readonly openOrdersPerBuyer?: number;
  /** Keys that a quote may be signed with; read when there is one. */
  readonly quoteKeys: AsyncIterable<string>;
  /** Required for a cart and a quote; an order that is paid again has its own number. */
  readonly idempotencyKey: string | undefined;
  readonly nowMs: number;
}

/** An order to be paid; `isNew` when this very request wrote it. */
export interface FoundOrder {
  readonly order: Order;
  readonly isNew: boolean;
}

/** What an order says and does besides its content. */
export interface Extras {
  readonly detail?: OrderDetail | undefined;
  readonly options?: OrderOptions | undefined;
  readonly lifetimeSeconds?: number | undefined;
}

/**
 * The order number of the buyer's idempotency key.
 *
 * @throws {InvalidRequestError} when the key is missing or not of its form.
 */
export function keyOrderNumber(terms: CheckoutTerms): string {
  const { idempotencyKey, table } = terms;
  if (idempotencyKey === undefined) {
    throw new InvalidRequestError('IDEMPOTENCY_KEY_REQUIRED');
  }
  if (!/^[\x21-\x7e]{1,128}$/.test(idempotencyKey)) {
    throw new InvalidRequestError('IDEMPOTENCY_KEY_INVALID');
  }
  return orderNumberFor(table.scope, terms, idempotencyKey);
}

/**
 * How many orders the buyer has unpaid, where that matters: read beside what else is read.
 */
export const openOrdersOf = async (terms: CheckoutTerms): Promise<number> =>
  terms.openOrdersPerBuyer
    ? countOpenOrders(terms.table, terms, Math.floor(terms.nowMs / 1000))
    : 0;

/** @throws {TooManyOpenOrdersError} when a new order would be one too many. */
export function assertRoomForOrder({ openOrdersPerBuyer = 0 }: CheckoutTerms, open: number): void {
  if (openOrdersPerBuyer > 0 && open >= openOrdersPerBuyer) {
    throw new TooManyOpenOrdersError(openOrdersPerBuyer);
  }
}

/** The key stands for another request, whose order this is. */
export const keyReused = (outTradeNo: string) =>
  new InvalidRequestError('IDEMPOTENCY_KEY_REUSED', { outTradeNo });

/** @throws {OrderConflictError} `PRICE_CHANGED` when the order costs something else than the buyer was shown. */
export function assertExpectedTotal(
  totalFen: number,
  { expectedTotalFen }: Pick<CheckoutRequest, 'expectedTotalFen'>,
): void {
  if (expectedTotalFen !== undefined && expectedTotalFen !== totalFen) {
    throw new OrderConflictError('PRICE_CHANGED', { totalFen });
  }
}

/** A new order under these terms, with the request that creates it at WeChat; not written yet. */
export function buildOrder(
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
  const { apiVersion } = prepayRequest;
  return {
    ...facts,
    currency: 'CNY',
    ...(options?.profitSharing && { profitSharing: true }),
    tradeState: 'NOTPAY',
    apiVersion,
    prepayRequest,
    checks: 0,
    nextCheckAtEpochSeconds: nextCheckAt({ ...facts, apiVersion }, 0, createdAtEpochSeconds),
  };
}

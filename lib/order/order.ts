/** An order and the rules that hold for every one of them. */
import { createHash } from 'node:crypto';
import { InvalidRequestError } from '../errors.ts';
import type { KeptKind } from './goods-kind.ts';
import { FIRST_MERCHANT, type OrderId } from './order-id.ts';
import type { ApiVersion, Parties } from './parties.ts';
import type { StoredRequest } from './stored-request.ts';

/** WeChat's own states (`trade_state`), as far as an order here can have them. */
export type OrderState = 'NOTPAY' | 'SUCCESS' | 'REFUND' | 'CLOSED';

/** One line of a priced order. */
export interface OrderItem {
  readonly sku: string;
  readonly quantity: number;
  readonly unitFen: number;
  readonly kind?: KeptKind;
}

/** An order as it is stored. Amounts in fen, times in epoch seconds. */
export interface Order extends OrderId, Parties {
  readonly openid: string;
  readonly totalFen: number;
  readonly currency: 'CNY';
  readonly description: string;
  readonly attach?: string | undefined;
  readonly items?: readonly OrderItem[] | undefined;
  /** Of an order from a quote; a cart's lines each have their own. */
  readonly kind?: KeptKind;
  /** The money waits to be shared (分账); WeChat must learn so with the order, not later. */
  readonly profitSharing?: boolean | undefined;
  readonly tradeState: OrderState;
  readonly createdAtEpochSeconds: number;
  readonly expiresAtEpochSeconds: number;
  /** What the buyer asked for, digested: tells a repeat from another request under the same key. */
  readonly fingerprint: string;
  /** The version of WeChat's API that created it; queries and closes go the same way. */
  readonly apiVersion: ApiVersion;
  /** The exact request that created the order at WeChat; a repeat must not differ. */
  readonly prepayRequest: StoredRequest;
  /** When WeChat was last asked about the order. */
  readonly checkedAtEpochSeconds?: number | undefined;
  /** How often reconcile asked; sets the pace. */
  readonly checks: number;
  /** Since when the buyer wants it closed; it is paid by nobody through `prepay` from then on. */
  readonly closingAtEpochSeconds?: number | undefined;
  /** When its row may go; only orders that have ended have it, and where they are not kept for ever. */
  readonly deleteAtEpochSeconds?: number | undefined;
  /** Since when an attempt to settle it, long after its time, comes to nothing. */
  readonly unsettledSinceEpochSeconds?: number | undefined;
  /** Somebody asked about it, or gave it up, since reconcile last looked. */
  readonly isAskedAbout?: boolean | undefined;
  /** When reconcile looks at it next; only open orders have it. */
  readonly nextCheckAtEpochSeconds?: number | undefined;
  readonly paidAtEpochSeconds?: number | undefined;
  readonly transactionId?: string | undefined;
  /** The money came after the order was closed. */
  readonly paidAfterClose?: boolean | undefined;
  /** What was decided about that money by the write that recorded it. */
  readonly paymentAfterClose?: PaymentAfterClose | undefined;
  /**
   * What is neither reserved nor refunded; below zero when WeChat proved more than was reserved.
   * Absent: all of it.
   */
  readonly refundableFen?: number | undefined;
  /** Refunds of the order, but for those that WeChat refused. */
  readonly refundCount?: number | undefined;
  /** When a refund of the order was last sent to WeChat: the turn of all of them. */
  readonly refundSentAtEpochSeconds?: number | undefined;
  /** Numbers of refunds that WeChat reported and that have no row yet. */
  readonly refundNotices?: readonly string[] | undefined;
}

/** What becomes of a payment for a closed order: a person decides, or it is given back by itself. */
export type PaymentAfterClose = 'keep' | 'refund';

/** Largest order: 1,000,000 yuan. */
export const MAX_TOTAL_FEN = 100_000_000;

/** WeChat's limit for `body` and `attach`, taken in bytes, the stricter of two readings. */
export const MAX_TEXT_BYTES = 127;

/**
 * The number of an order that a buyer makes with an idempotency key: the same two always give the
 * same number, so one conditional write settles any race. 32 hex digits, 128 bits.
 *
 * @param scope what keeps two deployments under one merchant apart, and a new table from an old
 * one: without it, an old payment would pay a new order of the same key.
 */
export function orderNumberFor(
  scope: string,
  { merchantKey, appid, openid }: Pick<Order, 'merchantKey' | 'appid' | 'openid'>,
  idempotencyKey: string,
): string {
  // A fifth part, not an empty one: the first merchant's numbers do not depend on there being others.
  const merchant = merchantKey === FIRST_MERCHANT ? [] : [merchantKey];
  return digest([scope, appid, openid, idempotencyKey, ...merchant]).slice(0, 32);
}

/** A digest of plain data, independent of how it was spaced or ordered in the request. */
export function digest(data: unknown): string {
  return createHash('sha256').update(JSON.stringify(data)).digest('hex');
}

/** @throws {InvalidRequestError} `AMOUNT_INVALID` unless it is whole fen between the bounds. */
export function assertFen(
  field: string,
  value: unknown,
  min = 1,
  max = MAX_TOTAL_FEN,
): asserts value is number {
  if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
    throw new InvalidRequestError('AMOUNT_INVALID', { field, min, max });
  }
}

/**
 * How long an order can be paid. WeChat refuses `time_expire` below 5 minutes and closing in the
 * first 5, and caps it at 7 days by default; 6 minutes leave room for the clocks to differ.
 */
export const MIN_LIFETIME_SECONDS = 360;
export const MAX_LIFETIME_SECONDS = 604_800;

/** @throws {InvalidRequestError} unless it is a time between the two. */
export function assertLifetime(field: string, seconds: number): void {
  if (
    !Number.isInteger(seconds) ||
    seconds < MIN_LIFETIME_SECONDS ||
    seconds > MAX_LIFETIME_SECONDS
  ) {
    throw new InvalidRequestError('INVALID_REQUEST', {
      field,
      problem: `whole seconds from ${MIN_LIFETIME_SECONDS} to ${MAX_LIFETIME_SECONDS}`,
    });
  }
}

/** WeChat: 6 to 32 of letters, digits, `_`, `-`; older pages allow more, all pages allow these. */
export function isOutTradeNo(value: string): boolean {
  return /^[0-9A-Za-z_-]{6,32}$/.test(value);
}

/** @throws {InvalidRequestError} unless WeChat takes it as an order's number. */
export function assertOutTradeNo(field: string, value: string): void {
  if (!isOutTradeNo(value)) {
    throw new InvalidRequestError('INVALID_REQUEST', {
      field,
      problem: '6 to 32 letters, digits, _ or -',
    });
  }
}

/** @throws {InvalidRequestError} when WeChat would refuse, cut or show the text wrongly. */
export function assertText(field: string, value: string, maxBytes = MAX_TEXT_BYTES): void {
  if (Buffer.byteLength(value) > maxBytes) {
    throw new InvalidRequestError('TEXT_TOO_LONG', { field, maxBytes });
  }
  if (value.trim() !== value || value === '') {
    throw new InvalidRequestError('INVALID_REQUEST', {
      field,
      problem: 'empty, or with blanks at its ends, which some signers trim',
    });
  }
  if (withoutRefusedCharacters(value) !== value) {
    throw new InvalidRequestError('INVALID_REQUEST', {
      field,
      problem: 'emoji and control characters are not allowed',
    });
  }
}

/**
 * Control characters and those of 4 bytes in UTF-8 (emoji, with what joins and colours them):
 * WeChat refuses or garbles them.
 */
const NOT_FOR_WECHAT = /\u200D|\uFE0F|[\p{Cc}\p{Cs}\u{10000}-\u{10FFFF}\uFFFE\uFFFF]/gu;

/** A name as WeChat can take it: one line, no refused characters, never empty. */
export function plainName(name: string): string {
  return withoutRefusedCharacters(name.replace(/\s+/g, ' ')).trim() || '?';
}

/** The longest beginning within a number of bytes that ends between two characters. */
export function cutToBytes(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text).subarray(0, maxBytes);
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes, { stream: true });
}

/** The text without the characters that WeChat does not take. */
function withoutRefusedCharacters(value: string): string {
  return value.replace(NOT_FOR_WECHAT, '');
}

/** Whether the order can still be paid or closed. */
export function isOpen(order: Pick<Order, 'tradeState'>): boolean {
  return order.tradeState === 'NOTPAY';
}

/** Whether the buyer gave it up and WeChat has not said yet how it ended. */
export function isClosing(order: Pick<Order, 'tradeState' | 'closingAtEpochSeconds'>): boolean {
  return isOpen(order) && order.closingAtEpochSeconds !== undefined;
}

/** Whether money was received for the order, refunded or not. */
export function isPaid(order: Pick<Order, 'tradeState'>): boolean {
  return order.tradeState === 'SUCCESS' || order.tradeState === 'REFUND';
}

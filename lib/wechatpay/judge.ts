/** Judgements of an answer that do not depend on the API version. */
import { WechatPayMalformedMessageError, WechatPayServiceError } from '../errors.ts';
import type { PaymentEvidence } from '../order/transition.ts';
import type { PrepayResult, QueryResult, StoredOrder, TradeState } from './operations.ts';

type NotPaidState = Exclude<TradeState, 'SUCCESS' | 'REFUND'>;

const NOT_PAID_STATES: ReadonlySet<string> = new Set<NotPaidState>([
  'NOTPAY',
  'USERPAYING',
  'PAYERROR',
  'ACCEPT',
  'CLOSED',
  'REVOKED',
]);

/**
 * What a query says of an order that WeChat knows. The payment is read only where there is one.
 *
 * @throws {WechatPayMalformedMessageError} for a `trade_state` that there is not.
 */
export function judgeTradeState(
  tradeState: string,
  readPayment: () => PaymentEvidence,
): QueryResult {
  if (tradeState === 'SUCCESS' || tradeState === 'REFUND') {
    return { kind: 'paid', refunded: tradeState === 'REFUND', payment: readPayment() };
  }
  if (!NOT_PAID_STATES.has(tradeState)) {
    throw new WechatPayMalformedMessageError('the answer has an unknown trade_state');
  }
  return { kind: 'not-paid', tradeState: tradeState as NotPaidState };
}

/** A refusal in WeChat's own words. */
interface Refusal {
  readonly code: string;
  readonly text: string;
}

/** WeChat takes no order that has less than 5 minutes left; half a minute for the clocks to differ. */
const LEAST_LIFE_MS = 330_000;

/** What WeChat answers, among much else, to a `time_expire` that is too near; v2 also without a code. */
const CODES_OF_BAD_TIME: ReadonlySet<string> = new Set(['PARAM_ERROR', 'INVALID_REQUEST', '']);

/**
 * Whether an order was refused because its time is nearly over. Both have to say so, WeChat's words
 * and the clock: any other refusal keeps its own code, and a time that is refused though there is
 * enough of it is a fault of ours.
 */
function isTooLate(
  { code, text }: Refusal,
  { expiresAtEpochSeconds }: Pick<StoredOrder, 'expiresAtEpochSeconds'>,
  nowMs: number,
): boolean {
  return (
    CODES_OF_BAD_TIME.has(code) &&
    text.includes('time_expire') &&
    expiresAtEpochSeconds * 1000 - nowMs < LEAST_LIFE_MS
  );
}

/** The buyer's account, in the codes of both versions; v2 names it also by a text alone. */
const CODES_OF_BUYER: ReadonlySet<string> = new Set([
  'NOTENOUGH',
  'NOT_ENOUGH',
  'ACCOUNTERROR',
  'ACCOUNT_ERROR',
  'USER_ACCOUNT_ABNORMAL',
]);
const TEXT_OF_BUYER = /用户.*([帐账][号户]|余额|额度|限额|超限)|余额不足/;

const isAboutBuyer = ({ code, text }: Refusal) =>
  CODES_OF_BUYER.has(code) || (code === '' && TEXT_OF_BUYER.test(text));

/** The buyer is entering the password for this very order: it passes. */
const CODES_OF_PAYING: ReadonlySet<string> = new Set(['USERPAYING', 'USER_PAYING']);

/**
 * What a refused order comes to, signed or not: none of it says anything of a payment. Whatever is
 * none of its results is thrown on.
 */
export function judgeRefusedOrder(
  error: unknown,
  order: Pick<StoredOrder, 'expiresAtEpochSeconds'>,
  nowMs: number,
): PrepayResult {
  if (!(error instanceof WechatPayServiceError)) {
    throw error;
  }
  const { wechatCode: code, wechatText: text } = error;
  if (isTooLate({ code, text }, order, nowMs)) {
    return { kind: 'too-late' };
  }
  if (isAboutBuyer({ code, text })) {
    return { kind: 'buyer-refused', reason: error.message };
  }
  throw CODES_OF_PAYING.has(code) ? new WechatPayServiceError('unknown', code, text) : error;
}

/**
 * The time of a payment, or no number when WeChat's text is none: that is not what the protocol
 * allows, yet the payment may be real, so it is held against the order and not thrown away.
 */
export function timeOrNaN(read: (text: string) => number, text: string): number {
  try {
    return read(text);
  } catch {
    return Number.NaN;
  }
}

const MAX_BANK_CODE_LENGTH = 64;

/** What a payment was made with, for the record only: what is no short text is left out. */
export const toBankCode = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' && value.length <= MAX_BANK_CODE_LENGTH
    ? value
    : undefined;

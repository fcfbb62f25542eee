/** Judgements of an answer that do not depend on the API version. */
import { ConfigError, WechatPayMalformedMessageError } from '../errors.ts';
import type { PaymentEvidence } from '../order/transition.ts';
import { OWNERS_FAULTS } from './remedy.ts';
import type { QueryResult, StoredOrder, TradeState } from './operations.ts';

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
export function isTooLate(
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

/** @throws {ConfigError} when an order was made for another merchant than the secret's. */
export function assertOurMerchant(mchid: string | undefined, secret: { mchid: string }): void {
  if (mchid !== secret.mchid) {
    throw new ConfigError(
      `an order belongs to merchant ${mchid}, but the secret is that of merchant ${secret.mchid}`,
      undefined,
      OWNERS_FAULTS.mchid.where,
    );
  }
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

/** Judgements of an answer that do not depend on the API version. */
import { ConfigError, WechatPayMalformedMessageError } from '../errors.ts';
import type { PaymentEvidence } from '../order/transition.ts';
import type { QueryResult, TradeState } from './operations.ts';

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

/** @throws {ConfigError} when an order was made for another merchant than the secret's. */
export function assertOurMerchant(mchid: string | undefined, secret: { mchid: string }): void {
  if (mchid !== secret.mchid) {
    throw new ConfigError(
      `an order belongs to merchant ${mchid}, but the secret is that of merchant ${secret.mchid}`,
    );
  }
}

/** What WeChat is asked about a refund, and what comes of it, in words that hold for every API version. */
import type { OrderId } from '../order/order-id.ts';
import type { Parties } from '../order/parties.ts';
import type { StoredRequest } from '../order/stored-request.ts';
import type {
  RefundEvidence,
  RefundFacts,
  RefundFailure,
  RefundGoods,
  WaitingFor,
} from '../refund/refund.ts';

/** Which of the merchant's funds a refund is paid from (退款资金来源); without it WeChat's default. */
export type FundsAccount = 'AVAILABLE' | 'UNSETTLED';

/** Which refund a call is about; what WeChat answers is compared with all of it. */
export interface RefundReference extends Parties, RefundFacts {}

/** A refund that WeChat reported: its amount is what WeChat's own answer says. */
export interface RefundLookup extends Parties, Omit<RefundFacts, 'refundFen'> {
  /** Compared with the answer where it is known. */
  readonly refundFen?: number | undefined;
}

/** What a new refund says to WeChat. Amounts in fen. */
export interface RefundOrder extends RefundReference, OrderId {
  /** Shown to the buyer. */
  readonly reason?: string | undefined;
  readonly goods?: readonly RefundGoods[] | undefined;
  readonly fundsAccount?: FundsAccount | undefined;
  readonly notifyBaseUrl: string;
}

/** A refund as its row keeps it, with the request that a repeat sends again unchanged. */
export interface StoredRefund extends RefundReference {
  readonly refundRequest: StoredRequest;
}

/**
 * What came of a request to refund. `mayHaveReached`: an attempt of this call, fail-over included,
 * may have been carried out; false only if each was not sent, was refused in the TLS handshake, or
 * was answered by a verified refusal that says that nothing was done.
 *
 * - `refused`: for good.
 * - `waiting`: for the merchant's money, or for a setting that the owner has to mend.
 * - `unknown`: the same again later, under the same number; `slower`: WeChat was asked too often.
 */
export type RefundResult =
  | { readonly kind: 'accepted'; readonly refund: RefundEvidence }
  | {
      readonly kind: 'refused';
      readonly failure: RefundFailure;
      readonly mayHaveReached: boolean;
    }
  | {
      readonly kind: 'waiting';
      readonly waitingFor: Exclude<WaitingFor, 'PAUSE'>;
      readonly failure: RefundFailure;
      readonly mayHaveReached: boolean;
      /** For the log: where a setting is to be mended. */
      readonly cause?: unknown;
    }
  | {
      readonly kind: 'unknown';
      readonly failure: RefundFailure;
      readonly mayHaveReached: boolean;
      readonly slower: boolean;
      /** For the log. */
      readonly cause?: unknown;
    };

export type RefundQueryResult =
  | { readonly kind: 'found'; readonly refund: RefundEvidence }
  | { readonly kind: 'not-found' };

/** What an API version has no call for. */
export interface NotOffered {
  readonly kind: 'not-offered';
}

/** Every refund of an order that WeChat tells, also those made in the console. */
export type RefundListResult =
  | { readonly kind: 'listed'; readonly refunds: readonly RefundEvidence[] }
  | NotOffered;

/** Where the money of an `ABNORMAL` refund goes instead. */
export type AbnormalRefundTarget =
  | { readonly kind: 'MERCHANT_ACCOUNT' }
  | {
      readonly kind: 'BUYER_CARD';
      readonly bankType: string;
      readonly bankAccount: string;
      readonly realName: string;
    };

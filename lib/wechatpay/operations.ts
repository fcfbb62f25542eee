/**
 * What the rest of the system asks of WeChat Pay, in words that hold for every API version. Wire
 * names stay inside the version's own folder.
 */
import type { OrderDetail, OrderOptions } from '../order/options.ts';
import type { OrderId } from '../order/order-id.ts';
import type { Order } from '../order/order.ts';
import type { Parties } from '../order/parties.ts';
import type { StoredRequest } from '../order/stored-request.ts';
import type { PaymentEvidence } from '../order/transition.ts';
import type { VerifiedMessage } from './verified-message.ts';
import type { Refund, RefundEvidence, RefundSource } from '../refund/refund.ts';
import type { BillFile, BillReference, TradeBillResult } from './bill-file.ts';
import type {
  AbnormalRefundTarget,
  NotOffered,
  RefundListResult,
  RefundOrder,
  RefundQueryResult,
  RefundLookup,
  RefundReference,
  RefundResult,
  StoredRefund,
} from './refund-results.ts';

/** States of an order at WeChat Pay (`trade_state`). */
export type TradeState =
  | 'NOTPAY'
  | 'USERPAYING'
  | 'PAYERROR'
  | 'ACCEPT'
  | 'SUCCESS'
  | 'REFUND'
  | 'CLOSED'
  | 'REVOKED';

/** What a new order says to WeChat. Amounts in fen, times in epoch seconds. */
export interface PrepayOrder extends OrderId, Parties {
  readonly openid: string;
  readonly description: string;
  readonly attach?: string | undefined;
  readonly detail?: OrderDetail | undefined;
  readonly options?: OrderOptions | undefined;
  readonly totalFen: number;
  readonly clientIp: string;
  readonly createdAtEpochSeconds: number;
  readonly expiresAtEpochSeconds: number;
  readonly notifyBaseUrl: string;
}

/** An order as its row keeps it: what it takes to create it at WeChat and to sign for the phone. */
export type StoredOrder = Pick<
  Order,
  keyof Parties | 'outTradeNo' | 'expiresAtEpochSeconds' | 'prepayRequest'
>;

/**
 * What came of creating an order. `too-late`: WeChat takes no order any more that has so little
 * time left, and did not say so of any other fault.
 */
export type PrepayResult =
  | { readonly kind: 'placed'; readonly prepayId: string }
  | { readonly kind: 'already-paid' }
  | { readonly kind: 'closed' }
  | { readonly kind: 'too-late' }
  | { readonly kind: 'buyer-refused'; readonly reason: string };

/** Arguments of `wx.requestPayment`, ready to pass on. */
export interface RequestPayment {
  /** Epoch seconds as a string: some phones refuse a number. */
  readonly timeStamp: string;
  readonly nonceStr: string;
  readonly package: string;
  readonly signType: string;
  readonly paySign: string;
}

/** A verified answer to a query: paid, known but not paid, or unknown to WeChat. */
export type QueryResult =
  | { readonly kind: 'paid'; readonly refunded: boolean; readonly payment: PaymentEvidence }
  | { readonly kind: 'not-paid'; readonly tradeState: Exclude<TradeState, 'SUCCESS' | 'REFUND'> }
  | { readonly kind: 'not-found' };

/**
 * How a request to close ended: `already-paid` means that a payment won the race, `paying` that
 * the buyer is at it this moment, `not-yet` that the order is too young or in no state to be closed.
 */
export type CloseResult = 'closed' | 'already-paid' | 'not-found' | 'paying' | 'not-yet';

/** Which order a query or close is about, with the parties it was created with. */
export interface OrderReference extends Parties {
  readonly outTradeNo: string;
}

/** Limit of one call to WeChat, connection, fail-over and answer together. */
export interface CallOptions {
  readonly timeoutMs: number;
}

/** A message that claims to come from WeChat: header names in any case, the body's exact bytes. */
export interface UnverifiedNotification {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
}

/**
 * A refund that WeChat reports. Enough to know what to ask about, and no more: a v2 message of this
 * kind carries no signature, so it is a hint and never evidence.
 */
export interface RefundHint {
  readonly outTradeNo: string;
  readonly transactionId: string;
  readonly outRefundNo: string;
  readonly refundId: string;
  readonly refundFen: number;
  /** `SUCCESS`: the buyer has the money; `PROCESSING`: not yet. Else it went back to the merchant. */
  readonly status: RefundEvidence['status'];
  /** Who asked for it, where WeChat says so (v2). */
  readonly source?: Exclude<RefundSource, 'AUTOMATIC'> | undefined;
}

/**
 * What a notification is about. `evidence` of a refund: it is proved to have ended like this, by a
 * signed message of v3 that says `SUCCESS` or `CLOSED`. Everything else says what to ask about.
 */
export type Notification =
  | { readonly kind: 'payment'; readonly payment: PaymentEvidence }
  | {
      readonly kind: 'refund';
      readonly refund: RefundHint;
      readonly evidence?: RefundEvidence | undefined;
    };

/** The same with the message itself, as it may be kept. */
export type ParsedNotification = Notification & { readonly message: VerifiedMessage };

/** The body that WeChat reads as "received" or "send it again", with its HTTP status. */
export interface Acknowledgement {
  readonly statusCode: number;
  readonly contentType: string;
  readonly body: string;
}

/** Why a notification is not taken as received. */
export interface NotificationFailure {
  readonly statusCode: number;
  readonly code: string;
}

/** Orders of one API version: create, sign for the phone, ask, close. */
export interface Orders {
  /** The request that creates an order, to be stored before it is sent. Does no I/O. */
  buildPrepayRequest(order: PrepayOrder): StoredRequest;
  /**
   * Creates the order at WeChat, or repeats it unchanged. A `prepay_id` is good for 2 hours. Any
   * refusal that is no `PrepayResult` is thrown with WeChat's own code.
   */
  prepay(order: StoredOrder, options: CallOptions): Promise<PrepayResult>;
  /** Signs a `prepay_id` for `wx.requestPayment` with the keys and algorithm of the order. */
  buildRequestPayment(order: StoredOrder, prepayId: string): Promise<RequestPayment>;
  queryOrder(order: OrderReference, options: CallOptions): Promise<QueryResult>;
  closeOrder(order: OrderReference, options: CallOptions): Promise<CloseResult>;
}

/** Refunds of one API version. */
export interface Refunds {
  /**
   * The request that creates a refund, to be stored before it is sent. Does no I/O.
   *
   * @throws {InvalidRequestError} for what the version has no field for.
   */
  buildRefundRequest(refund: RefundOrder): StoredRequest;
  /**
   * Asks WeChat to refund, or repeats that unchanged. Whatever fails once something may have been
   * sent is a result; an error means that nothing was.
   */
  refund(refund: StoredRefund, options: CallOptions): Promise<RefundResult>;
  /** @throws {RefundMismatchError} when WeChat knows the number for another refund. */
  queryRefund(refund: RefundLookup, options: CallOptions): Promise<RefundQueryResult>;
  /** v3 has no such call. */
  listRefunds(
    order: OrderReference & Pick<Refund, 'transactionId' | 'totalFen'>,
    options: CallOptions,
  ): Promise<RefundListResult>;
  /** Gives an `ABNORMAL` refund another way; v2 has no such call. Fails as `refund` does. */
  endAbnormal(
    refund: RefundReference & { readonly refundId: string },
    to: AbnormalRefundTarget,
    options: CallOptions,
  ): Promise<RefundResult | NotOffered>;
}

/** Bills of one API version (对账单), opened by `open-bills.ts` alone: most functions need none. */
export interface Bills {
  /**
   * Brings the trade bill (交易账单) of a day into a file, all kinds of rows in it. What is asked again
   * later by itself is a result; a fault that only the owner can mend is thrown.
   *
   * @param options for the whole of it: what a bill needs is minutes and not seconds.
   */
  downloadTradeBill(
    bill: BillReference,
    file: BillFile,
    options: CallOptions,
  ): Promise<TradeBillResult>;
}

/** Notifications of one API version. */
export interface Notifications {
  /**
   * What a notification says, once it is proved that WeChat said it, to our merchant, and lately
   * (v3) or at any time (v2, whose signature has no date).
   */
  parseNotification(message: UnverifiedNotification): Promise<ParsedNotification>;
}

/**
 * The operations of one API version: an interface, and a file in each version, for every product.
 * All verify what WeChat answers before they return it, and throw `WechatPayTransportError`,
 * `WechatPayServiceError`, `WechatPaySignatureError` or `WechatPayMalformedMessageError`.
 */
export interface WechatPay extends Orders, Refunds, Notifications {}

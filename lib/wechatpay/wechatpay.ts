/**
 * What the rest of the system asks of WeChat Pay, in words that hold for every API version. Wire
 * names stay inside the version's own folder.
 */

export type ApiVersion = 'v2';

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
export interface PrepayOrder {
  readonly outTradeNo: string;
  readonly appid: string;
  readonly mchid: string;
  readonly openid: string;
  readonly description: string;
  readonly attach?: string | undefined;
  readonly totalFen: number;
  readonly clientIp: string;
  readonly createdAtEpochSeconds: number;
  readonly expiresAtEpochSeconds: number;
  readonly notifyBaseUrl: string;
}

/**
 * A request to create an order, exactly as it goes to WeChat except for what changes each time
 * (nonce, signature). Stored with the order: WeChat takes a repeat only if nothing differs.
 */
export type PrepayRequest = Readonly<Record<string, string>>;

/** Arguments of `wx.requestPayment`, ready to pass on. */
export interface RequestPayment {
  /** Epoch seconds as a string: some phones refuse a number. */
  readonly timeStamp: string;
  readonly nonceStr: string;
  readonly package: string;
  readonly signType: string;
  readonly paySign: string;
}

/** A payment as WeChat reports it, from a verified message. */
export interface Payment {
  readonly outTradeNo: string;
  readonly transactionId: string;
  readonly appid: string;
  readonly mchid: string;
  readonly openid: string;
  /** What was ordered, before coupons; the amount to compare with the order. */
  readonly totalFen: number;
  readonly currency: string;
  readonly bankType?: string | undefined;
  readonly paidAtEpochSeconds: number;
}

/** A verified answer to a query: paid, known but not paid, or unknown to WeChat. */
export type QueryResult =
  | { readonly kind: 'paid'; readonly refunded: boolean; readonly payment: Payment }
  | { readonly kind: 'not-paid'; readonly tradeState: Exclude<TradeState, 'SUCCESS' | 'REFUND'> }
  | { readonly kind: 'not-found' };

/** How a request to close ended; `already-paid` means that a payment won the race. */
export type CloseResult = 'closed' | 'already-paid' | 'not-found';

/** Which order a query or close is about, and by when an answer is needed. */
export interface OrderReference {
  readonly outTradeNo: string;
  readonly appid: string;
}

/** Limit of one call to WeChat, connection, fail-over and answer together. */
export interface CallOptions {
  readonly timeoutMs: number;
}

/** The body that WeChat reads as "received" or "send it again", with its HTTP status. */
export interface Acknowledgement {
  readonly statusCode: number;
  readonly contentType: string;
  readonly body: string;
}

/**
 * The operations of one API version. All verify what WeChat answers before they return it, and
 * throw `WechatPayTransportError`, `WechatPayServiceError`, `WechatPaySignatureError` or
 * `WechatPayMalformedMessageError`.
 */
export interface WechatPay {
  readonly apiVersion: ApiVersion;
  /** The request that creates an order, to be stored before it is sent. Does no I/O. */
  buildPrepayRequest(order: PrepayOrder): PrepayRequest;
  /**
   * Creates the order at WeChat, or repeats it unchanged. Answers a `prepay_id` good for 2 hours.
   *
   * @throws {OrderConflictError} when WeChat knows the order as paid or closed.
   */
  prepay(request: PrepayRequest, options: CallOptions): Promise<string>;
  /** Signs a `prepay_id` for `wx.requestPayment` with the keys and algorithm of the order. */
  buildRequestPayment(request: PrepayRequest, prepayId: string): Promise<RequestPayment>;
  queryOrder(order: OrderReference, options: CallOptions): Promise<QueryResult>;
  closeOrder(order: OrderReference, options: CallOptions): Promise<CloseResult>;
  /** The payment in a notification, after its signature held and its merchant is ours. */
  parseNotification(body: Uint8Array): Promise<Payment>;
  /** The answer to a notification; without a code it means "received". */
  acknowledge(failure?: { readonly statusCode: number; readonly code: string }): Acknowledgement;
}

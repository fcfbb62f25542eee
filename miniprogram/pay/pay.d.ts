/**
 * The interface of the client. Amounts in fen, times in ISO 8601 (UTC).
 *
 * `createPay` is checked against this file, so it is also what a TypeScript mini-program compiles
 * against.
 */

export type Language = 'zh-CN' | 'en';

/** What the client uses of WeChat's `wx`. */
export type PayWx = Pick<
  WechatMiniprogram.Wx,
  'login' | 'request' | 'requestPayment' | 'getStorageSync' | 'setStorageSync'
>;

export interface PayOptions {
  /** Address of the API, such as `https://pay.example.com`. */
  readonly baseUrl: string;
  /** Language of every `message`; default `zh-CN`. */
  readonly language?: Language;
  /** WeChat's global `wx` unless another is given. */
  readonly wx?: PayWx;
  readonly now?: () => number;
  readonly wait?: (ms: number) => Promise<void>;
}

export interface Pay {
  /**
   * A valid session token, from storage or a new `wx.login`. `pay` logs in by itself; calling this
   * in `onLaunch` only makes the first payment quicker. Never rejects.
   */
  login(): Promise<LoginResult>;

  /**
   * One payment from the tap to a result that the server has confirmed. Never rejects. A second
   * tap on the same order joins the first. The same order after a lost answer, a cancellation or a
   * restart is carried on, not made again, as long as it can be paid.
   */
  pay(order: OrderToPay): Promise<PayResult>;

  /** What became of an order: asks the server, never WeChat's callback. Never rejects. */
  resume(outTradeNo: string): Promise<PayResult>;

  /**
   * Gives an unpaid order up. Never rejects, and can be repeated. Ask the buyer first: a closed order
   * cannot be paid any more.
   */
  close(outTradeNo: string): Promise<CloseResult>;

  /**
   * Finishes what an earlier run, an app switch or a lost network left open; call it in `onShow`.
   * A payment that `pay` is still working on is reported by `pay` alone. Never rejects.
   */
  resumePending(): Promise<readonly PayResult[]>;
}

export type LoginResult = { readonly token: string; readonly status?: never } | FailedResult;

export type OrderToPay = (
  | {
      readonly items: readonly OrderItem[];
      /** Your own note on the order; the buyer does not see it. */
      readonly attach?: string;
    }
  /** A price that your own backend signed. */
  | { readonly quote: string }
  /** An unpaid order of this buyer. */
  | { readonly outTradeNo: string }
) & {
  /** What the buyer was shown; when it differs nothing is charged: `price-changed`. */
  readonly expectedTotalFen?: number;
};

export interface OrderItem {
  readonly sku: string;
  readonly quantity: number;
  /** Only where the buyer chooses the amount, such as a deposit. */
  readonly amountFen?: number;
}

export interface Order {
  readonly outTradeNo: string;
  /** WeChat's `trade_state`. */
  readonly tradeState: 'NOTPAY' | 'SUCCESS' | 'REFUND' | 'CLOSED';
  /** The buyer gave it up and WeChat has not closed it yet; it ends by itself. */
  readonly closing?: true;
  readonly totalFen: number;
  readonly description: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly paidAt?: string;
  readonly transactionId?: string;
  /** What came back or is on its way; with the state `SUCCESS` WeChat has not taken it up yet. */
  readonly refundedFen?: number;
}

export type PayResult = PaidResult | CancelledResult | FailedResult | UnknownResult;

/** `failed` says nothing of the order: it is as it was, or it is being closed. */
export type CloseResult = ClosedResult | ClosingResult | PaidResult | FailedResult;

/** WeChat has closed it: nobody can pay it any more, and nothing was charged. */
export interface ClosedResult {
  readonly status: 'closed';
  readonly order: Order;
}

/**
 * It cannot be closed yet; the server does so as soon as WeChat lets it. Until then a payment that is
 * under way can still win.
 */
export interface ClosingResult {
  readonly status: 'closing';
  readonly order: Order;
}

/** The server has WeChat's word for it. The order may have been refunded since. */
export interface PaidResult {
  readonly status: 'paid';
  readonly order: Order;
}

/** The buyer left without paying and the server finds it unpaid. It can still be paid. */
export interface CancelledResult {
  readonly status: 'cancelled';
  readonly order: Order;
}

/** Nothing was charged. */
export interface FailedResult extends Failure {
  readonly status: 'failed';
  readonly order?: Order;
}

/** Nobody knows yet: the buyer may have paid, so do not ask for the money again. */
export interface UnknownResult extends Failure {
  readonly status: 'unknown';
  readonly outTradeNo: string;
  /** Asks again. */
  resume(): Promise<PayResult>;
}

export interface Failure {
  readonly reason: FailureReason;
  /** May be shown to the buyer, in their language. */
  readonly message: string;
  /** Whether the same tap may succeed in a moment. */
  readonly retryable?: boolean;
  /** With `price-changed`: the price now. */
  readonly totalFen?: number;
  /** Finds the call in the server's log. */
  readonly requestId?: string | undefined;
  /** The API's own error code. */
  readonly code?: string;
  /** 0 when no answer came. */
  readonly httpStatus?: number;
  /** WeChat's own words, for the developer. */
  readonly errMsg?: string | undefined;
}

export type FailureReason =
  | InputReason
  | PaymentReason
  | ServerReason
  /** No answer, or none of the API's own. */
  | 'network'
  /** The buyer gave the order up; it is not closed yet. */
  | 'order-closing'
  /** Of every `unknown` result. */
  | 'unknown';

/** The order is incomplete; nothing was sent. */
export type InputReason =
  | 'items-missing'
  | 'amount-zero'
  | 'order-number-missing'
  /** Another payment is in progress. */
  | 'busy';

/** `wx.requestPayment` failed, and the server found the order unpaid. */
export type PaymentReason =
  | 'payment-failed'
  | 'payment-expired'
  | 'payment-invalid'
  | 'payment-not-allowed'
  | 'payment-not-here'
  | 'payment-wrong-account';

/** The API's error codes, in lower case and with hyphens. */
export type ServerReason =
  | 'invalid-json'
  | 'body-too-large'
  | 'invalid-request'
  | 'amount-invalid'
  | 'quantity-invalid'
  | 'text-too-long'
  | 'idempotency-key-required'
  | 'idempotency-key-invalid'
  | 'idempotency-key-reused'
  | 'product-not-found'
  /** Sold through WeChat's virtual payment only (虚拟支付). */
  | 'too-many-open-orders'
  | 'virtual-goods-not-allowed'
  | 'quote-invalid'
  | 'quote-expired'
  | 'quote-for-other-buyer'
  | 'price-changed'
  | 'order-already-paid'
  | 'order-closed'
  | 'order-expired'
  | 'order-exists'
  /** The buyer's account at WeChat: its balance, limits or state. */
  | 'buyer-account-refused'
  | 'order-not-found'
  | 'unauthenticated'
  | 'token-expired'
  | 'login-code-invalid'
  | 'login-code-used'
  | 'login-too-often'
  | 'login-user-blocked'
  /** The server's storage is busy; nothing was decided. */
  | 'temporarily-unavailable'
  | 'weixin-busy'
  | 'wechat-unreachable'
  | 'wechat-pay-busy'
  | 'wechat-pay-refused'
  | 'signature-invalid'
  | 'malformed-message'
  | 'transaction-mismatch'
  | 'order-unreadable'
  | 'config-error'
  | 'internal-error';

/** A client for one API. Make one and keep it, for example in `app.js`. */
export function createPay(options: PayOptions): Pay;

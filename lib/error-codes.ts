/** The stable codes of errors, by what the caller can do about them. */

/** Codes of errors that the caller can mend. */
export type RequestErrorCode =
  | 'INVALID_JSON'
  | 'BODY_TOO_LARGE'
  | 'INVALID_REQUEST'
  | 'AMOUNT_INVALID'
  | 'QUANTITY_INVALID'
  | 'TEXT_TOO_LONG'
  | 'IDEMPOTENCY_KEY_REQUIRED'
  | 'IDEMPOTENCY_KEY_INVALID'
  | 'IDEMPOTENCY_KEY_REUSED'
  | 'PRODUCT_NOT_FOUND'
  | 'VIRTUAL_GOODS_NOT_ALLOWED'
  | 'QUOTE_INVALID'
  | 'QUOTE_EXPIRED'
  | 'QUOTE_FOR_OTHER_BUYER';

export type OrderConflictCode =
  | 'PRICE_CHANGED'
  | 'ORDER_ALREADY_PAID'
  | 'ORDER_CLOSED'
  | 'ORDER_EXPIRED'
  | 'ORDER_EXISTS'
  | RefundConflictCode;

/** What an order, or one of its refunds, does not allow the merchant's systems. */
type RefundConflictCode =
  | 'ORDER_NOT_PAID'
  | 'REFUND_EXCEEDS_PAYMENT'
  | 'REFUND_NUMBER_TAKEN'
  | 'REFUND_LIMIT_REACHED'
  | 'REFUND_EXPIRED'
  | 'REFUND_NOT_ABNORMAL'
  | 'REFUND_END_NOT_OFFERED'
  | 'REFUND_END_DECIDED'
  | 'REFUND_END_REFUSED';

export type LoginErrorCode =
  | 'LOGIN_CODE_INVALID'
  | 'LOGIN_CODE_USED'
  | 'LOGIN_TOO_OFTEN'
  | 'LOGIN_USER_BLOCKED'
  | 'WEIXIN_BUSY';

/** Codes that only the merchant's own systems can get. */
export type MerchantErrorCode = RefundConflictCode | 'REFUND_NOT_FOUND' | 'CALLER_UNKNOWN';

export type ErrorCode =
  | MerchantErrorCode
  | RequestErrorCode
  | OrderConflictCode
  | LoginErrorCode
  | 'UNAUTHENTICATED'
  | 'TOO_MANY_OPEN_ORDERS'
  | 'TOKEN_EXPIRED'
  | 'BUYER_ACCOUNT_REFUSED'
  | 'ORDER_NOT_FOUND'
  | 'TEMPORARILY_UNAVAILABLE'
  | 'WECHAT_UNREACHABLE'
  | 'WECHAT_PAY_BUSY'
  | 'WECHAT_PAY_REFUSED'
  | 'SIGNATURE_INVALID'
  | 'MALFORMED_MESSAGE'
  | 'ORDER_UNREADABLE'
  | 'CONFIG_ERROR';

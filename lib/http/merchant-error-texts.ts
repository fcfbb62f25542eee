/** HTTP status and text of the errors that only the merchant's own systems can get. */
import type { MerchantErrorCode } from '../errors.ts';

/** `{name}` is replaced by the error's parameter of that name. */
export interface ErrorText {
  readonly status: number;
  /** After how long the same request may do better; the header `Retry-After`. */
  readonly retryAfterSeconds?: number;
  readonly en: string;
  readonly zh: string;
}

export const MERCHANT_ERROR_TEXTS: Readonly<Record<MerchantErrorCode, ErrorText>> = {
  ORDER_NOT_PAID: {
    status: 409,
    en: 'Nothing was paid for the order yet, so nothing can be refunded.',
    zh: '该订单尚未支付，无法退款。',
  },
  REFUND_EXCEEDS_PAYMENT: {
    status: 409,
    en: 'Only {refundableFen} fen of the order can still be refunded.',
    zh: '该订单可退金额仅剩 {refundableFen} 分。',
  },
  REFUND_NUMBER_TAKEN: {
    status: 409,
    en: 'The number {outRefundNo} belongs to another refund; use a new one.',
    zh: '退款单号 {outRefundNo} 已被其他退款使用，请更换。',
  },
  REFUND_LIMIT_REACHED: {
    status: 409,
    en: 'WeChat Pay takes {max} refunds of one order, and the order has had them.',
    zh: '微信支付规定一笔订单最多退款 {max} 次，该订单已达上限。',
  },
  REFUND_EXPIRED: {
    status: 409,
    en: 'WeChat Pay refunds a payment for a year, and that is over.',
    zh: '已超过微信支付规定的一年退款期限。',
  },
  REFUND_NOT_FOUND: {
    status: 404,
    en: 'The order has no such refund.',
    zh: '该订单没有这笔退款。',
  },
  REFUND_NOT_ABNORMAL: {
    status: 409,
    en: 'The refund is {status}; only an ABNORMAL one needs a decision.',
    zh: '该退款状态为 {status}，只有 ABNORMAL 的退款需要处理。',
  },
  REFUND_END_NOT_OFFERED: {
    status: 409,
    en: 'Refunds of API v2 cannot be ended through WeChat Pay: pay otherwise, or use the merchant console.',
    zh: 'API v2 的异常退款无法通过接口处理：请线下退款，或在商户平台处理。',
  },
  REFUND_END_DECIDED: {
    status: 409,
    en: 'What becomes of this refund was decided already, under another Idempotency-Key.',
    zh: '该异常退款已由另一个 Idempotency-Key 处理。',
  },
  REFUND_END_REFUSED: {
    status: 409,
    en: 'WeChat Pay refused: {wechatCode}, {wechatText}. Nothing has changed.',
    zh: '微信支付拒绝了该处理：{wechatCode}，{wechatText}。退款状态未变。',
  },
  CALLER_UNKNOWN: {
    status: 403,
    en: "This route is for the merchant's own systems: it must be called with AWS Signature Version 4.",
    zh: '该接口仅供商户自己的系统调用：请使用 AWS Signature Version 4 签名。',
  },
};

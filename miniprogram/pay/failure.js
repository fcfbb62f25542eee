/** Why nothing was charged, in words for the buyer. */
/** @import { FailedResult, FailureReason, Language, PaymentReason } from './pay.js' */

/**
 * What a buyer may read; the API words its own errors.
 *
 * @type {Partial<Record<FailureReason, readonly [zh: string, en: string]>>}
 */
const MESSAGES = {
  'items-missing': ['请选择商品', 'Choose what to buy.'],
  'amount-zero': ['金额必须大于 0', 'The amount must be above 0.'],
  'order-number-missing': ['缺少订单号', 'The order number is missing.'],
  busy: ['正在支付另一笔订单', 'Another payment is in progress.'],
  network: ['网络异常，请重试', 'No connection. Please try again.'],
  'order-closed': ['订单已关闭', 'The order is closed.'],
  'order-closing': ['订单正在关闭', 'The order is being closed.'],
  unknown: ['确认中，请勿重复支付', 'Being confirmed. Do not pay again.'],
  'payment-not-allowed': ['商家暂不能收款', 'The shop cannot be paid now.'],
  'payment-wrong-account': ['请用下单的微信号支付', 'Pay with the account that ordered.'],
  'payment-not-here': ['请在手机上用新版微信支付', 'Pay in the newest WeChat on a phone.'],
  'payment-expired': ['已过期，请重新支付', 'Expired. Please pay again.'],
  'payment-invalid': ['支付参数有误，请联系商家', 'Invalid payment. Please tell the shop.'],
  'payment-failed': ['支付未完成', 'The payment failed.'],
};

/**
 * Known texts of `requestPayment:fail …` in WeChat's two languages. The first match counts.
 *
 * @type {readonly (readonly [RegExp, PaymentReason])[]}
 */
const PAYMENT_FAILURES = [
  [/denied|bridge|method|支付方式/i, 'payment-not-here'],
  [/permission|banned|权限/i, 'payment-not-allowed'],
  [/openid|account|账号/i, 'payment-wrong-account'],
  // The phone says "total_fee" when it cannot use the prepay_id, most often because it is too old.
  [/total_fee|expire|过期/i, 'payment-expired'],
  [/sign|param|签名|参数/i, 'payment-invalid'],
];

/** @typedef {ReturnType<typeof createFailure>} CreateFailedResult */

/**
 * @param {Language} language
 * @returns {(reason: FailureReason, more?: Partial<FailedResult>) => FailedResult}
 */
const createFailure = (language) => (reason, more) => ({
  status: 'failed',
  reason,
  message: MESSAGES[reason]?.[language === 'en' ? 1 : 0] ?? '',
  ...more,
});

/**
 * Why WeChat's payment sheet did not take the money.
 *
 * @param {string} errMsg
 * @returns {PaymentReason}
 */
function sheetReason(errMsg) {
  const [, reason] = PAYMENT_FAILURES.find(([pattern]) => pattern.test(errMsg)) ?? [];
  return reason ?? 'payment-failed';
}

module.exports = { createFailure, sheetReason };

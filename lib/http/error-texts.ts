/** HTTP status and text of every error, in the two languages of the product. */
import { type ErrorCode, type ErrorParameters, fillIn } from '../errors.ts';
import { type ErrorText, MERCHANT_ERROR_TEXTS } from './merchant-error-texts.ts';
import { type Language, problemText } from './problem-texts.ts';

/** Codes that exist only at the edge: no handler raises them on purpose. */
export type PublicErrorCode = ErrorCode | 'INTERNAL_ERROR';

/**
 * `{name}` is replaced by the error's parameter of that name. Texts of 500 and above say nothing
 * about the inside: the log has the reason under the same request id.
 */
export const ERROR_TEXTS: Readonly<Record<PublicErrorCode, ErrorText>> = {
  INVALID_JSON: {
    status: 400,
    en: 'The body is empty or not valid JSON.',
    zh: '请求体为空或不是有效的 JSON。',
  },
  BODY_TOO_LARGE: {
    status: 413,
    en: 'The body is larger than {maxBytes} bytes.',
    zh: '请求体超过 {maxBytes} 字节。',
  },
  INVALID_REQUEST: {
    status: 400,
    en: 'Invalid {field}: {problem}.',
    zh: '参数 {field} 无效：{problem}。',
  },
  AMOUNT_INVALID: {
    status: 400,
    en: '{field} must be a whole number of fen from {min} to {max}.',
    zh: '{field} 必须是以分为单位的整数，范围 {min} 到 {max}。',
  },
  QUANTITY_INVALID: {
    status: 400,
    en: '{field} must be a whole number from {min} to {max}.',
    zh: '{field} 必须是整数，范围 {min} 到 {max}。',
  },
  TEXT_TOO_LONG: {
    status: 400,
    en: '{field} is longer than {maxBytes} bytes in UTF-8 (a Chinese character takes 3).',
    zh: '{field} 的 UTF-8 编码超过 {maxBytes} 字节（一个汉字占 3 字节）。',
  },
  IDEMPOTENCY_KEY_REQUIRED: {
    status: 400,
    en: 'The Idempotency-Key header is required: make one random value for each tap on "pay" and repeat it when you retry.',
    zh: '缺少 Idempotency-Key 请求头：每次点击支付生成一个随机值，重试时使用同一个值。',
  },
  IDEMPOTENCY_KEY_INVALID: {
    status: 400,
    en: 'The Idempotency-Key header must be 1 to 128 visible ASCII characters.',
    zh: 'Idempotency-Key 请求头必须是 1 到 128 个可见 ASCII 字符。',
  },
  IDEMPOTENCY_KEY_REUSED: {
    status: 422,
    en: 'This Idempotency-Key was used for another request ({outTradeNo}); a new request needs a new key.',
    zh: '该 Idempotency-Key 已用于另一个请求（{outTradeNo}）；新的请求请使用新的值。',
  },
  PRODUCT_NOT_FOUND: {
    status: 404,
    en: 'There is no product {sku} for sale.',
    zh: '商品 {sku} 不存在或已下架。',
  },
  VIRTUAL_GOODS_NOT_ALLOWED: {
    status: 403,
    en: "Virtual goods cannot be bought here: {problem}. Since 2026-04-01 mini-programs must sell them through WeChat's virtual payment on every terminal. Nothing was charged. The shop can sell it there, correct its kind if it is not virtual, or set allowVirtualGoods if WeChat permits it.",
    zh: '此处不能购买虚拟商品：{problem}。自 2026-04-01 起，小程序须在所有终端通过微信虚拟支付销售虚拟商品。没有扣款。商家可改用虚拟支付；若并非虚拟商品，请更正其 kind；若已获微信许可，请设置 allowVirtualGoods。',
  },
  QUOTE_INVALID: {
    status: 400,
    en: 'The quote is not valid: {problem}.',
    zh: '报价无效：{problem}。',
  },
  QUOTE_EXPIRED: {
    status: 400,
    en: 'The quote has expired; ask for a new one.',
    zh: '报价已过期，请重新获取。',
  },
  QUOTE_FOR_OTHER_BUYER: {
    status: 403,
    en: 'The quote was made for another buyer.',
    zh: '该报价属于其他用户。',
  },
  PRICE_CHANGED: {
    status: 409,
    en: 'The price is {totalFen} fen now; show it to the buyer and ask again.',
    zh: '价格已变为 {totalFen} 分，请向用户确认后重试。',
  },
  ORDER_ALREADY_PAID: {
    status: 409,
    en: 'The order {outTradeNo} is already paid.',
    zh: '订单 {outTradeNo} 已支付。',
  },
  ORDER_CLOSED: {
    status: 409,
    en: 'The order {outTradeNo} is closed; start a new one.',
    zh: '订单 {outTradeNo} 已关闭，请重新下单。',
  },
  ORDER_EXPIRED: {
    status: 409,
    en: 'The time to pay the order {outTradeNo} is over; start a new one.',
    zh: '订单 {outTradeNo} 已超过支付期限，请重新下单。',
  },
  ORDER_EXISTS: {
    status: 409,
    en: 'An order with this number exists already and differs from the request.',
    zh: '该订单号已存在，且与本次请求不一致。',
  },
  TOO_MANY_OPEN_ORDERS: {
    status: 429,
    retryAfterSeconds: 60,
    en: 'There are {limit} unpaid orders already; pay or close one of them, or wait until it expires.',
    zh: '已有 {limit} 笔未支付的订单，请先支付或关闭其中一笔，或等待其过期。',
  },
  ...MERCHANT_ERROR_TEXTS,
  BUYER_ACCOUNT_REFUSED: {
    status: 403,
    en: 'WeChat Pay takes no payment from this account now, for its balance, limits or state. Nothing was charged; try another account or later.',
    zh: '微信支付目前不接受该账号付款（余额、限额或账号状态）。没有扣款，请更换账号或稍后再试。',
  },
  ORDER_NOT_FOUND: {
    status: 404,
    en: 'There is no such order.',
    zh: '订单不存在。',
  },
  UNAUTHENTICATED: {
    status: 401,
    en: 'Log in first: send "Authorization: Bearer <token>" with a token from POST /login.',
    zh: '请先登录：携带 "Authorization: Bearer <token>"，token 由 POST /login 返回。',
  },
  TOKEN_EXPIRED: {
    status: 401,
    en: 'The login has expired; log in again.',
    zh: '登录已过期，请重新登录。',
  },
  LOGIN_CODE_INVALID: {
    status: 400,
    en: 'The login code is wrong or older than 5 minutes; call wx.login again.',
    zh: '登录 code 无效或已过期（5 分钟），请重新调用 wx.login。',
  },
  LOGIN_CODE_USED: {
    status: 400,
    en: 'The login code was used already; call wx.login again.',
    zh: '登录 code 已被使用，请重新调用 wx.login。',
  },
  LOGIN_TOO_OFTEN: {
    status: 429,
    retryAfterSeconds: 60,
    en: 'Too many logins in a short time; wait a minute.',
    zh: '登录过于频繁，请稍后再试。',
  },
  LOGIN_USER_BLOCKED: {
    status: 403,
    en: 'WeChat blocks this account from logging in.',
    zh: '该微信账号存在风险，暂时无法登录。',
  },
  TEMPORARILY_UNAVAILABLE: {
    status: 503,
    retryAfterSeconds: 2,
    en: 'Nothing was decided, because our storage is busy; repeat the request with the same Idempotency-Key.',
    zh: '系统存储繁忙，尚未作出任何处理，请使用相同的 Idempotency-Key 重试。',
  },
  WEIXIN_BUSY: {
    status: 503,
    retryAfterSeconds: 2,
    en: 'WeChat is busy; call wx.login again in a moment.',
    zh: '微信系统繁忙，请稍后重新调用 wx.login。',
  },
  WECHAT_UNREACHABLE: {
    status: 503,
    retryAfterSeconds: 2,
    en: 'WeChat did not answer in time; repeat the request with the same Idempotency-Key.',
    zh: '微信未及时响应，请使用相同的 Idempotency-Key 重试。',
  },
  WECHAT_PAY_BUSY: {
    status: 503,
    retryAfterSeconds: 2,
    en: 'WeChat Pay is busy; repeat the request with the same Idempotency-Key.',
    zh: '微信支付系统繁忙，请使用相同的 Idempotency-Key 重试。',
  },
  WECHAT_PAY_REFUSED: {
    status: 502,
    en: 'WeChat Pay refused the request; the shop has to look into it.',
    zh: '微信支付拒绝了请求，请联系商家处理。',
  },
  SIGNATURE_INVALID: {
    status: 502,
    en: 'The answer of WeChat Pay could not be verified; nothing was accepted from it.',
    zh: '微信支付的应答验签失败，未予采信。',
  },
  MALFORMED_MESSAGE: {
    status: 502,
    en: 'The answer of WeChat Pay could not be understood; nothing was accepted from it.',
    zh: '微信支付的应答格式有误，未予采信。',
  },
  ORDER_UNREADABLE: {
    status: 500,
    en: 'The record of this order is damaged, and nothing was decided about it; the shop has to look into it.',
    zh: '该订单的记录有误，未做任何处理，请联系商家处理。',
  },
  CONFIG_ERROR: {
    status: 500,
    en: 'Payments are not set up correctly; the shop has to look into it.',
    zh: '支付配置有误，请联系商家处理。',
  },
  INTERNAL_ERROR: {
    status: 500,
    en: 'Something went wrong on our side; the request id helps to find it.',
    zh: '服务器内部错误，请提供请求编号以便排查。',
  },
};

/** The text of an error in one language, with its parameters filled in. */
export function errorText(
  code: PublicErrorCode,
  language: Language,
  parameters: ErrorParameters,
): string {
  const text = ERROR_TEXTS[code];
  const template = language === 'zh-CN' ? text.zh : text.en;
  const { problem } = parameters;
  if (problem === undefined) {
    return fillIn(template, parameters);
  }
  const inWords = problemText(String(problem), language, parameters);
  return fillIn(template, { ...parameters, problem: inWords });
}

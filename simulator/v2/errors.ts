/** Error codes of API v2 with WeChat's texts, and the three ways in which an operation can end. */
import type { Fields } from './wire.ts';

const TEXTS = {
  APPID_MCHID_NOT_MATCH: 'appid和mch_id不匹配',
  APPID_NOT_EXIST: 'APPID不存在',
  BIZERR_NEED_RETRY: '退款业务流程错误，需要商户触发重试来解决',
  CERT_ERROR: '证书校验错误',
  ERROR: '业务错误',
  FREQUENCY_LIMITED: '频率限制，1个月之前的订单申请退款请降低频率再重试。',
  INVALID_REQUEST: '参数错误',
  INVALID_REQ_TOO_MUCH: '无效请求过多',
  INVALID_TRANSACTIONID: '无效transaction_id',
  LACK_PARAMS: '缺少参数',
  MCHID_NOT_EXIST: 'MCHID不存在',
  NOAUTH: '商户无此接口权限',
  NOTENOUGH: '用户帐号余额不足',
  NOT_UTF8: '编码格式错误',
  ORDERCLOSED: '订单已关闭',
  ORDERNOTEXIST: 'order not exist',
  ORDERPAID: '该订单已支付',
  ORDER_NOT_READY: '订单处理中，暂时无法退款，请稍后再试',
  OUT_TRADE_NO_USED: '商户订单号重复',
  PARAM_ERROR: '参数错误',
  POST_DATA_EMPTY: 'post数据为空',
  REFUNDNOTEXIST: '退款订单查询失败',
  REFUND_FEE_MISMATCH: '订单金额或退款金额与之前请求不一致，请核实后再试',
  REQUIRE_POST_METHOD: '请使用post方法',
  SIGNERROR: '签名错误',
  SYSTEMERROR: '系统错误',
  TRADE_OVERDUE: '订单已经超过退款期限',
  TRADE_STATE_ERROR: '订单状态错误',
  USERPAYING: '用户支付中，需要输入密码',
  USER_ACCOUNT_ABNORMAL: '退款请求失败',
  XML_FORMAT_ERROR: 'XML格式错误',
} as const;

export type ErrorCode = keyof typeof TEXTS;
export const ERROR_CODES = Object.keys(TEXTS) as ErrorCode[];
export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(TEXTS, code);

/** The same code at a refund, where it is about something else. */
const TEXTS_OF_REFUNDS: Readonly<Record<string, string>> = {
  NOTENOUGH: '基本账户余额不足，请充值后重新发起',
  ORDERNOTEXIST: '订单不存在',
};

/** What comes without `err_code`, unsigned: WeChat does not know, or does not say, to whom it speaks. */
const GATEWAY_CODES: ReadonlySet<string> = new Set([
  'MCHID_NOT_EXIST',
  'NOT_UTF8',
  'POST_DATA_EMPTY',
  'REQUIRE_POST_METHOD',
  'SIGNERROR',
  'XML_FORMAT_ERROR',
]);

export type Outcome =
  | { readonly kind: 'ok'; readonly fields: Fields }
  | { readonly kind: 'business'; readonly code: ErrorCode; readonly text: string }
  | { readonly kind: 'gateway'; readonly text: string; readonly note?: string };

export const succeed = (fields: Fields): Outcome => ({ kind: 'ok', fields });

/** `return_code=SUCCESS`, `result_code=FAIL`, signed. */
export const fail = (code: ErrorCode, text: string = TEXTS[code]): Outcome => ({
  kind: 'business',
  code,
  text,
});

/** `return_code=FAIL` with a text and nothing else. `note` is for the message log. */
export const failAtGateway = (text: string, note?: string): Outcome => ({
  kind: 'gateway',
  text,
  ...(note === undefined ? {} : { note }),
});

export const failAtGatewayWith = (code: ErrorCode, note?: string) =>
  failAtGateway(TEXTS[code], note ? `${code}: ${note}` : code);

/**
 * The form in which WeChat gives this code at this operation. `signed: false` is `return_code=FAIL`
 * with a text alone, as WeChat does with some mistakes of any kind.
 */
export function failWith(
  code: ErrorCode,
  point: string,
  { signed, text }: { signed?: boolean; text?: string } = {},
): Outcome {
  if (code === 'FREQUENCY_LIMITED' && point === 'unifiedorder') {
    return failAtGateway(text ?? '频率限制', code);
  }
  const shown = text ?? (point === 'refund' ? TEXTS_OF_REFUNDS[code] : undefined) ?? TEXTS[code];
  return signed === false || GATEWAY_CODES.has(code)
    ? failAtGateway(shown, code)
    : fail(code, shown);
}

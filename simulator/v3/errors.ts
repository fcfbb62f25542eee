/** Error codes of API v3 with WeChat's status, texts and internal numbers, and how an operation can end. */
import type { BillFile } from '../book/bills.ts';
import { findBillError } from '../host/bill-error-names.ts';
import type { Fault } from '../host/faults.ts';
import { nameInV3 } from '../host/error-names.ts';

interface Kind {
  readonly status: number;
  readonly text: string;
  /** The digits at the end of `Request-ID`. */
  readonly internal: number;
}

const KINDS = {
  ACCOUNT_ERROR: { status: 403, text: '账号异常', internal: 268443715 },
  APPID_MCHID_NOT_MATCH: { status: 400, text: 'appid和mch_id不匹配', internal: 268445527 },
  BANK_ERROR: { status: 500, text: '银行系统异常', internal: 268435457 },
  FREQUENCY_LIMITED: { status: 429, text: '频率超限', internal: 268447840 },
  INVALID_REQUEST: { status: 400, text: '无效请求', internal: 268435461 },
  MCH_NOT_EXISTS: { status: 400, text: '商户号不存在', internal: 268443701 },
  NO_AUTH: { status: 403, text: '商户无权限', internal: 268443701 },
  NO_STATEMENT_EXIST: { status: 400, text: '账单文件不存在', internal: 268435461 },
  NOT_ENOUGH: { status: 403, text: '余额不足', internal: 268448010 },
  ORDER_CLOSED: { status: 400, text: '订单已关闭', internal: 268447914 },
  ORDER_NOT_EXIST: { status: 404, text: '订单不存在', internal: 268512771 },
  ORDER_PAID: { status: 400, text: '该订单已支付', internal: 268498689 },
  OUT_TRADE_NO_USED: { status: 403, text: '商户订单号重复', internal: 268498688 },
  PARAM_ERROR: { status: 400, text: '参数错误', internal: 268435461 },
  RATELIMIT_EXCEEDED: { status: 429, text: '频率超限', internal: 268447840 },
  RESOURCE_NOT_EXISTS: { status: 404, text: '资源不存在', internal: 268512771 },
  RULE_LIMIT: { status: 403, text: '业务规则限制', internal: 268448010 },
  SIGN_ERROR: { status: 401, text: '错误的签名，验签失败', internal: 268443699 },
  STATEMENT_CREATING: { status: 400, text: '账单生成中', internal: 268435461 },
  SYSTEM_ERROR: { status: 500, text: '系统异常，请稍后重试', internal: 268435456 },
  TRADE_ERROR: { status: 403, text: '交易错误', internal: 268435456 },
  USER_ACCOUNT_ABNORMAL: { status: 403, text: '用户账号异常', internal: 268448010 },
  USER_PAYING: { status: 202, text: '用户支付中，需要输入密码', internal: 268435456 },
} satisfies Record<string, Kind>;

export type V3ErrorCode = keyof typeof KINDS;
export const V3_ERROR_CODES = Object.keys(KINDS) as V3ErrorCode[];
export const isV3ErrorCode = (code: string): code is V3ErrorCode => Object.hasOwn(KINDS, code);

export type V3Outcome =
  | { readonly kind: 'ok'; readonly status: 200; readonly body: Record<string, unknown> }
  | { readonly kind: 'ok'; readonly status: 204 }
  /** As it is, without a signature. */
  | { readonly kind: 'file'; readonly status: 200; readonly file: BillFile }
  | {
      readonly kind: 'error';
      readonly code: string;
      readonly status: number;
      readonly text: string;
      readonly internal: number;
      /** Of any form: an object, also an empty one, a list, a text. */
      readonly detail?: unknown;
      /** For the message log. */
      readonly note?: string;
    };

export type V3Failure = Extract<V3Outcome, { kind: 'error' }>;

export const succeedV3 = (body: Record<string, unknown>): V3Outcome => ({
  kind: 'ok',
  status: 200,
  body,
});

export const succeedEmpty: V3Outcome = { kind: 'ok', status: 204 };

export const failV3 = (
  code: V3ErrorCode,
  more: {
    status?: number;
    text?: string;
    internal?: number;
    detail?: unknown;
    note?: string;
  } = {},
): V3Failure => ({ kind: 'error', code, ...KINDS[code], ...more });

/** What refunds say to a code, their own or one of v2, where that differs from other calls. */
const AT_REFUNDS: Readonly<Record<string, Partial<Kind>>> = {
  ERROR: { text: '订单已全额退款' },
  MCHID_NOT_EXIST: { status: 404 },
  MCH_NOT_EXISTS: { status: 404 },
  NOTENOUGH: { text: '基本账户余额不足，请充值后重新发起' },
  NOT_ENOUGH: { text: '基本账户余额不足，请充值后重新发起' },
  ORDER_NOT_READY: { text: '订单处理中，暂时无法退款，请稍后再试' },
  REFUND_FEE_MISMATCH: { text: '订单金额或退款金额与之前请求不一致，请核实后再试' },
  TRADE_OVERDUE: { text: '订单已经超过退款期限' },
};

/** What a fault with this code looks like here; the code may be one of API v2. */
export function failAs({
  point,
  code = 'SYSTEM_ERROR',
  text,
  detail,
}: Pick<Fault, 'point' | 'code' | 'text' | 'detail'>): V3Failure {
  const isAboutBills = point === 'downloadbill' || point === 'billdownload';
  const ofBills = isAboutBills ? findBillError(code)?.codeInV3 : undefined;
  const name = ofBills ?? nameInV3(code, point);
  return failV3(isV3ErrorCode(name) ? name : 'SYSTEM_ERROR', {
    ...(point === 'refund' || point === 'refundquery' ? AT_REFUNDS[code] : {}),
    ...(text === undefined ? {} : { text }),
    ...(detail === undefined ? {} : { detail }),
  });
}

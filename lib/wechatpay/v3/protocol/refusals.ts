/**
 * What WeChat's refusals mean in API v3. Only `code` decides, and the HTTP status where there is no
 * code that can be read; the rest of an error body is for the log.
 *
 * Source: pay.weixin.qq.com/doc/v3/merchant/4012791897 and 4012587971.
 */
import type { ServiceError } from '../../../errors.ts';
import type { WechatResponse } from '../../../transport/transport.ts';
import {
  ABOUT_THE_ORDER,
  forTheLog,
  LATER,
  type Meaning,
  OUR_REQUEST,
  OWNERS_FAULTS,
  type OwnersFault,
  refusalError,
} from '../../remedy.ts';

const CODES: ReadonlyMap<string, Meaning> = new Map([
  ['ORDER_PAID', ABOUT_THE_ORDER],
  ['ORDERPAID', ABOUT_THE_ORDER],
  ['ORDER_CLOSED', ABOUT_THE_ORDER],
  ['ORDERCLOSED', ABOUT_THE_ORDER],
  ['ORDER_NOT_EXIST', ABOUT_THE_ORDER],
  ['ORDERNOTEXIST', ABOUT_THE_ORDER],
  ['RESOURCE_NOT_EXISTS', ABOUT_THE_ORDER],
  ['USER_PAYING', ABOUT_THE_ORDER],
  ['USERPAYING', ABOUT_THE_ORDER],
  ['TRADE_ERROR', ABOUT_THE_ORDER],
  ['SYSTEM_ERROR', LATER],
  ['SYSTEMERROR', LATER],
  ['BANK_ERROR', LATER],
  ['BANKERROR', LATER],
  ['BIZERR_NEED_RETRY', LATER],
  ['FREQUENCY_LIMITED', LATER],
  ['FREQUENCY_LIMIT_EXCEED', LATER],
  ['RATELIMIT_EXCEEDED', LATER],
  ['RATELIMIT_EXCEED', LATER],
  ['SIGN_ERROR', OWNERS_FAULTS.certificate],
  ['SIGNERROR', OWNERS_FAULTS.certificate],
  ['NO_AUTH', OWNERS_FAULTS.permission],
  ['NOAUTH', OWNERS_FAULTS.permission],
  ['MCH_NOT_EXISTS', OWNERS_FAULTS.mchid],
  ['MCH_NOT_EXIST', OWNERS_FAULTS.mchid],
  ['MCHID_NOT_EXIST', OWNERS_FAULTS.mchid],
  ['APPID_NOT_EXIST', OWNERS_FAULTS.appid],
  ['APPID_MCHID_NOT_MATCH', OWNERS_FAULTS.binding],
  ['OPENID_MISMATCH', OWNERS_FAULTS.openid],
  ['PARAM_ERROR', OUR_REQUEST],
  ['INVALID_REQUEST', OUR_REQUEST],
  ['OUT_TRADE_NO_USED', OUR_REQUEST],
  ['RULE_LIMIT', OUR_REQUEST],
  ['ACCOUNT_ERROR', OUR_REQUEST],
  ['ACCOUNTERROR', OUR_REQUEST],
  ['RULELIMIT', OUR_REQUEST],
  ['USER_ACCOUNT_ABNORMAL', OUR_REQUEST],
  ['NOT_ENOUGH', OUR_REQUEST],
  ['NOTENOUGH', OUR_REQUEST],
]);

/** WeChat's own error, as far as it can be read. */
export interface Failure {
  readonly ok: false;
  readonly code: string;
  readonly text: string;
  /** The digits at the end of `Request-ID`: finer than `code`, and not signed. */
  readonly internalCode: string | undefined;
}

/** The error in an answer's JSON; nothing when it has no `code` that is a text. */
export function readFailure({ headers }: WechatResponse, json: unknown): Failure | undefined {
  const { code, message, detail } = partsOf(json);
  if (typeof code !== 'string' || code === '') {
    return undefined;
  }
  const requestId = headers['request-id'];
  const texts = [
    typeof message === 'string' ? forTheLog(message) : '',
    ...textsOf(detail).map((text) => forTheLog(text, 128)),
    requestId && `Request-ID ${forTheLog(requestId, 128)}`,
  ];
  return {
    ok: false,
    code: forTheLog(code, 64),
    text: texts.filter(Boolean).join('; '),
    internalCode: /-(\d+)$/.exec(requestId ?? '')?.[1],
  };
}

const partsOf = (json: unknown): Readonly<Record<string, unknown>> =>
  typeof json === 'object' && json !== null ? { ...json } : {};

/** Not `value` and `sign_information`: they repeat what was sent. */
const TELLING = ['field', 'issue', 'location', 'detail'];
const MAX_DEPTH = 3;
const MAX_TEXTS = 4;

/** What of `detail` says where and why; its forms are many. */
function textsOf(detail: unknown, depth = 0): string[] {
  if (typeof detail === 'string') {
    return [detail];
  }
  if (depth === MAX_DEPTH) {
    return [];
  }
  const parts = partsOf(detail);
  const inside = Array.isArray(detail) ? detail : TELLING.map((name) => parts[name]);
  return inside.flatMap((part) => textsOf(part, depth + 1)).slice(0, MAX_TEXTS);
}

/** What an answer with this status and code means; nothing for a code that is not known. */
export function meaningOf(statusCode: number, code = ''): Meaning | undefined {
  const meaning = CODES.get(code);
  if (meaning && meaning.remedy !== 'none') {
    return meaning;
  }
  if (statusCode === 401) {
    return OWNERS_FAULTS.certificate;
  }
  return statusCode === 429 || statusCode >= 500 ? LATER : meaning;
}

/** WeChat takes 300 s; less, because the clocks are read at different moments. */
const CLOCK_IS_OFF_FROM_SECONDS = 270;

/**
 * The error for what only the owner can mend. It needs no signature: whoever signs wrongly may have
 * the wrong keys to verify with, too, and nothing in it is about an order.
 */
export function ownersError(
  response: WechatResponse,
  failure: Failure | undefined,
  fault: OwnersFault,
  nowMs: number,
): ServiceError {
  const { code, text } = failure ?? { code: `HTTP status ${response.statusCode}`, text: '' };
  const isAboutSignature = fault === OWNERS_FAULTS.certificate;
  const named = isAboutSignature ? (clockFault(response, nowMs) ?? narrowed(text)) : fault;
  return refusalError({ outcome: 'unknown', code, text }, named);
}

/** Our clock against WeChat's, as its answer tells it; an hour that nobody signed, for the log. */
function clockFault({ headers }: WechatResponse, nowMs: number): OwnersFault | undefined {
  const stamp = headers['wechatpay-timestamp'] ?? '';
  const wechatMs = /^\d{1,10}$/.test(stamp)
    ? Number(stamp) * 1000
    : Date.parse(headers['date'] ?? '');
  const offSeconds = Math.round((nowMs - wechatMs) / 1000);
  if (Number.isNaN(offSeconds) || Math.abs(offSeconds) < CLOCK_IS_OFF_FROM_SECONDS) {
    return undefined;
  }
  const off = `${Math.abs(offSeconds)} s ${offSeconds > 0 ? 'ahead of' : 'behind'} WeChat's`;
  return {
    remedy: 'owner',
    fault: `our clock is ${off}, which takes at most 300 s`,
    where: { field: `clock, ${off}` },
  };
}

/** Which part of the signature WeChat names; another field in the log is all that hangs on it. */
function narrowed(text: string): OwnersFault {
  if (/serial|序列号/i.test(text)) {
    return OWNERS_FAULTS.serialNo;
  }
  return /mch_?id|商户号/i.test(text) ? OWNERS_FAULTS.mchid : OWNERS_FAULTS.certificate;
}

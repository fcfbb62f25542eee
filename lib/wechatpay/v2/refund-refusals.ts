/**
 * What WeChat's codes for `/secapi/pay/refund` mean, as far as they mean something else than for an
 * order (`protocol/refusals.ts`). `mayBeDone` is true where WeChat leaves open whether it carried
 * the refund out.
 *
 * Source: pay.weixin.qq.com/doc/v2/merchant/4011986195, and answers that merchants reported.
 */
import type { Refusal, RefundMeaning } from '../refund-settlement.ts';
import { OWNERS_FAULTS, type OwnersFault } from '../remedy.ts';

const REFUSED: RefundMeaning = { kind: 'refused' };
const AGAIN: RefundMeaning = { kind: 'again', mayBeDone: true };
/** The order is paid in our table: WeChat's own servers do not all know it yet. */
const NOT_YET: RefundMeaning = { kind: 'again', mayBeDone: false };

const owner = (fault: OwnersFault): RefundMeaning => ({ kind: 'owner', fault });

const CODES: ReadonlyMap<string, RefundMeaning> = new Map<string, RefundMeaning>([
  ['SYSTEMERROR', AGAIN],
  ['BIZERR_NEED_RETRY', AGAIN],
  ['FREQUENCY_LIMITED', { kind: 'again', mayBeDone: true, slower: true }],
  ['RATELIMIT_EXCEEDED', { kind: 'again', mayBeDone: true, slower: true }],
  ['INVALID_REQ_TOO_MUCH', { kind: 'again', mayBeDone: true, slower: true }],
  ['ORDERNOTEXIST', NOT_YET],
  ['ORDER_NOT_READY', NOT_YET],
  ['NOTENOUGH', { kind: 'balance' }],
  ['USER_ACCOUNT_ABNORMAL', REFUSED],
  ['TRADE_OVERDUE', REFUSED],
  ['ERROR', REFUSED],
  ['INVALID_TRANSACTIONID', REFUSED],
  ['PARAM_ERROR', REFUSED],
  ['INVALID_REQUEST', REFUSED],
  ['XML_FORMAT_ERROR', REFUSED],
  ['REQUIRE_POST_METHOD', REFUSED],
  ['LACK_PARAMS', REFUSED],
  ['POST_DATA_EMPTY', REFUSED],
  ['NOT_UTF8', REFUSED],
  ['REFUND_FEE_MISMATCH', { kind: 'refused', mayExist: true }],
  ['NOAUTH', owner(OWNERS_FAULTS.refundPermission)],
  ['CERT_ERROR', owner(OWNERS_FAULTS.clientCertificate)],
]);

/** Codes that stand for many reasons, and say which only in their text. */
const BY_TEXT: readonly (readonly [RegExp, RegExp, RefundMeaning])[] = [
  [/^NOAUTH$/, /异常 ?IP|IP ?地址|\bIP\b/i, owner(OWNERS_FAULTS.address)],
  [/^(ERROR|PARAM_ERROR|INVALID_REQUEST)$/, /与之前|之前请求/, { kind: 'refused', mayExist: true }],
  // Two refunds of an order within a minute.
  [
    /^(ERROR|INVALID_REQUEST)$/,
    /间隔|频繁|稍后|过快/,
    { kind: 'again', mayBeDone: false, slower: true },
  ],
  [/^(ERROR|INVALID_REQUEST)$/, /余额不足/, { kind: 'balance' }],
];

/** What a refusal of a refund means; nothing for a code that is not known. */
export function meaningOfRefusal({ code, text }: Refusal): RefundMeaning | undefined {
  const byText = BY_TEXT.find(([codes, texts]) => codes.test(code) && texts.test(text));
  return byText?.[2] ?? CODES.get(code);
}

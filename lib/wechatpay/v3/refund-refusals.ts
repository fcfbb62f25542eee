/**
 * What WeChat's codes for `POST /v3/refund/domestic/refunds` mean, as far as they mean something
 * else than for an order (`protocol/refusals.ts`). `mayBeDone` is true where WeChat leaves open
 * whether it carried the refund out.
 *
 * Source: pay.weixin.qq.com/doc/v3/merchant/4012791903 and 4012587971, and answers that merchants
 * reported.
 */
import type { Refusal, RefundMeaning } from '../refund-settlement.ts';
import { OWNERS_FAULTS } from '../remedy.ts';

const REFUSED: RefundMeaning = { kind: 'refused' };
const AGAIN: RefundMeaning = { kind: 'again', mayBeDone: true };
const AGAIN_SLOWER: RefundMeaning = { kind: 'again', mayBeDone: true, slower: true };
/** The order is paid in our table: WeChat's own servers do not all know it yet. */
const NOT_YET: RefundMeaning = { kind: 'again', mayBeDone: false };
const BALANCE: RefundMeaning = { kind: 'balance' };

const PERMISSION: RefundMeaning = { kind: 'owner', fault: OWNERS_FAULTS.refundPermission };

const CODES: ReadonlyMap<string, RefundMeaning> = new Map<string, RefundMeaning>([
  ['SYSTEM_ERROR', AGAIN],
  ['SYSTEMERROR', AGAIN],
  ['BIZERR_NEED_RETRY', AGAIN],
  ['FREQUENCY_LIMITED', AGAIN_SLOWER],
  ['FREQUENCY_LIMIT_EXCEED', AGAIN_SLOWER],
  ['RATELIMIT_EXCEEDED', AGAIN_SLOWER],
  ['RATELIMIT_EXCEED', AGAIN_SLOWER],
  ['RESOURCE_NOT_EXISTS', NOT_YET],
  ['ORDER_NOT_EXIST', NOT_YET],
  ['ORDERNOTEXIST', NOT_YET],
  ['NOT_ENOUGH', BALANCE],
  ['NOTENOUGH', BALANCE],
  ['USER_ACCOUNT_ABNORMAL', REFUSED],
  ['TRADE_OVERDUE', REFUSED],
  ['PARAM_ERROR', REFUSED],
  ['INVALID_REQUEST', REFUSED],
  ['NO_AUTH', PERMISSION],
  ['NOAUTH', PERMISSION],
]);

/** `INVALID_REQUEST` stands for many reasons, and says which only in its text. */
const INVALID_REQUESTS: readonly (readonly [RegExp, RefundMeaning])[] = [
  [/与之前|之前请求|不一致.*退款单号|退款单号.*不一致/, { kind: 'refused', mayExist: true }],
  // Two refunds of an order within a minute.
  [/间隔|频繁|稍后|过快/, { kind: 'again', mayBeDone: false, slower: true }],
  [/余额不足/, BALANCE],
];

/** What a refusal of a refund means; nothing for a code that is not known. */
export function meaningOfRefusal({ code, text }: Refusal): RefundMeaning | undefined {
  const byText =
    code === 'INVALID_REQUEST' ? INVALID_REQUESTS.find(([texts]) => texts.test(text)) : undefined;
  return byText?.[1] ?? CODES.get(code);
}

/** An order as WeChat describes it, in a query's answer and inside a notification alike. */
import * as v from 'valibot';
import { WechatPayMalformedMessageError } from '../../errors.ts';
import type { Parties } from '../../order/parties.ts';
import type { PaymentEvidence } from '../../order/transition.ts';
import { timeOrNaN, toBankCode } from '../judge.ts';
import { readShape } from './protocol/json.ts';
import { fromRfc3339 } from './protocol/time.ts';

/** WeChat leaves out what it does not have, or sends it empty or as null. */
export const optionalText = v.pipe(
  v.nullish(v.string()),
  v.transform((text) => text || undefined),
);

/** For the record only: what is no code of a bank is left out. */
const bankCode = v.pipe(v.optional(v.unknown()), v.transform(toBankCode));

const transaction = v.object({
  appid: optionalText,
  mchid: optionalText,
  sp_appid: optionalText,
  sp_mchid: optionalText,
  sub_appid: optionalText,
  sub_mchid: optionalText,
  out_trade_no: v.string(),
  trade_state: v.string(),
  transaction_id: optionalText,
  bank_type: bankCode,
  success_time: optionalText,
  payer: v.nullish(
    v.object({ openid: optionalText, sp_openid: optionalText, sub_openid: optionalText }),
    {},
  ),
  amount: v.nullish(
    v.object({
      total: v.nullish(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
      currency: optionalText,
    }),
    {},
  ),
});

export type Transaction = v.InferOutput<typeof transaction>;

/** @throws {WechatPayMalformedMessageError} when the JSON is not an order. */
export function readTransaction(json: unknown): Transaction {
  return readShape(json, transaction);
}

/**
 * Who received the money: the merchant, or provider (`sp_mchid`) and sub-merchant. An order is of
 * one kind or the other.
 */
export function readMerchant(one: Transaction): Pick<Parties, 'mchid' | 'subMchid'> {
  if (one.sp_mchid === undefined) {
    return { mchid: present('mchid', one.mchid) };
  }
  if (one.mchid !== undefined) {
    throw new WechatPayMalformedMessageError('the order has both mchid and sp_mchid');
  }
  return { mchid: one.sp_mchid, subMchid: present('sub_mchid', one.sub_mchid) };
}

/**
 * The payment of an order. The amount is `amount.total`, what was ordered; `payer_total` is lower
 * when the buyer used a coupon. An absent currency means CNY.
 *
 * @throws {WechatPayMalformedMessageError} when a field is missing or not of its form.
 */
export function readPayment(one: Transaction): PaymentEvidence {
  return {
    outTradeNo: one.out_trade_no,
    transactionId: present('transaction_id', one.transaction_id),
    ...readMerchant(one),
    ...readPayer(one),
    totalFen: present('amount.total', one.amount.total ?? undefined),
    currency: one.amount.currency ?? 'CNY',
    bankType: one.bank_type,
    paidAtEpochSeconds: timeOrNaN(fromRfc3339, present('success_time', one.success_time)),
  };
}

/** The mini-program, and the buyer as it knows them; see `Parties`. */
function readPayer(one: Transaction): Pick<PaymentEvidence, 'appid' | 'spAppid' | 'openid'> {
  const { payer } = one;
  if (one.sp_mchid === undefined) {
    return {
      appid: present('appid', one.appid),
      openid: present('payer.openid', payer.openid),
    };
  }
  const spAppid = present('sp_appid', one.sp_appid);
  return one.sub_appid === undefined
    ? { appid: spAppid, openid: present('payer.sp_openid', payer.sp_openid) }
    : {
        appid: one.sub_appid,
        spAppid,
        openid: present('payer.sub_openid', payer.sub_openid),
      };
}

function present<T>(name: string, value: T | undefined): T {
  if (value === undefined) {
    throw new WechatPayMalformedMessageError(`the order has no ${name}`);
  }
  return value;
}

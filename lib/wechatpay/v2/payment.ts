/** The payment fields that a notification and a query share, from a verified message. */
import { WechatPayMalformedMessageError } from '../../errors.ts';
import type { PaymentEvidence } from '../../order/transition.ts';
import { timeOrNaN, toBankCode } from '../judge.ts';
import { requiredField } from './protocol/call.ts';
import { fromBeijingTime } from './protocol/time.ts';

/**
 * Reads a payment. The amount is `total_fee`, what was ordered; `cash_fee` is lower when the
 * buyer used a coupon. An absent `fee_type` means CNY.
 *
 * @throws {WechatPayMalformedMessageError} when a field is missing or not of its form.
 */
export function readPayment(fields: ReadonlyMap<string, string>): PaymentEvidence {
  return {
    outTradeNo: requiredField(fields, 'out_trade_no'),
    transactionId: requiredField(fields, 'transaction_id'),
    mchid: requiredField(fields, 'mch_id'),
    subMchid: fields.get('sub_mch_id') || undefined,
    ...readPayer(fields),
    totalFen: readFen(requiredField(fields, 'total_fee')),
    currency: fields.get('fee_type') || 'CNY',
    bankType: toBankCode(fields.get('bank_type')),
    paidAtEpochSeconds: timeOrNaN(fromBeijingTime, requiredField(fields, 'time_end')),
  };
}

/**
 * The mini-program and the buyer as it knows them: `sub_appid` and `sub_openid` when the
 * mini-program is a sub-merchant's; `appid` is its provider's then.
 */
function readPayer(
  fields: ReadonlyMap<string, string>,
): Pick<PaymentEvidence, 'appid' | 'spAppid' | 'openid'> {
  const appid = requiredField(fields, 'appid');
  const subAppid = fields.get('sub_appid');
  return subAppid
    ? { appid: subAppid, spAppid: appid, openid: requiredField(fields, 'sub_openid') }
    : { appid, openid: requiredField(fields, 'openid') };
}

/** Digits only: `Number` alone would take `1e2`, ` 100` and `0x64` as well. */
export function readFen(text: string): number {
  const fen = Number(text);
  if (!/^\d{1,15}$/.test(text) || !Number.isSafeInteger(fen)) {
    throw new WechatPayMalformedMessageError('an amount is not a whole number of fen');
  }
  return fen;
}

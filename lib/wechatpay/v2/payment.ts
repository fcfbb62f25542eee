/** The payment fields that a notification and a query share, from a verified message. */
import { WechatPayMalformedMessageError } from '../../errors.ts';
import type { Payment } from '../wechatpay.ts';
import { requiredField } from './call.ts';
import { fromBeijingTime } from './time.ts';

/**
 * Reads a payment. The amount is `total_fee`, what was ordered; `cash_fee` is lower when the
 * buyer used a coupon. An absent `fee_type` means CNY.
 *
 * @throws {WechatPayMalformedMessageError} when a field is missing or not of its form.
 */
export function readPayment(fields: ReadonlyMap<string, string>): Payment {
  return {
    outTradeNo: requiredField(fields, 'out_trade_no'),
    transactionId: requiredField(fields, 'transaction_id'),
    appid: requiredField(fields, 'appid'),
    mchid: requiredField(fields, 'mch_id'),
    openid: requiredField(fields, 'openid'),
    totalFen: readFen(requiredField(fields, 'total_fee')),
    currency: fields.get('fee_type') || 'CNY',
    bankType: fields.get('bank_type') || undefined,
    paidAtEpochSeconds: fromBeijingTime(requiredField(fields, 'time_end')),
  };
}

/** Digits only: `Number` alone would take `1e2`, ` 100` and `0x64` as well. */
function readFen(text: string): number {
  const fen = Number(text);
  if (!/^\d{1,15}$/.test(text) || !Number.isSafeInteger(fen)) {
    throw new WechatPayMalformedMessageError('an amount is not a whole number of fen');
  }
  return fen;
}

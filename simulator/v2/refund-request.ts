/** What `/secapi/pay/refund` demands of its parameters, as documented; lengths count UTF-8 bytes. */
import { fail, failAtGateway, type Outcome } from './errors.ts';
import { isNotifyUrl } from './order-request.ts';
import type { Fields } from './wire.ts';

const MAX_BYTES: Record<string, number> = {
  transaction_id: 32,
  out_trade_no: 32,
  out_refund_no: 64,
  total_fee: 10,
  refund_fee: 10,
  refund_fee_type: 8,
  refund_desc: 80,
  refund_account: 30,
  notify_url: 256,
  op_user_id: 32,
};

const FEN = /^[1-9]\d*$/;
const FORMATS: Record<string, (value: string) => boolean> = {
  out_refund_no: (value) => /^[0-9A-Za-z_\-|*@]+$/.test(value),
  total_fee: (value) => FEN.test(value),
  refund_fee: (value) => FEN.test(value),
  refund_fee_type: (value) => value === 'CNY',
  refund_account: (value) => /^REFUND_SOURCE_(UNSETTLED|RECHARGE)_FUNDS$/.test(value),
  notify_url: isNotifyUrl,
};

/** The first fault of the request, in WeChat's words; undefined when there is none. */
export function checkRefundRequest(fields: Fields): Outcome | undefined {
  if (!fields['transaction_id'] && !fields['out_trade_no']) {
    return fail('PARAM_ERROR', 'transaction_id和out_trade_no不能同时为空');
  }
  for (const name of ['out_refund_no', 'total_fee', 'refund_fee']) {
    if (!fields[name]) {
      return fail('PARAM_ERROR', `缺少必填参数${name}`);
    }
  }
  for (const [name, limit] of Object.entries(MAX_BYTES)) {
    if (Buffer.byteLength(fields[name] ?? '') > limit) {
      return fail('PARAM_ERROR', `${name}参数长度有误`);
    }
  }
  for (const [name, isGood] of Object.entries(FORMATS)) {
    const value = fields[name];
    if (value && !isGood(value)) {
      return fail('PARAM_ERROR', `${name}参数格式错误`);
    }
  }
  return Number(fields['refund_fee']) > Number(fields['total_fee'])
    ? failAtGateway('invalid refund_fee', 'refund_fee is more than total_fee')
    : undefined;
}

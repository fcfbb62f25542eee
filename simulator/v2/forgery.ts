/** What faults do to a signed message: altered after signing, or signed correctly over something wrong. */
import type { SignType } from '../book/order-terms.ts';
import { type Fields, signFields } from './wire.ts';

const add = (fen: string) => (Number(fen) + 1).toString();
const flipLast = (text: string) => text.slice(0, -1) + (text.endsWith('0') ? '1' : '0');

/** Alters one meaningful field and leaves the signature as it was. */
export function tamper(fields: Fields): Fields {
  const { trade_state: tradeState, total_fee: totalFee, prepay_id: prepayId } = fields;
  if (tradeState === 'NOTPAY') {
    return { ...fields, trade_state: 'SUCCESS', trade_state_desc: '支付成功' };
  }
  if (fields['refund_status_0'] === 'PROCESSING') {
    return { ...fields, refund_status_0: 'SUCCESS' };
  }
  if (totalFee !== undefined) {
    return { ...fields, total_fee: add(totalFee) };
  }
  if (prepayId !== undefined) {
    return { ...fields, prepay_id: flipLast(prepayId) };
  }
  if (fields['err_code'] !== undefined) {
    const { err_code: _code, err_code_des: _text, ...rest } = fields;
    return { ...rest, result_code: 'SUCCESS' };
  }
  return { ...fields, nonce_str: flipLast(fields['nonce_str'] ?? '') };
}

function signAgain(fields: Fields, key: string, signType: SignType): Fields {
  const { sign: _, ...signed } = fields;
  return { ...fields, sign: signFields(signed, key, signType) };
}

/** One fen more than was paid or given back, signed correctly. */
export function alterAmount(fields: Fields, key: string, signType: SignType): Fields {
  const amounts = ['total_fee', 'cash_fee', 'refund_fee', 'refund_fee_0']
    .filter((name) => fields[name] !== undefined)
    .map((name) => [name, add(fields[name] ?? '')]);
  return signAgain({ ...fields, ...(Object.fromEntries(amounts) as Fields) }, key, signType);
}

/** The message of another merchant, signed with this merchant's key. */
export function alterMerchant(fields: Fields, key: string, signType: SignType): Fields {
  const { mch_id: mchId, appid } = fields;
  return mchId === undefined || appid === undefined
    ? fields
    : signAgain({ ...fields, mch_id: flipLast(mchId), appid: flipLast(appid) }, key, signType);
}

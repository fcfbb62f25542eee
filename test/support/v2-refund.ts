/** Refund notifications of v2, encrypted by an independent implementation. */
import { Aes, Hash } from 'wechatpay-axios-plugin';
import { APPID, MCHID } from './sample-orders.ts';
import { API_V2_KEY, type WireFields, xmlOf } from './v2-message.ts';

/** `req_info` of a refund of 8.00 yuan of the sample order. */
export function encryptRefund(changes: WireFields = {}, key = API_V2_KEY): string {
  const inner = xmlOf({
    out_refund_no: 'refund-0001',
    out_trade_no: 'order-0001',
    refund_account: 'REFUND_SOURCE_RECHARGE_FUNDS',
    refund_fee: '800',
    refund_id: '50000000382026030100000000001',
    refund_recv_accout: '用户零钱',
    refund_request_source: 'VENDOR_PLATFORM',
    refund_status: 'SUCCESS',
    settlement_refund_fee: '800',
    success_time: '2026-03-01 11:00:00',
    total_fee: '2800',
    transaction_id: '4200000001202603010000000001',
    ...changes,
  }).replaceAll(/(?<=<\/?)xml(?=>)/g, 'root');
  // It does not pad a text of whole blocks.
  const text = Buffer.byteLength(inner) % 16 === 0 ? `${inner}\n` : inner;
  return Aes.AesEcb.encrypt(text, Hash.md5(key).toLowerCase());
}

/** The whole notification; it has no signature. */
export function refundXml(inner: WireFields = {}, outer: WireFields = {}): string {
  return xmlOf({
    return_code: 'SUCCESS',
    appid: APPID,
    mch_id: MCHID,
    nonce_str: 'TeqClE3i0mvn3DrK',
    req_info: encryptRefund(inner),
    ...outer,
  });
}

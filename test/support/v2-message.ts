/**
 * Messages as WeChat Pay sends them. The signature comes from `wechatpay-axios-plugin` and the XML
 * from a template, so nothing of the code under test takes part in making them.
 */
import { Hash } from 'wechatpay-axios-plugin';
import { APPID, MCHID, OPENID } from './sample-orders.ts';

export type WireFields = Readonly<Record<string, string>>;
type SignType = 'MD5' | 'HMAC-SHA256';

/** The key of the vectors that were made up for this project. */
export const API_V2_KEY = '0123456789abcdefghijklmnopqrstuv';
/** Another key, such as a forger might guess. */
export const OTHER_KEY = 'vutsrqponmlkjihgfedcba9876543210';

export function signV2(
  fields: WireFields,
  key = API_V2_KEY,
  signType: SignType = 'HMAC-SHA256',
): string {
  return Hash.sign(signType, { ...fields }, key);
}

/** The fields with their signature. */
export function signed(fields: WireFields, key?: string, signType?: SignType): WireFields {
  return { ...fields, sign: signV2(fields, key, signType) };
}

/** One element per field, in CDATA as WeChat writes it. */
export function xmlOf(fields: WireFields): string {
  const elements = Object.entries(fields).map(
    ([name, value]) => `<${name}><![CDATA[${value}]]></${name}>`,
  );
  return `<xml>${elements.join('\n')}</xml>`;
}

/** What WeChat reports of the payment of `sampleOrder`, still without a signature. */
export function paidFields(changes: WireFields = {}): WireFields {
  return {
    return_code: 'SUCCESS',
    result_code: 'SUCCESS',
    appid: APPID,
    mch_id: MCHID,
    nonce_str: '5d2b6c2a8db53831f7eda20af46e531c',
    openid: OPENID,
    is_subscribe: 'N',
    trade_type: 'JSAPI',
    bank_type: 'OTHERS',
    total_fee: '2800',
    cash_fee: '2800',
    fee_type: 'CNY',
    transaction_id: '4200000001202603010000000001',
    out_trade_no: 'order-0001',
    // 2026-03-01 10:00:40 in Beijing, 40 seconds after the order was made.
    time_end: '20260301100040',
    ...changes,
  };
}

/** The fields without some of them. */
export function without(fields: WireFields, ...names: string[]): WireFields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
}

/** A whole genuine notification. */
export function notificationXml(changes: WireFields = {}, key?: string, type?: SignType): string {
  return xmlOf(signed(paidFields(changes), key, type));
}

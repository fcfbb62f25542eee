/**
 * Messages of API v3 as WeChat sends them. Signatures and encryption come from
 * `wechatpay-axios-plugin`, so nothing of the code under test takes part in making them.
 */
import { Aes, Formatter, Rsa } from 'wechatpay-axios-plugin';
import type { MerchantSecret } from '../../lib/secrets/merchant.ts';
import { newCertifiedKey, newKeyPair } from './rsa-keys.ts';
import { APPID, CREATED_AT, MCHID, OPENID } from './sample-orders.ts';

export const API_V3_KEY = 'apiV3Key0123456789apiV3Key012345';
export const PUBLIC_KEY_ID = 'PUB_KEY_ID_0119000001092026030100000000000000';

const wechatpay = newKeyPair();
export const merchantKey = newCertifiedKey(CREATED_AT * 1000);

/** What WeChat signs with, and under which serial. */
export interface WechatSigner {
  readonly serial: string;
  readonly privateKey: string;
}

export const wechatSigner: WechatSigner = {
  serial: PUBLIC_KEY_ID,
  privateKey: wechatpay.privateKey,
};

/** The merchant's secret of a v3 deployment in public-key mode. */
export function v3Merchant(changes: Partial<MerchantSecret> = {}): MerchantSecret {
  return {
    mchid: MCHID,
    apiV3Key: API_V3_KEY,
    merchantSerialNo: merchantKey.serialNo,
    merchantPrivateKey: merchantKey.privateKey,
    merchantCertificate: merchantKey.certificate,
    wechatpayPublicKeyId: PUBLIC_KEY_ID,
    wechatpayPublicKey: wechatpay.publicKey,
    ...changes,
  };
}

export interface Stamp {
  readonly timestamp?: number | string;
  readonly nonce?: string;
  readonly signer?: WechatSigner;
}

/** Headers that make a body WeChat's. */
export function v3Headers(
  body: string,
  {
    timestamp = CREATED_AT,
    nonce = 'EcZ9Cmy4Xyx1i6RlJQzLcCyEqDa26NBz',
    signer = wechatSigner,
  }: Stamp = {},
): Record<string, string> {
  const message = Formatter.response(String(timestamp), nonce, body);
  return {
    'Wechatpay-Timestamp': String(timestamp),
    'Wechatpay-Nonce': nonce,
    'Wechatpay-Serial': signer.serial,
    'Wechatpay-Signature': Rsa.sign(message, signer.privateKey),
    'Wechatpay-Signature-Type': 'WECHATPAY2-SHA256-RSA2048',
  };
}

/** A signed message: its headers and its bytes. */
export function v3Message(body: string, stamp?: Stamp) {
  return { headers: v3Headers(body, stamp), body: Buffer.from(body) };
}

/** Something encrypted, in its wire form. */
export function v3Resource(
  content: string,
  { key = API_V3_KEY, nonce = 'fdasfjihihih', associatedData = 'transaction' } = {},
) {
  return {
    original_type: 'transaction',
    algorithm: 'AEAD_AES_256_GCM',
    ciphertext: Aes.AesGcm.encrypt(content, key, nonce, associatedData),
    associated_data: associatedData,
    nonce,
  };
}

/** What WeChat says of the payment of `sampleOrder`. */
export function transaction(changes: object = {}) {
  return {
    appid: APPID,
    mchid: MCHID,
    out_trade_no: 'order-0001',
    transaction_id: '4200000001202603010000000001',
    trade_type: 'JSAPI',
    trade_state: 'SUCCESS',
    trade_state_desc: '支付成功',
    bank_type: 'OTHERS',
    success_time: '2026-03-01T10:00:40+08:00',
    payer: { openid: OPENID },
    amount: { total: 2800, payer_total: 2500, currency: 'CNY', payer_currency: 'CNY' },
    ...changes,
  };
}

/** What WeChat says of a refund of it. */
export function refund(changes: object = {}) {
  return {
    mchid: MCHID,
    out_trade_no: 'order-0001',
    transaction_id: '4200000001202603010000000001',
    out_refund_no: 'refund-0001',
    refund_id: '50000000382026030100000000001',
    refund_status: 'SUCCESS',
    success_time: '2026-03-01T11:00:00+08:00',
    user_received_account: '招商银行信用卡0403',
    amount: { total: 2800, refund: 800, payer_total: 2800, payer_refund: 800 },
    ...changes,
  };
}

interface NotificationOptions extends Stamp {
  readonly content?: object;
  readonly eventType?: string;
  readonly key?: string;
  readonly associatedData?: string;
  readonly envelope?: object;
}

/** A notification, signed and encrypted. */
export function v3Notification(options: NotificationOptions = {}) {
  const {
    content = transaction(),
    eventType = 'TRANSACTION.SUCCESS',
    key,
    associatedData,
  } = options;
  const resource = v3Resource(JSON.stringify(content), {
    ...(key !== undefined && { key }),
    ...(associatedData !== undefined && { associatedData }),
  });
  const body = JSON.stringify({
    id: 'EV-2018022511223320873',
    create_time: '2026-03-01T10:00:41+08:00',
    resource_type: 'encrypt-resource',
    event_type: eventType,
    summary: '支付成功',
    resource,
    ...options.envelope,
  });
  return v3Message(body, options);
}

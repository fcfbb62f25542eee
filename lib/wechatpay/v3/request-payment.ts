/** The second signature: the arguments of `wx.requestPayment`. */
import { storedRequestOf } from '../../order/stored-request.ts';
import type { RequestPayment, StoredOrder } from '../operations.ts';
import { secretOf } from '../secret-of.ts';
import { signerOf } from './protocol/merchant-keys.ts';
import type { V3Connection } from './protocol/send.ts';
import { signRsa } from './protocol/sign.ts';

/**
 * Signs a `prepay_id` for the phone with the merchant's private key, and with the appid of the
 * mini-program that pays: `sub_appid` when the order has one. One timestamp and one nonce are made
 * and both signed and returned; `signType` is no part of what is signed.
 *
 * Source: pay.weixin.qq.com/doc/v3/merchant/4012365341.
 */
export async function buildRequestPayment(
  { merchant, nonce, nowMs }: Pick<V3Connection, 'merchant' | 'nonce' | 'nowMs'>,
  { appid, mchid, prepayRequest }: Pick<StoredOrder, 'appid' | 'mchid' | 'prepayRequest'>,
  prepayId: string,
): Promise<RequestPayment> {
  // Nothing of it is signed, but an order of API v2 has another signature.
  storedRequestOf(prepayRequest, 'v3');
  const { privateKey } = signerOf(await secretOf(merchant, mchid));
  const timeStamp = String(Math.floor(nowMs() / 1000));
  const nonceStr = nonce();
  const prepay = `prepay_id=${prepayId}`;
  const paySign = signRsa(`${appid}\n${timeStamp}\n${nonceStr}\n${prepay}\n`, privateKey);
  return { timeStamp, nonceStr, package: prepay, signType: 'RSA', paySign };
}

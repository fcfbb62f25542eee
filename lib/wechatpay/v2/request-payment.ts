/** The second signature: the arguments of `wx.requestPayment`. */
import { storedRequestOf } from '../../order/stored-request.ts';
import type { RequestPayment, StoredOrder } from '../operations.ts';
import { secretOf } from '../secret-of.ts';
import { agreedSignType, type V2Client } from './protocol/call.ts';
import { signingKey } from './protocol/keys.ts';
import { sign } from './protocol/sign.ts';

/**
 * Signs a `prepay_id` for the phone, with the appid of the mini-program that pays (`sub_appid`
 * when the order has one) and the algorithm of the order: WeChat refuses another `signType` than `unifiedorder` had. One timestamp and one nonce are made and
 * both signed and returned.
 *
 * Source: pay.weixin.qq.com/doc/v2/merchant/4011939566.
 */
export async function buildRequestPayment(
  client: Pick<V2Client, 'merchant' | 'signType' | 'nonce' | 'nowMs'>,
  { appid, mchid, prepayRequest }: Pick<StoredOrder, 'appid' | 'mchid' | 'prepayRequest'>,
  prepayId: string,
): Promise<RequestPayment> {
  const key = signingKey(await secretOf(client.merchant, mchid));
  const signType = agreedSignType(storedRequestOf(prepayRequest, 'v2').fields, client.signType);
  const parameters = {
    timeStamp: String(Math.floor(client.nowMs() / 1000)),
    nonceStr: client.nonce(),
    package: `prepay_id=${prepayId}`,
    signType,
  };
  const signed = Object.entries({ appId: appid, ...parameters });
  return { ...parameters, paySign: sign(signed, key, signType) };
}

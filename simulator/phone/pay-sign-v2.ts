/** The second signature (paySign), which the phone checks before it shows the cashier. */
import { PAY_SIGN_GUESSES } from '../explain/v2/pay-sign.ts';
import type { MerchantV2 } from '../book/credentials.ts';
import type { Message } from '../host/messages.ts';
import type { Order } from '../book/orders.ts';
import { type PaymentInput, type PhoneResult, refuse } from './result.ts';
import type { Service } from '../host/service.ts';
import { type Fields, judgeFields } from '../v2/wire.ts';

export const WRONG_SIGNATURE = '支付验证签名失败';

/** The appid of the mini-program that pays: a sub-merchant's own where the order has one. */
export function readPayingAppid(
  merchant: MerchantV2,
  input: PaymentInput,
  { terms }: Order,
): string | PhoneResult {
  const wanted = terms.subAppid || merchant.appid;
  const appId = typeof input['appId'] === 'string' ? input['appId'] : wanted;
  return appId === wanted
    ? appId
    : refuse('APPID_DIFFERS', WRONG_SIGNATURE, `the order belongs to ${wanted}, not to ${appId}`);
}

/** Undefined when the signature is right for this order; the report goes into `message`. */
export function checkPaySign(
  { merchant }: Pick<Service, 'merchant'>,
  input: PaymentInput,
  order: Order,
  message: Message,
): PhoneResult | undefined {
  const paying = readPayingAppid(merchant, input, order);
  if (typeof paying !== 'string') {
    return paying;
  }
  const appId = paying;
  const declared = input['signType'] as string | undefined;
  if (declared !== undefined && declared !== 'MD5' && declared !== 'HMAC-SHA256') {
    return refuse(
      'SIGN_TYPE_INVALID',
      WRONG_SIGNATURE,
      'signType must be exactly MD5 or HMAC-SHA256',
    );
  }
  const fields: Fields = { appId };
  for (const name of ['timeStamp', 'nonceStr', 'package', 'signType'] as const) {
    const value = input[name];
    if (typeof value === 'string') {
      fields[name] = value;
    }
  }
  message.signature = judgeFields({
    fields,
    received: input['paySign'] as string,
    declaredSignType: declared,
    signType: declared ?? 'MD5',
    key: merchant.apiV2Key,
    otherKeys: {
      'the API v3 key': merchant.apiV3Key,
      'the appSecret of the mini-program': merchant.appSecret,
      'the mch_id': merchant.mchid,
    },
    ownGuesses: PAY_SIGN_GUESSES,
  });
  const { result, reason, likelyCauses } = message.signature;
  if (result !== 'valid') {
    return refuse('SIGNATURE_INVALID', WRONG_SIGNATURE, reason ?? '', likelyCauses);
  }
  return (declared ?? 'MD5') === order.signType
    ? undefined
    : refuse(
        'SIGN_TYPE_DIFFERS',
        WRONG_SIGNATURE,
        `signType is ${declared ?? 'MD5 (the default)'}, but the order was placed with ${order.signType}`,
      );
}

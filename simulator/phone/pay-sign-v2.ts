/** The second signature (paySign), which the phone checks before it shows the cashier. */
import { judgeSignature } from '../explain/v2/signature.ts';
import type { MerchantV2 } from '../book/credentials.ts';
import type { Message } from '../host/messages.ts';
import type { Order } from '../book/orders.ts';
import { type PaymentInput, type PhoneResult, refuse } from './result.ts';
import type { Guess } from '../explain/v2/recipe.ts';
import type { Wechat } from '../wechat.ts';
import type { Fields } from '../v2/wire.ts';

const rename = (changes: Record<string, string>): Guess['change'] => {
  return (recipe) => ({
    ...recipe,
    pairs: recipe.pairs.map(([name, value]) => [changes[name] ?? name, value] as const),
  });
};

const replace = (field: string, change: (value: string) => string): Guess['change'] => {
  return (recipe) => ({
    ...recipe,
    pairs: recipe.pairs.map(
      ([name, value]) => [name, name === field ? change(value) : value] as const,
    ),
  });
};

/** Mistakes that only the second signature knows. */
const OWN_GUESSES: Guess[] = [
  {
    kind: 'fields',
    cause: {
      code: 'APPID_SPELLED_LOWER',
      en: 'signed with "appid"; here the name is appId, with a capital I',
      zh: '签名时参数名用了 appid；此处应为 appId（I 大写）',
    },
    change: rename({ appId: 'appid' }),
  },
  {
    kind: 'fields',
    cause: {
      code: 'NAMES_CHANGED',
      en: 'signed with the lower-case names of the APP product (timestamp, noncestr)',
      zh: '签名时用了 APP 支付的小写参数名（timestamp、noncestr）',
    },
    change: rename({ appId: 'appid', timeStamp: 'timestamp', nonceStr: 'noncestr' }),
  },
  {
    kind: 'values',
    cause: {
      code: 'PACKAGE_WITHOUT_PREFIX',
      en: 'signed over the bare prepay_id; package is the whole text prepay_id=…',
      zh: '签名时 package 只用了 prepay_id 的值；应为完整的 prepay_id=…',
    },
    change: replace('package', (value) => value.slice('prepay_id='.length)),
  },
  {
    kind: 'values',
    cause: {
      code: 'SIGN_TYPE_SIGNED_DIFFERS',
      en: 'another signType was signed than was passed to wx.requestPayment',
      zh: '签名时的 signType 与传给 wx.requestPayment 的不一致',
    },
    change: replace('signType', (value) => (value === 'MD5' ? 'HMAC-SHA256' : 'MD5')),
  },
];

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
  { merchant }: Wechat,
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
  message.signature = judgeSignature({
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
    ownGuesses: OWN_GUESSES,
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

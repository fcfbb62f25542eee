/** Mistakes that only the signature of `wx.requestPayment` (paySign) knows, in API v2. */
import type { Guess } from './recipe.ts';

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

/** Tried before the general ones. */
export const PAY_SIGN_GUESSES: Guess[] = [
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

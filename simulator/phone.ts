/** The buyer's phone: checks what `wx.requestPayment` checks, and says in `likelyCauses` what the phone keeps to itself. */
import { judgeSignature } from './explain-signature.ts';
import type { Message } from './messages.ts';
import type { Order } from './orders.ts';
import type { Cause, Guess } from './signature-guesses.ts';
import { takePayment, type Wechat } from './wechat.ts';
import type { Fields } from './wire.ts';

const PARAMETERS = ['timeStamp', 'nonceStr', 'package', 'signType', 'paySign'] as const;

export interface PhoneResult {
  /** What the mini-program's callback gets. */
  readonly errMsg: string;
  /** Stable; absent when the payment went through. */
  readonly reason?: string;
  readonly message?: string;
  readonly likelyCauses?: readonly Cause[];
}

export type PaymentInput = Readonly<Record<string, unknown>> & { readonly user: string };

const refuse = (
  reason: string,
  shown: string,
  message: string,
  likelyCauses?: readonly Cause[],
): PhoneResult => ({
  errMsg: `requestPayment:fail ${shown}`,
  reason,
  message,
  ...(likelyCauses ? { likelyCauses } : {}),
});

/** What ends an order for every way to pay it. */
export function refuseUnpayable(order: Order, nowMs: number): PhoneResult | undefined {
  if (order.tradeState === 'SUCCESS') {
    return refuse('ORDER_PAID', '该订单已支付', 'this order is paid already; nobody pays twice');
  }
  if (order.tradeState === 'CLOSED') {
    return refuse('ORDER_CLOSED', '该订单已关闭', 'this order is closed');
  }
  return order.payUntilMs <= nowMs
    ? refuse('ORDER_EXPIRED', '该订单已过期', 'time_expire of this order has passed')
    : undefined;
}

/** One press on the pay button (or on cancel, when `input.cancel` is true). */
export function requestPayment(wechat: Wechat, input: PaymentInput): PhoneResult {
  const message = wechat.messages.add({
    from: `phone of ${input.user}`,
    to: 'wechat',
    kind: 'requestPayment',
    method: 'CALL',
    path: 'wx.requestPayment',
    request: { headers: {}, body: JSON.stringify(input) },
  });
  const result = judgePayment(wechat, input, message);
  message.response = { status: 200, headers: {}, body: JSON.stringify(result) };
  if (result.message) {
    message.note = result.message;
  }
  return result;
}

const CANCELLED = refuse('CANCELLED', 'cancel', 'the buyer cancelled');

function judgePayment(wechat: Wechat, input: PaymentInput, message: Message): PhoneResult {
  const { orders, users, clock } = wechat;
  if (input['cancel'] === true && input['package'] === undefined) {
    return CANCELLED;
  }
  const misshapen = checkShape(input);
  if (misshapen) {
    return misshapen;
  }
  const prepayId = (input['package'] as string).slice('prepay_id='.length);
  const prepay = orders.findPrepay(prepayId);
  const order = prepay && orders.find(prepay.outTradeNo);
  if (!order) {
    return refuse(
      'PREPAY_ID_UNKNOWN',
      '支付验证签名失败',
      `WeChat never gave out the prepay_id ${prepayId}`,
    );
  }
  const wrong = checkPaySign(wechat, input, order, message) ?? refuseUnpayable(order, clock.now());
  if (wrong) {
    return wrong;
  }
  if (prepay.expiresAtMs <= clock.now()) {
    return refuse(
      'PREPAY_ID_EXPIRED',
      'prepay_id已过期',
      'a prepay_id lives 2 hours; order again with the same parameters for a new one',
    );
  }
  const payer = users.openidOf(input.user);
  if (order.request['openid'] && order.request['openid'] !== payer) {
    return refuse(
      'PAYER_DIFFERS',
      '下单账号与支付账号不一致，请核实后再支付',
      `this order is for ${users.nameOf(order.request['openid'])}, not for ${input.user}`,
    );
  }
  if (input['cancel'] === true) {
    return CANCELLED;
  }
  takePayment(wechat, order.outTradeNo, payer);
  return { errMsg: 'requestPayment:ok' };
}

function checkShape(input: PaymentInput): PhoneResult | undefined {
  for (const name of PARAMETERS) {
    const value = input[name];
    if (value === undefined && name !== 'signType') {
      return refuse(
        'PARAMETER_MISSING',
        `parameter error: parameter.${name} should be String instead of Undefined;`,
        `${name} is missing`,
      );
    }
    if (value !== undefined && typeof value !== 'string') {
      const type = value === null ? 'Null' : value.constructor.name;
      return refuse(
        'PARAMETER_TYPE',
        `parameter error: parameter.${name} should be String instead of ${type};`,
        `${name} must be a string${name === 'timeStamp' ? ', also in the string that is signed' : ''}`,
      );
    }
  }
  if (!/^prepay_id=.+/.test(input['package'] as string)) {
    return refuse(
      'PACKAGE_INVALID',
      'JSAPI缺少参数total_fee',
      'package must be the text prepay_id=<prepay_id>',
    );
  }
  return undefined;
}

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

function checkPaySign(
  { merchant }: Wechat,
  input: PaymentInput,
  order: Order,
  message: Message,
): PhoneResult | undefined {
  const appId = typeof input['appId'] === 'string' ? input['appId'] : merchant.appid;
  const shown = '支付验证签名失败';
  if (appId !== merchant.appid) {
    return refuse(
      'APPID_DIFFERS',
      shown,
      `the order belongs to ${merchant.appid}, not to ${appId}`,
    );
  }
  const declared = input['signType'] as string | undefined;
  if (declared !== undefined && declared !== 'MD5' && declared !== 'HMAC-SHA256') {
    return refuse('SIGN_TYPE_INVALID', shown, 'signType must be exactly MD5 or HMAC-SHA256');
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
    return refuse('SIGNATURE_INVALID', shown, reason ?? '', likelyCauses);
  }
  return (declared ?? 'MD5') === order.signType
    ? undefined
    : refuse(
        'SIGN_TYPE_DIFFERS',
        shown,
        `signType is ${declared ?? 'MD5 (the default)'}, but the order was placed with ${order.signType}`,
      );
}

/** The buyer's phone: checks what `wx.requestPayment` checks, and says in `likelyCauses` what the phone keeps to itself. */
import type { Message } from '../host/messages.ts';
import type { Order } from '../book/orders.ts';
import { isPaid } from '../book/trade-state.ts';
import { nameOfBuyer } from '../book/payer.ts';
import { checkPaySign } from './pay-sign-v2.ts';
import { type PaymentInput, type PhoneResult, refuse } from './result.ts';
import { checkPaySignV3 } from './pay-sign-v3.ts';
import { payAsPriced } from './take-payment.ts';
import type { Wechat } from '../wechat.ts';

const PARAMETERS = ['timeStamp', 'nonceStr', 'package', 'signType', 'paySign'] as const;

/** What ends an order for every way to pay it. */
export function refuseUnpayable(order: Order, nowMs: number): PhoneResult | undefined {
  if (isPaid(order)) {
    return refuse('ORDER_PAID', '该订单已支付', 'this order is paid already; nobody pays twice');
  }
  if (order.tradeState === 'CLOSED') {
    return refuse('ORDER_CLOSED', '该订单已关闭', 'this order is closed');
  }
  if (order.tradeState === 'REVOKED') {
    return refuse('ORDER_REVOKED', '该订单已撤销', 'this order was revoked');
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
  const checkSign = order.api === 'v3' ? checkPaySignV3 : checkPaySign;
  const wrong = checkSign(wechat, input, order, message) ?? refuseUnpayable(order, clock.now());
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
  const buyer = nameOfBuyer(users, order.terms);
  if (buyer !== undefined && buyer !== input.user) {
    return refuse(
      'PAYER_DIFFERS',
      '下单账号与支付账号不一致，请核实后再支付',
      `this order is for ${buyer}, not for ${input.user}`,
    );
  }
  if (input['cancel'] === true) {
    return CANCELLED;
  }
  return payAsPriced(wechat, order, input.user).result;
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
      const type = value === null ? 'Null' : Array.isArray(value) ? 'Array' : typeof value;
      return refuse(
        'PARAMETER_TYPE',
        `parameter error: parameter.${name} should be String instead of ${type.charAt(0).toUpperCase()}${type.slice(1)};`,
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

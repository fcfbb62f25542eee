/** The part of the control API about orders: pay without a phone, change a state, look. */
import { type Body, ControlError, readUser } from './input.ts';
import { describeOrderForPeople } from './order-view.ts';
import { isOpen, isPaid, OPEN_STATES } from '../book/trade-state.ts';
import { readPaymentWish } from './payment-wish.ts';
import { nameOfBuyer } from '../book/payer.ts';
import { refuseUnpayable } from '../phone/phone.ts';
import { payAsPriced } from '../phone/take-payment.ts';
import type { Wechat } from '../wechat.ts';

export function findOrder({ orders }: Wechat, outTradeNo: string) {
  const order = orders.find(outTradeNo);
  if (!order) {
    throw new ControlError(404, 'ORDER_NOT_FOUND', `WeChat has no order ${outTradeNo}`);
  }
  return order;
}

export const listOrders = (wechat: Wechat) => ({
  orders: wechat.orders.list().map((order) => describeOrderForPeople(wechat, order)),
});

export function showOrder(wechat: Wechat, _: Body, outTradeNo: string) {
  return describeOrderForPeople(wechat, findOrder(wechat, outTradeNo));
}

export function showOrderOfPrepay(wechat: Wechat, _: Body, prepayId: string) {
  const prepay = wechat.orders.findPrepay(prepayId);
  if (!prepay) {
    throw new ControlError(404, 'PREPAY_NOT_FOUND', `WeChat never gave out ${prepayId}`);
  }
  return describeOrderForPeople(wechat, findOrder(wechat, prepay.outTradeNo));
}

export function payWithoutPhone(wechat: Wechat, body: Body, outTradeNo: string) {
  const { clock, messages, orders, users } = wechat;
  const order = findOrder(wechat, outTradeNo);
  const { evenIfClosed = false } = body;
  if (typeof evenIfClosed !== 'boolean') {
    throw new ControlError(400, 'INVALID_FIELD', '"evenIfClosed" must be true or false');
  }
  const wins = evenIfClosed && order.tradeState === 'CLOSED';
  const refused = wins ? undefined : refuseUnpayable(order, clock.now());
  const wish = refused ? {} : readPaymentWish(body, order.totalFen, wechat.randomBytes);
  if (wins) {
    orders.reopen(outTradeNo);
  }
  if (refused) {
    throw new ControlError(409, refused.reason ?? 'REFUSED', refused.message ?? refused.errMsg);
  }
  const other = body['user'] === undefined ? 'passer-by' : readUser(body);
  const payer = nameOfBuyer(users, order.terms) ?? other;
  const taken = payAsPriced(wechat, findOrder(wechat, outTradeNo), payer, wish);
  if (taken.result.reason !== undefined) {
    const { reason, message, errMsg } = taken.result;
    throw new ControlError(409, reason, message ?? errMsg);
  }
  const result = { ...taken.result, transactionId: taken.paid?.transactionId };
  messages.add({
    from: `phone of ${payer}`,
    to: 'wechat',
    kind: 'pay',
    method: 'CALL',
    path: outTradeNo,
    request: { headers: {}, body: '' },
    response: { status: 200, headers: {}, body: JSON.stringify(result) },
  });
  return result;
}

const STATES = [...OPEN_STATES, 'REVOKED'] as const;

/** What becomes of an order on the way to its payment: at the password, accepted, failed, revoked. */
export function setTradeState(wechat: Wechat, body: Body, outTradeNo: string) {
  const order = findOrder(wechat, outTradeNo);
  const state = STATES.find((one) => one === body['tradeState']);
  if (state === undefined) {
    const rule = `"tradeState" must be one of ${STATES.join(', ')}`;
    throw new ControlError(400, 'INVALID_FIELD', rule);
  }
  if (!isOpen(order) || !wechat.orders.setState(outTradeNo, state)) {
    const text = `this order is ${order.tradeState}, which is final: ${isPaid(order) ? 'it is paid' : 'it cannot be paid any more'}`;
    throw new ControlError(409, 'ORDER_NOT_OPEN', text);
  }
  return showOrder(wechat, body, outTradeNo);
}

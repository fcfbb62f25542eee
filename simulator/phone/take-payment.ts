/** The moment of payment, as the price of the order wants it. */
import type { PaymentWish } from '../book/payment.ts';
import type { Order } from '../book/orders.ts';
import type { PricedPayment } from '../host/price-list.ts';
import { takePayment } from '../notifications/payments.ts';
import type { Wechat } from '../wechat.ts';
import { type PhoneResult, refuse } from './result.ts';

interface Taken {
  readonly result: PhoneResult;
  /** Absent: no money moved, whatever the phone says. */
  readonly paid?: Order | undefined;
}

const PAID: PhoneResult = { errMsg: 'requestPayment:ok' };

/** `wish` counts more than the price list. Only an order that nobody tried to pay before is priced. */
export function payAsPriced(
  wechat: Wechat,
  order: Order,
  payer: string,
  wish: PaymentWish = {},
): Taken {
  const isFresh = order.tradeState === 'NOTPAY' && Object.keys(wish).length === 0;
  const priced = isFresh ? wechat.prices.payment(order.totalFen) : undefined;
  if (priced && !('wish' in priced)) {
    return { result: refuseAsPriced(wechat, order, priced) };
  }
  const paid = takePayment(wechat, order.outTradeNo, payer, priced?.wish ?? wish);
  return { result: PAID, paid };
}

const BY_PRICE = 'as its price wants it (the price list of simulator/README.md)';

const REFUSALS = {
  USERPAYING: refuse('USER_PAYING', '用户支付中', `the buyer is at the password, ${BY_PRICE}`),
  PAYERROR: refuse('PAY_ERROR', '支付失败', `the payment failed, ${BY_PRICE}`),
  REVOKED: refuse('ORDER_REVOKED', '该订单已撤销', `this order was revoked, ${BY_PRICE}`),
  ACCEPT: PAID,
};

function refuseAsPriced(
  { orders }: Wechat,
  { outTradeNo }: Order,
  priced: Exclude<PricedPayment, { wish: PaymentWish }>,
): PhoneResult {
  if ('refused' in priced) {
    return refuse('NOT_ENOUGH', '余额不足', `the buyer has not enough money, ${BY_PRICE}`);
  }
  orders.setState(outTradeNo, priced.state);
  return REFUSALS[priced.state];
}

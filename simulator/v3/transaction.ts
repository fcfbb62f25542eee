/** A transaction (订单) as v3 describes it in queries and notifications; names in alphabetical order. */
import { formatRfc3339 } from '../book/clock.ts';
import type { Order } from '../book/orders.ts';
import { isPaid, STATE_TEXTS } from '../book/trade-state.ts';
import type { Coupon, Payment } from '../book/payment.ts';
import { readPayer } from '../book/payer.ts';
import type { Users } from '../book/users.ts';
import type { Service } from '../host/service.ts';

/** Unpaid ones lack the payment's own fields, and `attach`. */
export function describeTransaction(
  { merchant, users }: Pick<Service, 'merchant' | 'users'>,
  order: Order,
): Record<string, unknown> {
  const { terms, totalFen, tradeState } = order;
  const { appid, mchid } = merchant;
  const parties = terms.subMchid
    ? {
        sp_appid: appid,
        sp_mchid: mchid,
        ...(terms.subAppid ? { sub_appid: terms.subAppid } : {}),
        sub_mchid: terms.subMchid,
      }
    : { appid, mchid };
  const paid = isPaid(order)
    ? {
        amount: describeAmount(totalFen, order.payment),
        ...(terms.attach ? { attach: terms.attach } : {}),
        bank_type: 'OTHERS',
        payer: describePayer(users, order),
        success_time: formatRfc3339(order.paidAtMs ?? 0),
        trade_type: terms.tradeType,
        transaction_id: order.transactionId,
      }
    : { amount: { currency: 'CNY', total: totalFen } };
  const transaction = {
    ...parties,
    ...paid,
    out_trade_no: order.outTradeNo,
    promotion_detail: isPaid(order) ? order.payment.coupons.map(describeCoupon) : [],
    ...(terms.deviceInfo ? { scene_info: { device_id: terms.deviceInfo } } : {}),
    trade_state: tradeState,
    trade_state_desc: STATE_TEXTS[tradeState],
  };
  return Object.fromEntries(Object.entries(transaction).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

const describeAmount = (totalFen: number, { payerCurrency, payerTotal }: Payment) => ({
  currency: 'CNY',
  payer_currency: payerCurrency,
  payer_total: payerTotal,
  total: totalFen,
});

/** A coupon that the merchant has paid for (`CASH`), or that costs it the amount (`NOCASH`). */
const describeCoupon = ({ couponId, type, fen }: Coupon) => ({
  amount: fen,
  coupon_id: couponId,
  currency: 'CNY',
  merchant_contribute: type === 'CASH' ? 0 : fen,
  name: type === 'CASH' ? '代金券' : '免充值代金券',
  other_contribute: 0,
  scope: 'GLOBAL',
  stock_id: `1${couponId}`,
  type: type === 'CASH' ? 'CASH' : 'NOCASH',
  wechatpay_contribute: type === 'CASH' ? fen : 0,
});

function describePayer(users: Users, order: Order) {
  const { openid, subOpenid } = readPayer(users, order);
  if (!order.terms.subMchid) {
    return { openid };
  }
  return { sp_openid: openid, ...(subOpenid ? { sub_openid: subOpenid } : {}) };
}

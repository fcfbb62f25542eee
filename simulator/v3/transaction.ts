/** A transaction (订单) as v3 describes it in queries and notifications; names in alphabetical order. */
import { formatRfc3339 } from '../book/clock.ts';
import { isPaid, type Order, type TradeState } from '../book/orders.ts';
import { readPayer } from '../book/payer.ts';
import type { Users } from '../book/users.ts';
import type { Service } from '../host/service.ts';

const STATE_TEXTS: Record<TradeState, string> = {
  NOTPAY: '订单未支付',
  CLOSED: '订单已关闭',
  SUCCESS: '支付成功',
  REFUND: '订单发生过退款，退款详情请查询退款单',
};

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
        amount: { currency: 'CNY', payer_currency: 'CNY', payer_total: totalFen, total: totalFen },
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
    promotion_detail: [],
    ...(terms.deviceInfo ? { scene_info: { device_id: terms.deviceInfo } } : {}),
    trade_state: tradeState,
    trade_state_desc: STATE_TEXTS[tradeState],
  };
  return Object.fromEntries(Object.entries(transaction).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function describePayer(users: Users, order: Order) {
  const { openid, subOpenid } = readPayer(users, order);
  if (!order.terms.subMchid) {
    return { openid };
  }
  return { sp_openid: openid, ...(subOpenid ? { sub_openid: subOpenid } : {}) };
}

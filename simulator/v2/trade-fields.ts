/** The fields of a payment that the v2 notification and the v2 query have in common. */
import { formatBeijing } from '../book/clock.ts';
import type { OrderTerms } from '../book/order-terms.ts';
import type { Order } from '../book/orders.ts';
import { readPayer } from '../book/payer.ts';
import type { Users } from '../book/users.ts';
import type { Fields } from './wire.ts';

export function describePayment(order: Order, users: Users): Fields {
  const fee = order.totalFen.toString();
  const { openid, subOpenid } = readPayer(users, order);
  return {
    openid,
    is_subscribe: 'N',
    ...(subOpenid ? { sub_openid: subOpenid, sub_is_subscribe: 'N' } : {}),
    trade_type: order.terms.tradeType,
    bank_type: 'OTHERS',
    total_fee: fee,
    cash_fee: fee,
    fee_type: 'CNY',
    transaction_id: order.transactionId ?? '',
    out_trade_no: order.outTradeNo,
    time_end: formatBeijing(order.paidAtMs ?? 0),
  };
}

/** `sub_mch_id` and `sub_appid`, where the order has them. */
export const describeSubMerchant = ({ subMchid, subAppid }: OrderTerms): Fields => ({
  ...(subAppid ? { sub_appid: subAppid } : {}),
  ...(subMchid ? { sub_mch_id: subMchid } : {}),
});

/** The fields of a payment that the v2 notification and the v2 query have in common. */
import { formatBeijing } from '../book/clock.ts';
import type { OrderTerms } from '../book/order-terms.ts';
import type { Order } from '../book/orders.ts';
import { couponFenOf, settlementFenOf } from '../book/payment.ts';
import { readPayer } from '../book/payer.ts';
import type { Users } from '../book/users.ts';
import type { Fields } from './wire.ts';

export function describePayment(order: Order, users: Users): Fields {
  const { openid, subOpenid } = readPayer(users, order);
  return {
    openid,
    is_subscribe: 'N',
    ...(subOpenid ? { sub_openid: subOpenid, sub_is_subscribe: 'N' } : {}),
    trade_type: order.terms.tradeType,
    bank_type: 'OTHERS',
    total_fee: order.totalFen.toString(),
    ...describeCharge(order),
    fee_type: 'CNY',
    transaction_id: order.transactionId ?? '',
    out_trade_no: order.outTradeNo,
    time_end: formatBeijing(order.paidAtMs ?? 0),
  };
}

/** What was charged. Fields about coupons and a foreign currency are there where the payment has such. */
function describeCharge({ totalFen, payment }: Order): Fields {
  const { coupons, payerCurrency, payerTotal } = payment;
  const restFen = totalFen - couponFenOf(payment);
  const settlementFen = settlementFenOf(totalFen, payment);
  const each = coupons.flatMap(({ couponId, type, fen }, index) => [
    [`coupon_type_${index}`, type],
    [`coupon_id_${index}`, couponId],
    [`coupon_fee_${index}`, fen.toString()],
  ]);
  return {
    cash_fee: payerTotal.toString(),
    ...(payerCurrency === 'CNY'
      ? {}
      : {
          cash_fee_type: payerCurrency,
          // Units of the payer's currency for one of the price's, times 10 to the 8th.
          rate_value: Math.round((payerTotal / restFen) * 1e8).toString(),
        }),
    ...(settlementFen === totalFen ? {} : { settlement_total_fee: settlementFen.toString() }),
    ...(coupons.length === 0
      ? {}
      : {
          coupon_fee: couponFenOf(payment).toString(),
          coupon_count: coupons.length.toString(),
          ...(Object.fromEntries(each) as Fields),
        }),
  };
}

/** `sub_mch_id` and `sub_appid`, where the order has them. */
export const describeSubMerchant = ({ subMchid, subAppid }: OrderTerms): Fields => ({
  ...(subAppid ? { sub_appid: subAppid } : {}),
  ...(subMchid ? { sub_mch_id: subMchid } : {}),
});

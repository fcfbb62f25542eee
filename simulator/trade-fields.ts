/** The fields of a payment that the notification and the query have in common. */
import { formatBeijing } from './clock.ts';
import type { Order } from './orders.ts';
import type { Fields } from './wire.ts';

export function describePayment(order: Order): Fields {
  const fee = order.totalFen.toString();
  return {
    openid: order.payerOpenid ?? '',
    is_subscribe: 'N',
    trade_type: order.request['trade_type'] ?? '',
    bank_type: 'OTHERS',
    total_fee: fee,
    cash_fee: fee,
    fee_type: 'CNY',
    transaction_id: order.transactionId ?? '',
    out_trade_no: order.outTradeNo,
    time_end: formatBeijing(order.paidAtMs ?? 0),
  };
}

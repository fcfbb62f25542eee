/** `/pay/orderquery` (查询订单): one order by WeChat's number or the merchant's. */
import type { Order } from './orders.ts';
import { fail, type Outcome, succeed } from './pay-errors.ts';
import { describePayment } from './trade-fields.ts';
import type { Wechat } from './wechat.ts';
import type { Fields } from './wire.ts';

export function queryOrder({ orders }: Wechat, fields: Fields): Outcome {
  const { transaction_id: transactionId, out_trade_no: outTradeNo } = fields;
  if (!transactionId && !outTradeNo) {
    return fail('LACK_PARAMS', '缺少必填参数out_trade_no');
  }
  const order = transactionId
    ? orders.findByTransactionId(transactionId)
    : orders.find(outTradeNo ?? '');
  return order ? succeed(describeOrder(order)) : fail('ORDERNOTEXIST');
}

/** The elements that live answers were seen with, state by state; some of them are empty. */
function describeOrder(order: Order): Fields {
  switch (order.tradeState) {
    case 'NOTPAY':
      return {
        device_info: order.request['device_info'] ?? '',
        total_fee: order.totalFen.toString(),
        out_trade_no: order.outTradeNo,
        trade_state: 'NOTPAY',
        trade_state_desc: '订单未支付',
      };
    case 'CLOSED':
      return {
        out_trade_no: order.outTradeNo,
        attach: order.request['attach'] ?? '',
        trade_state: 'CLOSED',
        trade_state_desc: '订单已关闭',
      };
    case 'SUCCESS':
      return {
        device_info: order.request['device_info'] ?? '',
        ...describePayment(order),
        attach: order.request['attach'] ?? '',
        trade_state: 'SUCCESS',
        trade_state_desc: '支付成功',
        cash_fee_type: 'CNY',
      };
  }
}

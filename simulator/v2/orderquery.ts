/** `/pay/orderquery` (查询订单): one order by WeChat's number or the merchant's. */
import type { Order } from '../book/orders.ts';
import { isPaid, STATE_TEXTS } from '../book/trade-state.ts';
import { fail, type Outcome, succeed } from './errors.ts';
import { describePayment, describeSubMerchant } from './trade-fields.ts';
import type { Users } from '../book/users.ts';
import type { Service } from '../host/service.ts';
import type { Fields } from './wire.ts';

/** A service provider sees an order only together with its sub-merchant. */
export const isOfSubMerchant = ({ terms }: Order, fields: Fields) =>
  terms.subMchid === (fields['sub_mch_id'] ?? '');

export function queryOrder(
  { orders, users }: Pick<Service, 'orders' | 'users'>,
  fields: Fields,
): Outcome {
  const { transaction_id: transactionId, out_trade_no: outTradeNo } = fields;
  if (!transactionId && !outTradeNo) {
    return fail('LACK_PARAMS', '缺少必填参数out_trade_no');
  }
  const order = transactionId
    ? orders.findByTransactionId(transactionId)
    : orders.find(outTradeNo ?? '');
  return order && isOfSubMerchant(order, fields)
    ? succeed(describeOrder(order, users))
    : fail('ORDERNOTEXIST');
}

/** The elements that live answers were seen with, state by state; some of them are empty. */
function describeOrder(order: Order, users: Users): Fields {
  const { attach, deviceInfo } = order.terms;
  if (isPaid(order)) {
    return {
      device_info: deviceInfo,
      ...describeSubMerchant(order.terms),
      ...describePayment(order, users),
      attach,
      trade_state: order.tradeState,
      trade_state_desc: STATE_TEXTS[order.tradeState],
      cash_fee_type: order.payment.payerCurrency,
    };
  }
  if (order.tradeState === 'CLOSED' || order.tradeState === 'REVOKED') {
    return {
      out_trade_no: order.outTradeNo,
      attach,
      trade_state: order.tradeState,
      trade_state_desc: STATE_TEXTS[order.tradeState],
    };
  }
  return {
    device_info: deviceInfo,
    total_fee: order.totalFen.toString(),
    out_trade_no: order.outTradeNo,
    trade_state: order.tradeState,
    trade_state_desc: STATE_TEXTS[order.tradeState],
  };
}

/** `/pay/closeorder` (关闭订单): ends an unpaid order, 5 minutes after it was made at the earliest. */
import { isOfSubMerchant } from './orderquery.ts';
import { isBeingPaid, isOpen, isPaid } from '../book/trade-state.ts';
import { fail, type Outcome, succeed } from './errors.ts';
import type { Service } from '../host/service.ts';
import type { Fields } from './wire.ts';

const EARLIEST_CLOSE_MS = 5 * 60 * 1000;

export function closeOrder(
  { orders, clock }: Pick<Service, 'orders' | 'clock'>,
  fields: Fields,
): Outcome {
  const outTradeNo = fields['out_trade_no'];
  if (!outTradeNo) {
    return fail('LACK_PARAMS', '缺少必填参数out_trade_no');
  }
  const order = orders.find(outTradeNo);
  if (!order || !isOfSubMerchant(order, fields)) {
    return fail('ORDERNOTEXIST');
  }
  if (isPaid(order)) {
    return fail('ORDERPAID');
  }
  if (!isOpen(order)) {
    return fail('ORDERCLOSED');
  }
  if (isBeingPaid(order)) {
    return fail('USERPAYING');
  }
  if (clock.now() - order.createdAtMs < EARLIEST_CLOSE_MS) {
    return fail('TRADE_STATE_ERROR', '订单生成后不能马上调用关单接口，最短调用时间间隔为5分钟');
  }
  orders.close(outTradeNo);
  return succeed({ result_msg: 'OK' });
}

/** `/pay/refundquery` (查询退款): one refund by its number, or those of an order by pages of 10. */
import type { Order } from '../book/orders.ts';
import type { Refund } from '../book/refunds.ts';
import type { Service } from '../host/service.ts';
import { fail, type Outcome, succeed } from './errors.ts';
import { isOfSubMerchant } from './orderquery.ts';
import { describeListed, describeRefundedOrder } from './refund-fields.ts';
import type { Fields } from './wire.ts';

const PAGE_SIZE = 10;

interface Named {
  readonly order: Order | undefined;
  /** Undefined: all of the order. */
  readonly refund?: Refund | undefined;
}

/** Of several numbers the first in WeChat's order counts: refund_id, out_refund_no, transaction_id, out_trade_no. */
export function findRefundsNamed(
  { orders, refunds }: Pick<Service, 'orders' | 'refunds'>,
  fields: Fields,
): Named {
  const { refund_id: refundId, out_refund_no: outRefundNo } = fields;
  if (refundId || outRefundNo) {
    const refund = refundId ? refunds.findById(refundId) : refunds.find(outRefundNo ?? '');
    return { order: refund && orders.find(refund.outTradeNo), refund };
  }
  const { transaction_id: transactionId, out_trade_no: outTradeNo } = fields;
  return {
    order: transactionId
      ? orders.findByTransactionId(transactionId)
      : orders.find(outTradeNo ?? ''),
  };
}

const NUMBERS = ['refund_id', 'out_refund_no', 'transaction_id', 'out_trade_no'];

export function queryRefunds(
  service: Pick<Service, 'orders' | 'refunds'>,
  fields: Fields,
): Outcome {
  if (!NUMBERS.some((name) => fields[name])) {
    return fail('PARAM_ERROR', `${NUMBERS.join('、')}不能同时为空`);
  }
  const { offset = '' } = fields;
  if (offset !== '' && !/^\d{1,9}$/.test(offset)) {
    return fail('PARAM_ERROR', 'offset参数格式错误');
  }
  const { order, refund } = findRefundsNamed(service, fields);
  if (!order || !isOfSubMerchant(order, fields)) {
    return fail('REFUNDNOTEXIST');
  }
  return refund
    ? succeed(describe(order, [refund], 1))
    : listPage(order, service.refunds.listOf(order.outTradeNo), Number(offset));
}

function listPage(order: Order, refunds: readonly Refund[], offset: number): Outcome {
  if (refunds.length === 0) {
    return fail('REFUNDNOTEXIST');
  }
  return offset >= refunds.length
    ? fail('PARAM_ERROR', 'offset超过退款总次数')
    : succeed(describe(order, refunds.slice(offset, offset + PAGE_SIZE), refunds.length));
}

/** The sum of the listed refunds is in no documentation, and in live answers. */
function describe(order: Order, refunds: readonly Refund[], total: number): Fields {
  const sumFen = refunds.reduce((sum, { refundFen }) => sum + refundFen, 0);
  return {
    ...describeRefundedOrder(order),
    refund_fee: sumFen.toString(),
    refund_count: refunds.length.toString(),
    total_refund_count: total.toString(),
    ...(Object.assign({}, ...refunds.map((one, n) => describeListed(order, one, n))) as Fields),
  };
}

/** Refund and query (申请退款、查询退款) of v3. */
import { judgeRefund, type RefundRefusal } from '../book/refund-rules.ts';
import { readRefundTermsV3, type RefundTerms } from '../book/refund-terms.ts';
import type { Order } from '../book/orders.ts';
import type { Refund } from '../book/refunds.ts';
import type { Service } from '../host/service.ts';
import { failV3, succeedV3, type V3Failure, type V3Outcome } from './errors.ts';
import { checkJson } from './json-shape.ts';
import type { Json } from './open-request.ts';
import { describeRefund } from './refund-fields.ts';
import { shapeOfRefund, shapeOfRefundQuery } from './refund-shape.ts';

/** A service provider refunds for its sub-merchants, at the same address as others. */
export const isProvider = ({ account }: Pick<Service, 'account'>) =>
  account.subMerchants().length > 0;

/** The provider has this sub-merchant. */
export function refuseSubMerchant(
  { account }: Pick<Service, 'account'>,
  { sub_mchid: subMchid }: Json,
): V3Failure | undefined {
  const isUnknown =
    subMchid !== undefined && !account.subMerchants().some((one) => one.subMchid === subMchid);
  return isUnknown
    ? failV3('NO_AUTH', { text: '受理关系不存在', note: 'this provider has no such sub-merchant' })
    : undefined;
}

/** The order that a request names: WeChat's number counts more than the merchant's. */
export function findOrderOf(
  { orders }: Pick<Service, 'orders'>,
  { transactionId, outTradeNo }: RefundTerms,
): Order | undefined {
  return transactionId ? orders.findByTransactionId(transactionId) : orders.find(outTradeNo);
}

/** The answer means accepted: what became of it is to be asked. */
export function refundOrderV3(service: Service, json: unknown, namesPublicKey: boolean): V3Outcome {
  const misshapen = checkJson(json, shapeOfRefund(isProvider(service)));
  if (misshapen) {
    return misshapen;
  }
  const request = json as Json;
  const terms = readRefundTermsV3(request);
  const refused = refuseSubMerchant(service, request) ?? refuseTerms(terms, request);
  if (refused) {
    return refused;
  }
  const judged = judgeRefund(service, findOrderOf(service, terms), terms, request);
  switch (judged.kind) {
    case 'refused':
      return REFUSALS[judged.why];
    case 'repeat':
      return succeedV3(describeRefund(judged.order, judged.refund));
    case 'new': {
      const application = { ...terms, api: 'v3', request, namesPublicKey } as const;
      const refund = service.refundDesk.accept(judged.order, application);
      return succeedV3(describeRefund(judged.order, refund));
    }
  }
}

function refuseTerms(terms: RefundTerms, request: Json): V3Failure | undefined {
  const refuse = (field: string, text: string, issue: string) =>
    failV3('PARAM_ERROR', { text, detail: { field, issue, location: 'body' }, note: issue });
  if (!terms.transactionId && !terms.outTradeNo) {
    const text = 'transaction_id和out_trade_no必须二选一';
    return refuse('/transaction_id', text, 'transaction_id or out_trade_no is needed');
  }
  if (terms.refundFen > terms.totalFen) {
    return refuse('/amount/refund', '退款金额大于原订单金额', 'refund is more than total');
  }
  const from = (request['amount'] as { from?: { amount: number }[] }).from ?? [];
  const sumFen = from.reduce((sum, { amount }) => sum + amount, 0);
  return from.length > 0 && sumFen !== terms.refundFen
    ? refuse('/amount/from', '出资金额之和与退款金额不一致', 'the sum of from is not refund')
    : undefined;
}

const REFUSALS: Readonly<Record<RefundRefusal, V3Failure>> = {
  ORDER_UNKNOWN: failV3('RESOURCE_NOT_EXISTS', { text: '订单不存在' }),
  ORDER_UNPAID: failV3('RESOURCE_NOT_EXISTS', {
    text: '订单不存在',
    note: 'the order is not paid',
  }),
  NUMBER_REUSED: failV3('INVALID_REQUEST', {
    text: '订单金额或退款金额与之前请求不一致，请核实后再试',
    internal: 268498688,
    note: 'this out_refund_no has been used with other parameters',
  }),
  TOTAL_DIFFERS: failV3('INVALID_REQUEST', {
    text: '订单金额或退款金额与之前请求不一致，请核实后再试',
    note: 'total is not that of the order',
  }),
  OVERDUE: failV3('INVALID_REQUEST', { text: '订单已经超过退款期限' }),
  ALL_REFUNDED: failV3('INVALID_REQUEST', { text: '订单已全额退款' }),
  EXCEEDS: failV3('INVALID_REQUEST', { text: '退款金额大于可退金额' }),
  TOO_MANY: failV3('INVALID_REQUEST', { text: '订单部分退款次数已达上限50次' }),
  TOO_SOON: failV3('INVALID_REQUEST', {
    text: '同一订单两次退款的间隔需大于1分钟，请稍后再试',
  }),
  BALANCE_SHORT: failV3('NOT_ENOUGH', { text: '基本账户余额不足，请充值后重新发起' }),
};

export function queryRefundV3(
  service: Service,
  refund: Refund | undefined,
  query: Json,
): V3Outcome {
  const refused =
    checkJson(query, shapeOfRefundQuery(isProvider(service)), '/query') ??
    refuseSubMerchant(service, query);
  if (refused) {
    return refused;
  }
  const order = refund && service.orders.find(refund.outTradeNo);
  return refund && order && order.terms.subMchid === (query['sub_mchid'] ?? '')
    ? succeedV3(describeRefund(order, refund))
    : failV3('RESOURCE_NOT_EXISTS', { text: '退款单不存在' });
}

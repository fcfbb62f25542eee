/** `/secapi/pay/refund` (申请退款): accepts a refund, or says once more that it did. */
import { judgeRefund, type RefundRefusal } from '../book/refund-rules.ts';
import { readRefundTermsV2 } from '../book/refund-terms.ts';
import type { Service } from '../host/service.ts';
import { fail, failWith, type Outcome, succeed } from './errors.ts';
import { describeAccepted } from './refund-fields.ts';
import { checkRefundRequest } from './refund-request.ts';
import type { Fields } from './wire.ts';

/** The answer means accepted: what became of it is to be asked. */
export function refundOrder(service: Service, fields: Fields): Outcome {
  const misshapen = checkRefundRequest(fields);
  if (misshapen) {
    return misshapen;
  }
  const request = withoutEnvelope(fields);
  const terms = readRefundTermsV2(request);
  const { orders } = service;
  const order = terms.transactionId
    ? orders.findByTransactionId(terms.transactionId)
    : orders.find(terms.outTradeNo);
  if (!order && terms.transactionId) {
    return fail('INVALID_TRANSACTIONID');
  }
  const judged = judgeRefund(service, order, terms, request);
  switch (judged.kind) {
    case 'refused':
      return REFUSALS[judged.why];
    case 'repeat':
      return succeed(describeAccepted(judged.order, judged.refund));
    case 'new': {
      const application = { ...terms, api: 'v2', request, namesPublicKey: false } as const;
      const refund = service.refundDesk.accept(judged.order, application);
      return succeed(describeAccepted(judged.order, refund));
    }
  }
}

/** An empty element says as little as an absent one. */
function withoutEnvelope({ nonce_str: _nonce, sign: _sign, ...request }: Fields): Fields {
  return Object.fromEntries(Object.entries(request).filter(([, value]) => value !== ''));
}

const REFUSALS: Readonly<Record<RefundRefusal, Outcome>> = {
  ORDER_UNKNOWN: failWith('ORDERNOTEXIST', 'refund'),
  ORDER_UNPAID: failWith('ORDERNOTEXIST', 'refund', { text: '订单未支付' }),
  NUMBER_REUSED: fail('REFUND_FEE_MISMATCH'),
  TOTAL_DIFFERS: fail('REFUND_FEE_MISMATCH'),
  OVERDUE: fail('TRADE_OVERDUE'),
  ALL_REFUNDED: fail('ERROR', '订单已全额退款'),
  EXCEEDS: fail('INVALID_REQUEST', 'refund_fee大于可退金额'),
  TOO_MANY: fail('INVALID_REQUEST', '订单部分退款次数已达上限50次'),
  TOO_SOON: fail('INVALID_REQUEST', '同一订单两次退款的间隔需大于1分钟，请稍后再试'),
  BALANCE_SHORT: failWith('NOTENOUGH', 'refund'),
};

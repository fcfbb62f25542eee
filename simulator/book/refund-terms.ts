/** What a request to refund says, under one set of names for both API versions. */
import type { OrderRequest } from './order-terms.ts';

export interface RefundTerms {
  readonly outRefundNo: string;
  /** Empty texts mean that the request does not say. One of the two names the order; WeChat's own wins. */
  readonly transactionId: string;
  readonly outTradeNo: string;
  readonly refundFen: number;
  readonly totalFen: number;
  readonly reason: string;
  readonly notifyUrl: string;
  readonly subMchid: string;
}

const text = (value: unknown) => (typeof value === 'string' ? value : '');

export const readRefundTermsV2 = (request: OrderRequest): RefundTerms => ({
  outRefundNo: text(request['out_refund_no']),
  transactionId: text(request['transaction_id']),
  outTradeNo: text(request['out_trade_no']),
  refundFen: Number(request['refund_fee']),
  totalFen: Number(request['total_fee']),
  reason: text(request['refund_desc']),
  notifyUrl: text(request['notify_url']),
  subMchid: text(request['sub_mch_id']),
});

export function readRefundTermsV3(request: OrderRequest): RefundTerms {
  const amount = (request['amount'] ?? {}) as OrderRequest;
  return {
    outRefundNo: text(request['out_refund_no']),
    transactionId: text(request['transaction_id']),
    outTradeNo: text(request['out_trade_no']),
    refundFen: Number(amount['refund']),
    totalFen: Number(amount['total']),
    reason: text(request['reason']),
    notifyUrl: text(request['notify_url']),
    subMchid: text(request['sub_mchid']),
  };
}

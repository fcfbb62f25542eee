/** One paid order, a refund of it that nobody has sent, and what WeChat would prove; tests change what matters. */
import type { Order } from '../../lib/order/order.ts';
import { newRefund } from '../../lib/refund/request.ts';
import type { Refund, RefundEvidence } from '../../lib/refund/refund.ts';
import { CREATED_AT, sampleOrder, samplePayment } from './sample-orders.ts';

const TRANSACTION = samplePayment().transactionId;
/** When the sample order was paid. */
export const PAID_AT = samplePayment().paidAtEpochSeconds;
/** When the sample refund was asked for: two minutes after the order was made. */
export const ASKED_AT = CREATED_AT + 120;
export const OUT_REFUND_NO = 'refund-0001';

/** The sample order of 28.00 yuan, paid. */
export const paidOrder = (changes: Partial<Order> = {}): Order & { transactionId: string } => ({
  ...sampleOrder({
    tradeState: 'SUCCESS',
    paidAtEpochSeconds: PAID_AT,
    nextCheckAtEpochSeconds: undefined,
    ...changes,
  }),
  transactionId: TRANSACTION,
});

/** A refund of 8.00 yuan. */
export const sampleRefund = (changes: Partial<Refund> = {}): Refund => ({
  ...newRefund(paidOrder(), {
    outRefundNo: OUT_REFUND_NO,
    refundFen: 800,
    source: 'API',
    nowMs: ASKED_AT * 1000,
    fingerprint: 'f'.repeat(64),
  }),
  refundRequest: { apiVersion: 'v2', fields: { out_refund_no: OUT_REFUND_NO, refund_fee: '800' } },
  ...changes,
});

/** What WeChat says of the sample refund once it has accepted it. */
export const refundEvidence = (changes: Partial<RefundEvidence> = {}): RefundEvidence => ({
  mchid: sampleRefund().mchid,
  outTradeNo: 'order-0001',
  transactionId: TRANSACTION,
  outRefundNo: OUT_REFUND_NO,
  refundId: '50000000382026030100000000001',
  refundFen: 800,
  totalFen: 2800,
  currency: 'CNY',
  status: 'PROCESSING',
  ...changes,
});

/** One unpaid order and the payment that WeChat would report for it; tests change what matters. */
import type { Order } from '../../lib/order/order.ts';
import type { ApiVersion } from '../../lib/order/parties.ts';
import type { StoredRequest } from '../../lib/order/stored-request.ts';
import type { PaymentEvidence } from '../../lib/order/transition.ts';
import type { RefundEvidence } from '../../lib/refund/refund.ts';
import type { RefundReference } from '../../lib/wechatpay/refund-results.ts';

/** 2026-03-01T02:00:00Z, 10:00 in Beijing. */
export const CREATED_AT = 1_772_330_400;

export const APPID = 'wx8888888888888888';
export const MCHID = '1900000109';
export const OPENID = 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o';

/** What created the sample order at WeChat, as far as a test needs it. */
function sampleRequest(apiVersion: ApiVersion, outTradeNo: string): StoredRequest {
  return apiVersion === 'v2'
    ? {
        apiVersion,
        fields: { appid: APPID, mch_id: MCHID, out_trade_no: outTradeNo, total_fee: '2800' },
      }
    : {
        apiVersion,
        path: '/v3/pay/transactions/jsapi',
        body: JSON.stringify({ appid: APPID, mchid: MCHID, out_trade_no: outTradeNo }),
      };
}

/** An order of 28.00 yuan that lives for half an hour. */
export function sampleOrder(changes: Partial<Order> = {}): Order {
  const outTradeNo = changes.outTradeNo ?? 'order-0001';
  const createdAtEpochSeconds = changes.createdAtEpochSeconds ?? CREATED_AT;
  return {
    merchantKey: '',
    outTradeNo,
    openid: OPENID,
    appid: APPID,
    mchid: MCHID,
    totalFen: 2800,
    currency: 'CNY',
    description: '拿铁',
    tradeState: 'NOTPAY',
    createdAtEpochSeconds,
    expiresAtEpochSeconds: createdAtEpochSeconds + 1800,
    fingerprint: 'f'.repeat(64),
    apiVersion: 'v2',
    prepayRequest: sampleRequest(changes.apiVersion ?? 'v2', outTradeNo),
    checks: 0,
    nextCheckAtEpochSeconds: createdAtEpochSeconds + 60,
    ...changes,
  };
}

/** A payment that agrees with `sampleOrder` in everything. */
export function samplePayment(changes: Partial<PaymentEvidence> = {}): PaymentEvidence {
  return {
    outTradeNo: 'order-0001',
    transactionId: '4200000001202603010000000001',
    appid: APPID,
    mchid: MCHID,
    openid: OPENID,
    totalFen: 2800,
    currency: 'CNY',
    bankType: 'OTHERS',
    paidAtEpochSeconds: CREATED_AT + 40,
    ...changes,
  };
}

/** An order of the deployment's first merchant. */
export const orderId = (outTradeNo = 'order-0001') => ({ merchantKey: '', outTradeNo });

/** A refund of 8.00 yuan of the sample order, once it is paid. */
export const sampleRefund = (changes: Partial<RefundReference> = {}): RefundReference => ({
  appid: APPID,
  mchid: MCHID,
  outTradeNo: 'order-0001',
  transactionId: '4200000001202603010000000001',
  outRefundNo: 'refund-0001',
  refundFen: 800,
  totalFen: 2800,
  currency: 'CNY',
  ...changes,
});

/** What WeChat proves of it when it has just been accepted. */
export const sampleRefundEvidence = (changes: Partial<RefundEvidence> = {}): RefundEvidence => ({
  mchid: MCHID,
  outTradeNo: 'order-0001',
  transactionId: '4200000001202603010000000001',
  outRefundNo: 'refund-0001',
  refundId: '50000000382026030100000000001',
  refundFen: 800,
  totalFen: 2800,
  currency: 'CNY',
  status: 'PROCESSING',
  ...changes,
});

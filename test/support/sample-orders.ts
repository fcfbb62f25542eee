/** One unpaid order and the payment that WeChat would report for it; tests change what matters. */
import type { Order } from '../../lib/order/order.ts';
import type { PaymentEvidence } from '../../lib/order/transition.ts';

/** 2026-03-01T02:00:00Z, 10:00 in Beijing. */
export const CREATED_AT = 1_772_330_400;

export const APPID = 'wx8888888888888888';
export const MCHID = '1900000109';
export const OPENID = 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o';

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
    prepayRequest: { appid: APPID, mch_id: MCHID, out_trade_no: outTradeNo, total_fee: '2800' },
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

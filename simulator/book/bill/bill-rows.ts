/** What a day's bill says, row by row, before it is written: every payment and every refund of the book. */
import type { Account } from '../account.ts';
import { formatBeijingForPeople } from '../clock.ts';
import type { Order, Orders } from '../orders.ts';
import { readPayer } from '../payer.ts';
import { couponFenOf, settlementFenOf } from '../payment.ts';
import { divideRefund } from '../refund-amounts.ts';
import type { Refund, Refunds, RefundStatus } from '../refunds.ts';
import type { Users } from '../users.ts';
import { boundsOfDay, readyAt } from './bill-day.ts';
import { feeOf } from './bill-money.ts';

/** Amounts in fen. A payment has no amounts of refunds, and a refund no amounts of payments. */
export interface BillRow {
  readonly tradeState: 'SUCCESS' | 'REFUND' | 'REVOKED';
  /** `2026-11-24 23:59:59`: of a payment when it succeeded, of a refund when it was asked for. */
  readonly time: string;
  readonly appid: string;
  readonly mchid: string;
  /** Empty: a direct merchant. */
  readonly subMchid: string;
  readonly deviceInfo: string;
  readonly transactionId: string;
  readonly outTradeNo: string;
  readonly openid: string;
  readonly tradeType: string;
  readonly orderedFen: number;
  readonly settledFen: number;
  readonly couponFen: number;
  /** Empty texts: a payment. */
  readonly refundId: string;
  readonly outRefundNo: string;
  readonly requestedRefundFen: number;
  readonly settledRefundFen: number;
  readonly couponRefundFen: number;
  readonly refundType: string;
  readonly refundStatus: string;
  /** Empty: the money had not arrived when the bill was made. */
  readonly refundedAt: string;
  readonly productName: string;
  readonly attach: string;
  /** Negative where it is given back. */
  readonly feeFen: number;
  /** `0.60%` */
  readonly rate: string;
}

/** Says nothing and adds nothing. */
export const EMPTY_ROW: BillRow = {
  tradeState: 'SUCCESS',
  time: '',
  appid: '',
  mchid: '',
  subMchid: '',
  deviceInfo: '',
  transactionId: '',
  outTradeNo: '',
  openid: '',
  tradeType: '',
  orderedFen: 0,
  settledFen: 0,
  couponFen: 0,
  refundId: '',
  outRefundNo: '',
  requestedRefundFen: 0,
  settledRefundFen: 0,
  couponRefundFen: 0,
  refundType: '',
  refundStatus: '',
  refundedAt: '',
  productName: '',
  attach: '',
  feeFen: 0,
  rate: '',
};

export interface Ledger {
  readonly orders: Orders;
  readonly refunds: Refunds;
  readonly users: Users;
  readonly account: Account;
}

/** The rows of one day as they happened, in the order of time. */
export function readBillRows(ledger: Ledger, date: string): BillRow[] {
  const bounds = boundsOfDay(date);
  const payments = ledger.orders
    .listPaidBetween(...bounds)
    .map((order) => ({ atMs: order.paidAtMs ?? 0, row: describePaid(ledger, order) }));
  const refunds = ledger.refunds.listAcceptedBetween(...bounds).flatMap((refund) => {
    const order = ledger.orders.find(refund.outTradeNo);
    const row = order && describeRefunded(ledger, order, refund, readyAt(date));
    return row ? [{ atMs: refund.createdAtMs, row }] : [];
  });
  return [...payments, ...refunds].toSorted((a, b) => a.atMs - b.atMs).map(({ row }) => row);
}

const describeOrder = ({ users, account }: Ledger, order: Order) => ({
  appid: account.current().appid,
  mchid: account.current().mchid,
  subMchid: order.terms.subMchid,
  deviceInfo: order.terms.deviceInfo,
  transactionId: order.transactionId ?? '',
  outTradeNo: order.outTradeNo,
  openid: readPayer(users, order).openid,
  tradeType: order.terms.tradeType,
  productName: order.terms.productName,
  attach: order.terms.attach,
  rate: account.feeRate(),
});

function describePaid(ledger: Ledger, order: Order): BillRow {
  const settledFen = settlementFenOf(order.totalFen, order.payment);
  return {
    ...EMPTY_ROW,
    ...describeOrder(ledger, order),
    tradeState: 'SUCCESS',
    time: formatBeijingForPeople(order.paidAtMs ?? 0),
    orderedFen: order.totalFen,
    settledFen,
    couponFen: couponFenOf(order.payment),
    feeFen: feeOf(settledFen, ledger.account.feeRate()),
  };
}

/** A row's state is that of the moment in which the bill was made, and stays so. */
const STATUSES: Readonly<Record<RefundStatus, string>> = {
  PROCESSING: 'PROCESSING',
  SUCCESS: 'SUCCESS',
  CLOSED: 'REFUNDCLOSE',
  ABNORMAL: 'CHANGE',
};

function describeRefunded(ledger: Ledger, order: Order, refund: Refund, madeAtMs: number): BillRow {
  const { settlementRefundFen, coupons } = divideRefund(order, refund);
  const { endedAtMs } = refund;
  const status = endedAtMs !== null && endedAtMs <= madeAtMs ? refund.status : 'PROCESSING';
  return {
    ...EMPTY_ROW,
    ...describeOrder(ledger, order),
    tradeState: 'REFUND',
    time: formatBeijingForPeople(refund.createdAtMs),
    refundId: refund.refundId,
    outRefundNo: refund.outRefundNo,
    requestedRefundFen: refund.refundFen,
    settledRefundFen: settlementRefundFen,
    couponRefundFen: coupons
      .filter(({ type }) => type === 'CASH')
      .reduce((sum, { refundFen }) => sum + refundFen, 0),
    refundType: refund.channel,
    refundStatus: STATUSES[status],
    refundedAt: status === 'SUCCESS' ? formatBeijingForPeople(endedAtMs ?? 0) : '',
    feeFen: -feeOf(settlementRefundFen, ledger.account.feeRate()),
  };
}

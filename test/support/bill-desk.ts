/** A day with its bill: orders in a real table, a WeChat that says what a test wants, files in memory. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { BillContext } from '../../lib/daily-bill/context.ts';
import { checkBill } from '../../lib/daily-bill/run.ts';
import type { RefundEvidence } from '../../lib/refund/refund.ts';
import { createOrder } from '../../lib/table/checkout.ts';
import type { Table } from '../../lib/table/client.ts';
import { applyEvidence } from '../../lib/table/order-transition.ts';
import type { TradeBillResult } from '../../lib/wechatpay/bill-file.ts';
import type { QueryResult } from '../../lib/wechatpay/operations.ts';
import type { RefundQueryResult } from '../../lib/wechatpay/refund-results.ts';
import { memoryFiles } from './memory-files.ts';
import { recordingLog } from './recording-log.ts';
import { billOf, type Cells, LAYOUTS, REFUND, rowOf } from './sample-bills.ts';
import { APPID, MCHID, orderId, sampleOrder, samplePayment } from './sample-orders.ts';
import { refundEvidence } from './sample-refunds.ts';

/** The day of the bill, and moments around it. */
export const DAY = '2026-11-24';
export const NOON = Date.parse('2026-11-24T12:00:00+08:00') / 1000;
export const MIDNIGHT = Date.parse('2026-11-25T00:00:00+08:00') / 1000;
/** 10:30 of the next day. */
export const MORNING = MIDNIGHT + 37_800;

export const transactionOf = (outTradeNo: string) => `42${outTradeNo}`;

const yuan = (fen: number) => (fen / 100).toFixed(2);

/** A line of the bill; 28.00 yuan unless said otherwise. */
export const paymentLine = (outTradeNo: string, fen = 2_800, cells: Cells = {}) =>
  rowOf(LAYOUTS.all, {
    微信订单号: transactionOf(outTradeNo),
    商户订单号: outTradeNo,
    应结订单金额: yuan(fen),
    订单金额: yuan(fen),
    手续费: '0.17000',
    ...cells,
  });

export const refundLine = (outTradeNo: string, outRefundNo: string, fen = 800) =>
  rowOf(LAYOUTS.all, {
    ...REFUND,
    微信订单号: transactionOf(outTradeNo),
    商户订单号: outTradeNo,
    商户退款单号: outRefundNo,
    退款金额: yuan(fen),
    申请退款金额: yuan(fen),
    手续费: '-0.05000',
  });

/** A whole bill, whose sums are right. */
export function csvOf(lines: readonly string[]): string {
  const headings = LAYOUTS.all.split(',');
  const sum = (heading: string, digits: number) => {
    const at = headings.indexOf(heading);
    const cells = lines.map((line) => Number(line.slice(1).split(',`')[at]));
    return cells.reduce((all, each) => all + each, 0).toFixed(digits);
  };
  const sums = [
    String(lines.length),
    sum('应结订单金额', 2),
    sum('退款金额', 2),
    sum('充值券退款金额', 2),
    sum('手续费', 5),
    sum('订单金额', 2),
    sum('申请退款金额', 2),
  ];
  return billOf(LAYOUTS.all, lines, sums.map((value) => `\`${value}`).join(','));
}

const sha1Of = (text: string) => createHash('sha1').update(text).digest('hex');

export interface BillDesk {
  readonly table: Table;
  readonly log: ReturnType<typeof recordingLog>;
  /** The answer to the next question for the bill. */
  bill: TradeBillResult;
  nowSeconds: number;
  /** What WeChat says when it is asked about an order, or a refund. */
  readonly orders: Map<string, QueryResult>;
  readonly refunds: Map<string, RefundEvidence>;
  /** What WeChat was asked. */
  readonly asked: string[];
  readonly files: ReturnType<typeof memoryFiles>;
  context(changes?: Partial<BillContext>): BillContext;
  check(date?: string, runId?: string): ReturnType<typeof checkBill>;
  /** Makes an order here that is paid, as WeChat told. */
  pay(outTradeNo: string, paidAt?: number): Promise<void>;
  offer(lines: readonly string[]): string;
}

export function billDesk(table: Table): BillDesk {
  const log = recordingLog();
  const files = memoryFiles();
  let runs = 0;
  const desk: BillDesk = {
    table,
    log,
    files,
    bill: { kind: 'empty' },
    nowSeconds: MORNING,
    orders: new Map(),
    refunds: new Map(),
    asked: [],
    context: (changes = {}) => ({
      table,
      log,
      nowMs: () => desk.nowSeconds * 1000,
      paymentAfterClose: 'keep',
      bills: () => ({ downloadTradeBill: async () => desk.bill }),
      findParties: async () => ({ appid: APPID, mchid: MCHID }),
      isForeign: (outTradeNo) => outTradeNo.startsWith('foreign'),
      openTemporaryFiles: async () => files,
      startTimer: () => () => undefined,
      remainingMs: () => 900_000,
      wechatPay: () => ({
        queryOrder: async ({ outTradeNo }): Promise<QueryResult> => {
          desk.asked.push(outTradeNo);
          return desk.orders.get(outTradeNo) ?? { kind: 'not-found' };
        },
        queryRefund: async ({ outRefundNo }): Promise<RefundQueryResult> => {
          desk.asked.push(outRefundNo);
          const refund = desk.refunds.get(outRefundNo);
          return refund ? { kind: 'found', refund } : { kind: 'not-found' };
        },
      }),
      ...changes,
    }),
    check: (date = DAY, runId = `run-${(runs += 1)}`) => checkBill(desk.context(), { date, runId }),
    pay: async (outTradeNo, paidAt = NOON) => {
      await createOrder(table, orderAt(outTradeNo, paidAt));
      await applyEvidence(table, orderId(outTradeNo), paymentOf(outTradeNo, paidAt), paidAt + 1);
    },
    offer: (lines) => {
      const text = csvOf(lines);
      desk.bill = {
        kind: 'downloaded',
        sha1: sha1Of(text),
        open: () => Readable.from([Buffer.from(text)]),
      };
      return sha1Of(text);
    },
  };
  return desk;
}

export const orderAt = (outTradeNo: string, at: number) =>
  sampleOrder({ outTradeNo, createdAtEpochSeconds: at - 60 });

/** WeChat's proof of a payment. */
export const paymentOf = (outTradeNo: string, paidAt = NOON, totalFen = 2_800) =>
  ({
    kind: 'paid',
    refunded: false,
    payment: samplePayment({
      outTradeNo,
      transactionId: transactionOf(outTradeNo),
      paidAtEpochSeconds: paidAt,
      totalFen,
    }),
  }) as const;

/** WeChat's proof of a refund. */
export const refundOf = (
  outTradeNo: string,
  outRefundNo: string,
  changes: Partial<RefundEvidence> = {},
) =>
  refundEvidence({
    outTradeNo,
    outRefundNo,
    transactionId: transactionOf(outTradeNo),
    status: 'SUCCESS',
    createdAtEpochSeconds: NOON,
    succeededAtEpochSeconds: NOON + 3,
    ...changes,
  });

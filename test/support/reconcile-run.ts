/** One run of reconcile over a table, with WeChat's word given order by order. */
import { checkOrder } from '../../lib/reconcile/order.ts';
import { startPatience } from '../../lib/reconcile/patience.ts';
import { runReconcile } from '../../lib/reconcile/run.ts';
import type { Table } from '../../lib/table/client.ts';
import type { CloseResult, OrderReference, QueryResult } from '../../lib/wechatpay/operations.ts';
import { recordingLog } from './recording-log.ts';
import { CREATED_AT } from './sample-orders.ts';

export interface WechatBook {
  /** What WeChat answers about an order; unpaid where nothing is said. */
  readonly query?: (outTradeNo: string) => Promise<QueryResult>;
  readonly close?: (outTradeNo: string) => Promise<CloseResult>;
}

export const unpaid: QueryResult = { kind: 'not-paid', tradeState: 'NOTPAY' };

interface RunOptions {
  readonly wechat?: WechatBook;
  /** Seconds after the sample order was made. */
  readonly at?: number;
  /** In place of `at`: a clock that a test moves. */
  readonly clock?: { at: number };
  readonly shards?: readonly number[];
  readonly remainingMs?: () => number;
  readonly onProgress?: () => void;
}

const unexpected = async () => Promise.reject(new Error('nothing is refunded here'));

/** WeChat's refunds where there are none. */
export const NO_REFUNDS = {
  buildRefundRequest: () => {
    throw new Error('nothing is refunded here');
  },
  refund: unexpected,
  queryRefund: unexpected,
  listRefunds: unexpected,
};

/** Runs reconcile once; `calls` are those to WeChat, such as `close order-0001`, in order. */
export async function runOnce(table: Table, options: RunOptions = {}) {
  const { wechat = {}, at = 60, clock = { at }, remainingMs = () => 55_000 } = options;
  const log = recordingLog();
  const calls: string[] = [];
  const wechatPay = {
    queryOrder: async ({ outTradeNo }: OrderReference) => {
      calls.push(`query ${outTradeNo}`);
      return wechat.query?.(outTradeNo) ?? unpaid;
    },
    closeOrder: async ({ outTradeNo }: OrderReference) => {
      calls.push(`close ${outTradeNo}`);
      return wechat.close?.(outTradeNo) ?? 'closed';
    },
  };
  const nowMs = () => (CREATED_AT + clock.at) * 1000;
  const context = {
    table,
    wechatPay: () => ({ ...NO_REFUNDS, ...wechatPay }),
    paymentAfterClose: 'keep',
    notifyBaseUrl: 'https://pay.example.com',
  } as const;
  const check = { ...context, log, nowMs, remainingMs, patience: startPatience() };
  const summary = await runReconcile(
    { ...check, shards: options.shards, onProgress: options.onProgress ?? (() => undefined) },
    {
      order: (id, row) => checkOrder(check, id, row),
      refund: async () => Promise.reject(new Error('nothing is refunded here')),
    },
  );
  return { summary, calls, log };
}

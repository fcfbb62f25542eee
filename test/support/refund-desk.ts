/** The refunds of one shop: its table, WeChat's book, and a clock that the test sets. */
import type { RefundWish } from '../../lib/refund/request.ts';
import { requestRefund } from '../../lib/evidence/refund-request.ts';
import { digestOfKey } from '../../lib/refund/request.ts';
import { checkOrder } from '../../lib/reconcile/order.ts';
import { checkRefund } from '../../lib/reconcile/refund.ts';
import { startPatience } from '../../lib/reconcile/patience.ts';
import { runReconcile } from '../../lib/reconcile/run.ts';
import type { Table } from '../../lib/table/client.ts';
import { readRefund } from '../../lib/table/refunds.ts';
import { recordingLog } from './recording-log.ts';
import { openRefundBook } from './refund-book.ts';
import { orderId } from './sample-orders.ts';
import { ASKED_AT } from './sample-refunds.ts';

const unexpected = async () => Promise.reject(new Error('no order is asked about here'));

export function openRefundDesk(table: Table) {
  const clock = { at: ASKED_AT };
  const nowMs = () => clock.at * 1000;
  const log = recordingLog();
  const wechat = openRefundBook();
  wechat.useClock(nowMs);
  const orders = { queryOrder: unexpected, closeOrder: unexpected };
  const context = {
    table,
    log,
    nowMs,
    wechatPay: () => ({ ...orders, ...wechat.wechatPay }),
    notifyBaseUrl: 'https://pay.example.com',
    paymentAfterClose: 'keep' as const,
    remainingMs: () => 55_000,
  };
  return {
    clock,
    log,
    wechat,
    context,
    /** What a caller asks for; with a key unless the number is given. */
    ask: async (wish: RefundWish = {}, key?: string, on: Table = table) =>
      requestRefund({ ...context, table: on }, orderId(), wish, {
        keyDigest: key === undefined ? undefined : digestOfKey(key),
        requestedBy: 'arn:aws:iam::123456789012:user/shop',
      }),
    /** One run of reconcile, so many seconds after the sample refund was asked for. */
    reconcile: async (afterSeconds: number, on: Table = table) => {
      clock.at = ASKED_AT + afterSeconds;
      const check = { ...context, table: on, patience: startPatience() };
      return runReconcile(
        { ...check, remainingMs: () => 55_000, onProgress: () => undefined },
        { order: (id) => checkOrder(check, id), refund: (id) => checkRefund(check, id) },
      );
    },
    stored: async (outRefundNo: string) =>
      (await readRefund(table, { ...orderId(), outRefundNo })).refund,
  };
}

/** Asks WeChat about an order that looks unpaid, not more often than every few seconds. */
import { describeError, type Log } from './log.ts';
import { isOpen, isPaid, type Order } from './order/order.ts';
import { evidenceOf, settle } from './settlement.ts';
import type { Table } from './table/client.ts';
import { markChecked, readOrder } from './table/orders.ts';
import type { WechatPayOf } from './wechatpay/open.ts';

export interface RefreshContext {
  readonly table: Table;
  readonly wechatPay: WechatPayOf<'queryOrder'>;
  readonly log: Log;
  readonly nowMs: number;
}

/** A client that polls gets WeChat's word at this pace and the row in between. */
const FRESH_SECONDS = 3;
const WECHAT_TIMEOUT_MS = 5_000;

/**
 * The order as WeChat knows it now. When WeChat cannot be asked, the order as it was known: a
 * buyer must be able to see an order while WeChat is down.
 */
export async function refreshOrder(context: RefreshContext, order: Order): Promise<Order> {
  if (!isOpen(order) || isFresh(order, context.nowMs)) return order;
  try {
    return await ask(context, order);
  } catch (error) {
    context.log.warn('WeChat could not be asked about an order', {
      outTradeNo: order.outTradeNo,
      ...describeError(error),
    });
    return order;
  }
}

function isFresh(order: Order, nowMs: number): boolean {
  const ageMs = nowMs - (order.checkedAtEpochSeconds ?? 0) * 1000;
  return ageMs >= 0 && ageMs < FRESH_SECONDS * 1000;
}

async function ask(context: RefreshContext, order: Order): Promise<Order> {
  const { table, wechatPay, nowMs } = context;
  const { outTradeNo } = order;
  const result = await wechatPay(order.apiVersion).queryOrder(order, {
    timeoutMs: WECHAT_TIMEOUT_MS,
  });
  const evidence = evidenceOf(result);
  const nowEpochSeconds = Math.floor(nowMs / 1000);
  if (!evidence) {
    await markChecked(table, outTradeNo, nowEpochSeconds);
    return order;
  }
  const decision = await settle(context, outTradeNo, evidence);
  // It stays open until a person has looked into it; that is no reason to ask at every poll.
  if (decision.kind === 'mismatch') await markChecked(table, outTradeNo, nowEpochSeconds);
  if (decision.kind !== 'apply') return (await readOrder(table, outTradeNo)) ?? order;
  const changed = { ...order, tradeState: decision.to };
  if (!isPaid(changed) || evidence.kind !== 'paid') return changed;
  const { transactionId, paidAtEpochSeconds } = evidence.payment;
  return { ...changed, transactionId, paidAtEpochSeconds };
}

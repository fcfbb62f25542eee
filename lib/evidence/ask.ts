/** Asks WeChat about an order that looks unpaid, not more often than every few seconds. */
import { ConfigError } from '../errors.ts';
import { describeError, type Log } from '../runtime/log.ts';
import { isOpen, isPaid, type Order } from '../order/order.ts';
import { evidenceOf, settle } from './record.ts';
import type { Table } from '../table/client.ts';
import { claimCheck } from '../table/due.ts';
import { readOrder } from '../table/orders.ts';
import type { WechatPayOf } from '../wechatpay/open.ts';

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
  if (!isOpen(order) || isFresh(order, context.nowMs)) {
    return order;
  }
  try {
    return await askInTurn(context, order);
  } catch (error) {
    context.log.warn('WeChat could not be asked about an order', {
      outTradeNo: order.outTradeNo,
      ...describeError(error),
    });
    if (error instanceof ConfigError) {
      context.log.count('ConfigError');
    }
    return order;
  }
}

function isFresh(order: Order, nowMs: number): boolean {
  const ageMs = nowMs - (order.checkedAtEpochSeconds ?? 0) * 1000;
  return ageMs >= 0 && ageMs < FRESH_SECONDS * 1000;
}

/**
 * The turn is taken before WeChat is asked: of many who look at the same moment one asks, and a
 * WeChat that fails is not asked more often than one that answers.
 */
async function askInTurn(context: RefreshContext, order: Order): Promise<Order> {
  const { table, wechatPay, nowMs } = context;
  const nowEpochSeconds = Math.floor(nowMs / 1000);
  if ((await claimCheck(table, order, nowEpochSeconds, FRESH_SECONDS)) === 'taken') {
    return order;
  }
  const result = await wechatPay(order).queryOrder(order, {
    timeoutMs: WECHAT_TIMEOUT_MS,
  });
  const evidence = evidenceOf(result);
  if (!evidence) {
    return order;
  }
  const decision = await settle(context, order, evidence);
  if (decision.kind !== 'apply') {
    return (await readOrder(table, order)) ?? order;
  }
  const changed = { ...order, tradeState: decision.to };
  if (!isPaid(changed) || evidence.kind !== 'paid') {
    return changed;
  }
  const { transactionId, paidAtEpochSeconds } = evidence.payment;
  return { ...changed, transactionId, paidAtEpochSeconds };
}

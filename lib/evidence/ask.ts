/** Asks WeChat about an order; for a buyer who looks, not more often than every few seconds. */
import { countFailure } from '../runtime/count-failure.ts';
import { describeError } from '../runtime/log.ts';
import { isOpen, type Order } from '../order/order.ts';
import {
  type EvidenceContext,
  evidenceOf,
  orderAfter,
  type Recorded,
  recordEvidence,
} from './record.ts';
import { claimCheck } from '../table/due.ts';
import type { WechatPayOf } from '../wechatpay/open.ts';
import type { CallOptions } from '../wechatpay/operations.ts';

export interface AskContext extends EvidenceContext {
  readonly wechatPay: WechatPayOf<'queryOrder'>;
}

/** Asks WeChat about an order and records what it proves; nothing while it is simply unpaid. */
export async function askAndRecord(
  context: AskContext,
  order: Order,
  options: CallOptions,
): Promise<Recorded | undefined> {
  const result = await context.wechatPay(order).queryOrder(order, options);
  const evidence = evidenceOf(result);
  return evidence && { evidence, decision: await recordEvidence(context, order, evidence) };
}

/** A client that polls gets WeChat's word at this pace and the row in between. */
const FRESH_SECONDS = 3;
const WECHAT_TIMEOUT_MS = 5_000;

/**
 * The order as WeChat knows it now. When WeChat cannot be asked, the order as it was known: a
 * buyer must be able to see an order while WeChat is down.
 */
export async function refreshOrder(context: AskContext, order: Order): Promise<Order> {
  if (!isOpen(order) || isFresh(order, context.nowMs())) {
    return order;
  }
  try {
    return await askInTurn(context, order);
  } catch (error) {
    context.log.warn('WeChat could not be asked about an order', {
      outTradeNo: order.outTradeNo,
      ...describeError(error),
    });
    countFailure(context.log, error);
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
async function askInTurn(context: AskContext, order: Order): Promise<Order> {
  const { table, nowMs } = context;
  const nowEpochSeconds = Math.floor(nowMs() / 1000);
  if ((await claimCheck(table, order, nowEpochSeconds, FRESH_SECONDS)) === 'taken') {
    return order;
  }
  const recorded = await askAndRecord(context, order, { timeoutMs: WECHAT_TIMEOUT_MS });
  return recorded ? orderAfter(table, order, recorded) : order;
}

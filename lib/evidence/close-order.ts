/** Closes an order: asks WeChat to close it, asks what it is, and records what both prove. */
import { ConfigError } from '../errors.ts';
import { countFailure } from '../runtime/count-failure.ts';
import { describeError } from '../runtime/log.ts';
import type { Order } from '../order/order.ts';
import type { Evidence } from '../order/transition.ts';
import { isTooYoungToClose, mayStillBePlaced } from '../order/pace.ts';
import type { WechatPayOf } from '../wechatpay/open.ts';
import type { CallOptions, CloseResult } from '../wechatpay/operations.ts';
import { type EvidenceContext, evidenceOf, type Recorded, recordEvidence } from './record.ts';

export interface CloseContext extends EvidenceContext {
  readonly wechatPay: WechatPayOf<'queryOrder' | 'closeOrder'>;
}

/**
 * What became of the order; nothing while it may still be paid. WeChat is asked also after a close,
 * whether it worked or not: a payment may have won the race, and only the query can tell. A close
 * that WeChat refuses for the order's age is not asked for, unless WeChat does not know the order.
 *
 * @param options hold for each of the two calls.
 * @throws what the close failed with, when the query does not show how the order ended; and
 * everything that the query throws.
 */
export async function closeAndRecord(
  context: CloseContext,
  order: Order,
  options: CallOptions,
): Promise<Recorded | undefined> {
  const now = Math.floor(context.nowMs() / 1000);
  const isTooYoung = isTooYoungToClose(order, now);
  let close: Close = isTooYoung ? NOT_YET : await tryClose(context, order, options);
  const result = await context.wechatPay(order).queryOrder(order, options);
  const neverCame = result.kind === 'not-found' && !mayStillBePlaced(order, now);
  if (isTooYoung && neverCame) {
    close = await tryClose(context, order, options);
  }
  const evidence = evidenceOf(result) ?? (neverCame ? closedByBoth(close) : undefined);
  if (evidence) {
    reportRefusal(context, order, close);
    return { evidence, decision: await recordEvidence(context, order, evidence) };
  }
  if ('error' in close) {
    throw close.error;
  }
  return undefined;
}

/** The order has ended, whatever the close failed with; but what the owner must mend stays to be told. */
function reportRefusal({ log }: CloseContext, { outTradeNo }: Order, close: Close): void {
  if ('error' in close && close.error instanceof ConfigError) {
    log.warn('WeChat could not be asked to close an order', {
      outTradeNo,
      ...describeError(close.error),
    });
    countFailure(log, close.error);
  }
}

type Close = { readonly result: CloseResult } | { readonly error: unknown };

const NOT_YET: Close = { result: 'not-yet' };

async function tryClose(
  { wechatPay }: CloseContext,
  order: Order,
  options: CallOptions,
): Promise<Close> {
  try {
    return { result: await wechatPay(order).closeOrder(order, options) };
  } catch (error) {
    return { error };
  }
}

/**
 * An order that WeChat's query does not know, and that no `prepay` brings there any more, is closed
 * here once the close says so too (API v3 "closes" numbers that never existed): a query that does
 * not find what the close found paid is a lagging host.
 */
function closedByBoth(close: Close): Evidence | undefined {
  const isGone = 'result' in close && (close.result === 'not-found' || close.result === 'closed');
  return isGone ? { kind: 'closed' } : undefined;
}

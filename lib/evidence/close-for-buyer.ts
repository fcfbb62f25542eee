/** Closes an order for the buyer who gives it up. */
import { OrderConflictError } from '../errors.ts';
import { isOpen, isPaid, type Order } from '../order/order.ts';
import { countFailure } from '../runtime/count-failure.ts';
import { describeError } from '../runtime/log.ts';
import { markClosing } from '../table/closing.ts';
import { type CloseContext, closeAndRecord } from './close-order.ts';
import { orderAfter } from './record.ts';

/** Of each of the two calls, so that both and the writes fit into the function's time. */
const WECHAT_TIMEOUT_MS = 4_000;

/**
 * The order as it is after everything that can be done for it now: closed, paid where a payment won
 * the race, or `closing` while WeChat cannot close it yet or nothing is certain. Once it is marked
 * nobody can pay it anew through `prepay`, and reconcile ends it; so no failure after that is one
 * for the buyer.
 *
 * @throws {OrderConflictError} `ORDER_ALREADY_PAID` when it was paid before.
 * @throws {OrderNotFoundError} when it is gone.
 */
export async function closeForBuyer(context: CloseContext, order: Order): Promise<Order> {
  const { outTradeNo } = order;
  if (isPaid(order)) {
    throw new OrderConflictError('ORDER_ALREADY_PAID', { outTradeNo });
  }
  const closing = await mark(context, order);
  if (!isOpen(closing)) {
    return closing;
  }
  try {
    const recorded = await closeAndRecord(context, closing, { timeoutMs: WECHAT_TIMEOUT_MS });
    return recorded ? await orderAfter(context.table, closing, recorded) : closing;
  } catch (error) {
    context.log.warn('an order could not be closed yet', { outTradeNo, ...describeError(error) });
    countFailure(context.log, error);
    return closing;
  }
}

async function mark({ table, log, nowMs }: CloseContext, order: Order): Promise<Order> {
  if (!isOpen(order) || order.closingAtEpochSeconds !== undefined) {
    return order;
  }
  const marked = await markClosing(table, order, Math.floor(nowMs() / 1000));
  log.info('the buyer gives an order up', {
    outTradeNo: order.outTradeNo,
    tradeState: marked.tradeState,
  });
  return marked;
}

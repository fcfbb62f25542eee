/** WeChat's operations with a limit that holds for everything in them, the reading of keys too. */
import { ServiceError, WechatPayTransportError } from '../errors.ts';
import type { CallOptions } from '../wechatpay/operations.ts';
import type { CheckContext } from './context.ts';

type LimitedContext = Pick<CheckContext, 'table' | 'wechatPay' | 'patience' | 'nowMs'>;

/**
 * The same operations, each of which ends with its `timeoutMs`, or sooner where the run has learned
 * not to wait. What comes later is not waited for: the order or refund stays due.
 *
 * @throws {WechatPayTransportError} `unknown` when the time is over.
 */
export function limited({
  table,
  wechatPay,
  patience,
  nowMs,
}: LimitedContext): CheckContext['wechatPay'] {
  const within = async <T>(
    { timeoutMs }: CallOptions,
    call: (options: CallOptions) => Promise<T>,
  ): Promise<T> => {
    const limitMs = Math.min(timeoutMs, patience.nextCallMs());
    const startedAtMs = nowMs();
    const timeOver = Promise.withResolvers<never>();
    const stopTimer = table.startTimer(limitMs, () =>
      timeOver.reject(new WechatPayTransportError('unknown', 'no answer in time, keys included')),
    );
    try {
      const answer = await Promise.race([call({ timeoutMs: limitMs }), timeOver.promise]);
      patience.answered(nowMs() - startedAtMs);
      return answer;
    } catch (error) {
      if (error instanceof WechatPayTransportError) {
        patience.unanswered(error.outcome);
      } else if (error instanceof ServiceError) {
        patience.answered(nowMs() - startedAtMs);
      }
      throw error;
    } finally {
      stopTimer();
    }
  };
  return (use) => {
    const operations = wechatPay(use);
    return {
      queryOrder: (order, options) =>
        within(options, (limit) => operations.queryOrder(order, limit)),
      closeOrder: (order, options) =>
        within(options, (limit) => operations.closeOrder(order, limit)),
      buildRefundRequest: (refund) => operations.buildRefundRequest(refund),
      refund: (refund, options) => within(options, (limit) => operations.refund(refund, limit)),
      queryRefund: (refund, options) =>
        within(options, (limit) => operations.queryRefund(refund, limit)),
      listRefunds: (order, options) =>
        within(options, (limit) => operations.listRefunds(order, limit)),
    };
  };
}

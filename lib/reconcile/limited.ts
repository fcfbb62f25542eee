/** WeChat's operations with a limit that holds for everything in them, the reading of keys too. */
import { WechatPayTransportError } from '../errors.ts';
import type { CallOptions } from '../wechatpay/operations.ts';
import type { CheckContext } from './context.ts';

type LimitedContext = Pick<CheckContext, 'table' | 'wechatPay'>;

/**
 * The same operations, each of which ends with its `timeoutMs`. What comes later is not waited for:
 * the order or refund stays due.
 *
 * @throws {WechatPayTransportError} `unknown` when the time is over.
 */
export function limited({ table, wechatPay }: LimitedContext): CheckContext['wechatPay'] {
  const within = async <T>({ timeoutMs }: CallOptions, call: Promise<T>): Promise<T> => {
    const timeOver = Promise.withResolvers<never>();
    const stopTimer = table.startTimer(timeoutMs, () =>
      timeOver.reject(new WechatPayTransportError('unknown', 'no answer in time, keys included')),
    );
    try {
      return await Promise.race([call, timeOver.promise]);
    } finally {
      stopTimer();
    }
  };
  return (use) => {
    const operations = wechatPay(use);
    return {
      queryOrder: (order, options) => within(options, operations.queryOrder(order, options)),
      closeOrder: (order, options) => within(options, operations.closeOrder(order, options)),
      buildRefundRequest: (refund) => operations.buildRefundRequest(refund),
      refund: (refund, options) => within(options, operations.refund(refund, options)),
      queryRefund: (refund, options) => within(options, operations.queryRefund(refund, options)),
      listRefunds: (order, options) => within(options, operations.listRefunds(order, options)),
    };
  };
}

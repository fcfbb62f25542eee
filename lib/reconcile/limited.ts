/** WeChat's operations with a limit that holds for everything in them, the reading of keys too. */
import { WechatPayTransportError } from '../errors.ts';
import type { CloseContext } from '../evidence/close-order.ts';

type WechatPayOf = CloseContext['wechatPay'];

/**
 * The same operations, each of which ends with its `timeoutMs`. What comes later is not waited for:
 * the order stays due.
 *
 * @throws {WechatPayTransportError} `unknown` when the time is over.
 */
export function limited({
  table,
  wechatPay,
}: Pick<CloseContext, 'table' | 'wechatPay'>): WechatPayOf {
  const within = async <T>(timeoutMs: number, call: Promise<T>): Promise<T> => {
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
      queryOrder: (order, options) =>
        within(options.timeoutMs, operations.queryOrder(order, options)),
      closeOrder: (order, options) =>
        within(options.timeoutMs, operations.closeOrder(order, options)),
    };
  };
}

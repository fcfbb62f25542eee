/** The numbers in a notification, which become keys of rows and names of events. */
import { WechatPayMalformedMessageError } from '../errors.ts';
import type { Notification } from './operations.ts';

/** What WeChat, and every version of its pages, allows in a number, ours or its own. */
const NUMBER = /^[0-9A-Za-z_\-|*@]{1,64}$/;
const MAX_ORDER_NUMBER = 32;

/**
 * A notification whose numbers are numbers: a verified message with others was made by somebody who
 * has the merchant's keys and is not WeChat.
 *
 * @throws {WechatPayMalformedMessageError}
 */
export function withNumbers<T extends Notification>(notification: T): T {
  const numbers =
    notification.kind === 'payment'
      ? [notification.payment.transactionId]
      : [
          notification.refund.transactionId,
          notification.refund.outRefundNo,
          notification.refund.refundId,
        ];
  const { outTradeNo } =
    notification.kind === 'payment' ? notification.payment : notification.refund;
  const areNumbers = [outTradeNo, ...numbers].every((number) => NUMBER.test(number));
  if (!areNumbers || outTradeNo.length > MAX_ORDER_NUMBER) {
    throw new WechatPayMalformedMessageError('a number in the notification is none of WeChat’s');
  }
  return notification;
}

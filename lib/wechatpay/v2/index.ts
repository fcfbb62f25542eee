/** WeChat Pay API v2 (XML, APIv2 key) behind the operations of `operations.ts`. */
import type { WechatPay } from '../operations.ts';
import { openNotifications } from './notification.ts';
import { openOrders } from './orders.ts';
import { openRefunds, type V2RefundClient } from './refunds.ts';

export { acknowledge, readNotification } from './notification.ts';

export function openWechatPayV2(client: V2RefundClient): WechatPay {
  return {
    ...openOrders(client),
    ...openRefunds(client),
    ...openNotifications(client),
  };
}

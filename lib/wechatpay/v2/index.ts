/** WeChat Pay API v2 (XML, APIv2 key) behind the operations of `operations.ts`. */
import type { WechatPay } from '../operations.ts';
import type { V2Client } from './protocol/call.ts';
import { openNotifications } from './notification.ts';
import { openOrders } from './orders.ts';

export { acknowledge } from './notification.ts';

export function openWechatPayV2(client: V2Client): WechatPay {
  return { ...openOrders(client), ...openNotifications(client) };
}

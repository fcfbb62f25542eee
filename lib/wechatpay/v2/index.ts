/** WeChat Pay API v2 (XML, APIv2 key) behind the operations of `wechatpay.ts`. */
import type { WechatPay } from '../operations.ts';
import type { V2Client } from './protocol/call.ts';
import { acknowledge, parseNotification } from './notification.ts';
import { buildPrepayRequest, closeOrder, prepay, queryOrder, queryTransaction } from './orders.ts';
import { buildRequestPayment } from './request-payment.ts';

export { acknowledge } from './notification.ts';

export function openWechatPayV2(client: V2Client): WechatPay {
  return {
    apiVersion: 'v2',
    buildPrepayRequest: (order) => buildPrepayRequest(order, client.signType),
    prepay: (request, options) => prepay(client, request, options),
    buildRequestPayment: (request, prepayId) => buildRequestPayment(client, request, prepayId),
    queryOrder: (order, options) => queryOrder(client, order, options),
    queryTransaction: (transaction, options) => queryTransaction(client, transaction, options),
    closeOrder: (order, options) => closeOrder(client, order, options),
    parseNotification: (message) => parseNotification(client, message),
    acknowledge,
  };
}

/** `POST /notify/…`: WeChat reports a payment or a refund. Verify, write once, acknowledge. */
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { readBody } from '../lib/http/input.ts';
import { once, warmUp } from '../lib/runtime/init.ts';
import {
  type NotificationContext,
  type NotificationHandler,
  notificationHandler,
} from '../lib/http/notification-handler.ts';
import { confirmRefund } from '../lib/evidence/refund-notice.ts';
import { type Machine, machine, openResources } from '../lib/deployment.ts';
import { recordEvidence } from '../lib/evidence/record.ts';
import type { PaymentAfterClose } from '../lib/order/order.ts';
import type { Decision } from '../lib/order/transition.ts';
import { openConnection, type Table } from '../lib/table/client.ts';
import type { WechatPayOf } from '../lib/wechatpay/open.ts';

export interface NotifyDependencies {
  readonly table: Table;
  readonly wechatPay: WechatPayOf<'parseNotification' | 'queryOrder' | 'queryRefund'>;
  readonly nowMs: () => number;
  readonly paymentAfterClose: PaymentAfterClose;
}

/**
 * What the notification did to its order. "Received" may be told to WeChat only for what is
 * recorded; everything else makes it repeat the message.
 */
export async function notify(
  event: APIGatewayProxyEventV2,
  { wechatPay, ...dependencies }: NotifyDependencies,
  { apiVersion, merchantKey, log }: NotificationContext,
): Promise<Decision> {
  const receivedAtMs = dependencies.nowMs();
  const message = { headers: event.headers, body: readBody(event) };
  const notification = await wechatPay({ apiVersion, merchantKey }).parseNotification(message);
  const received = {
    ...notification.message,
    kind: notification.kind,
    apiVersion,
    receivedAtMs,
  };
  const context = { ...dependencies, wechatPay, log, notification: received };
  if (notification.kind === 'refund') {
    return confirmRefund(context, merchantKey, notification);
  }
  const { payment } = notification;
  const id = { merchantKey, outTradeNo: payment.outTradeNo };
  return recordEvidence(context, id, { kind: 'paid', refunded: false, payment });
}

/** The handler of one environment, warmed up if Lambda is just starting it. */
export async function openNotify(machine: Machine): Promise<NotificationHandler> {
  const resources = once(() => openResources(machine));
  await warmUp(machine.environment, () => [
    resources().merchant.current(),
    openConnection(resources().table, 'write'),
  ]);
  return notificationHandler(notify, resources, machine.openLog('notify'), machine.startTimer);
}

export const handler = await openNotify(machine);

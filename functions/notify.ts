/** `POST /notify/v2/payment`: WeChat reports a payment. Verify, write once, acknowledge. */
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { loadConfig } from '../lib/config.ts';
import { readBody } from '../lib/http.ts';
import { once, warmUp } from '../lib/init.ts';
import { notificationHandler } from '../lib/notification-http.ts';
import { type MerchantSecret, openMerchantSecret, type VersionedSecret } from '../lib/secrets.ts';
import { settle } from '../lib/settlement.ts';
import type { Log } from '../lib/log.ts';
import type { Decision } from '../lib/order/transition.ts';
import { openConnection, openTable, type Table } from '../lib/table/client.ts';
import { openWechatPay } from '../lib/wechatpay/open.ts';
import type { WechatPay } from '../lib/wechatpay/wechatpay.ts';

export interface NotifyDependencies {
  readonly merchant: VersionedSecret<MerchantSecret>;
  readonly table: Table;
  readonly wechatPay: Pick<WechatPay, 'parseNotification' | 'acknowledge'>;
  readonly nowMs: () => number;
}

/**
 * What the notification did to its order. "Received" may be told to WeChat only for a payment
 * that is recorded; everything else makes it repeat the message.
 */
export async function notify(
  event: APIGatewayProxyEventV2,
  { table, wechatPay, nowMs }: Omit<NotifyDependencies, 'merchant'>,
  { log }: { readonly log: Log },
): Promise<Decision> {
  const payment = await wechatPay.parseNotification(readBody(event));
  return settle({ table, log, nowMs: nowMs() }, payment.outTradeNo, {
    kind: 'paid',
    refunded: false,
    payment,
  });
}

const dependencies = once((): NotifyDependencies => {
  const config = loadConfig(process.env);
  const merchant = openMerchantSecret(config);
  return {
    merchant,
    table: openTable(config.tableName),
    wechatPay: openWechatPay(config, merchant),
    nowMs: Date.now,
  };
});

await warmUp(() => [
  dependencies().merchant.current(),
  openConnection(dependencies().table, 'write'),
]);

export const handler = notificationHandler('notify', notify, dependencies);

/** A shop with one order, whose notification handler is called as Lambda would call it. */
import { notify } from '../../functions/notify.ts';
import { notificationHandler } from '../../lib/http/notification-handler.ts';
import type { Order } from '../../lib/order/order.ts';
import type { Table } from '../../lib/table/client.ts';
import { orderToItem } from '../../lib/table/order-row.ts';
import type { Transport } from '../../lib/transport/transport.ts';
import { openWechatPayV2 } from '../../lib/wechatpay/v2/index.ts';
import type { WechatPayUse } from '../../lib/wechatpay/open.ts';
import type { WechatPay } from '../../lib/wechatpay/operations.ts';
import { apiEvent, recordedFunction } from './api-event.ts';
import { putRow, type Row, rowOf } from './embedded-tables.ts';
import { CREATED_AT, sampleOrder } from './sample-orders.ts';
import { merchantWith, secretVersions } from './secret-versions.ts';
import { readIndependently } from './v2-reader.ts';
import { moneyAlarms } from './money-alarms.ts';
import { type Operation, watchTable } from './watched-table.ts';
import { neverRuns } from './no-timer.ts';
import { noRefunds } from './no-refunds.ts';

interface Setting {
  readonly order?: Partial<Order> | 'none';
  readonly signType?: 'MD5' | 'HMAC-SHA256';
  readonly merchant?: ReturnType<typeof merchantWith>[];
  /** What becomes of an operation on the table; without it, everything goes through. */
  /** API v3, where the test needs it. */
  readonly v3?: WechatPay;
  /** What v2 answers to a query; without it, nobody may be asked. */
  readonly transport?: Transport;
  readonly answer?: (operation: Operation) => Promise<unknown>;
}

export interface Delivery {
  readonly statusCode: number | undefined;
  readonly headers: Readonly<Record<string, unknown>> | undefined;
  readonly body: string | undefined;
  /** `return_code` and `return_msg` of the answer, as WeChat reads them. */
  readonly returned: Readonly<Record<string, string>>;
}

/** WeChat's word for "received". */
export const RECEIVED = { return_code: 'SUCCESS', return_msg: 'OK' };
export const refusedWith = (code: string) => ({ return_code: 'FAIL', return_msg: code });

export async function openNotifiedShop(table: Table, setting: Setting = {}) {
  const { order = {}, signType = 'HMAC-SHA256', merchant = [merchantWith()] } = setting;
  if (order !== 'none') {
    await putRow(table, orderToItem(sampleOrder(order)));
  }
  const watched = watchTable(table, setting.answer);
  const recorded = recordedFunction();
  const [current = merchantWith(), ...older] = merchant;
  const versions = secretVersions(current, ...older);
  const nobody: Transport = () => Promise.reject(new Error('a notification asks nobody'));
  const v2 = openWechatPayV2({
    openCertifiedTransport: noRefunds,
    transport: setting.transport ?? nobody,
    merchant: versions,
    signType,
    nonce: () => 'n',
    nowMs: () => 0,
    startTimer: neverRuns,
  });
  const handler = notificationHandler(
    notify,
    () => ({
      merchant: versions,
      table: watched,
      wechatPay: ({ apiVersion }: WechatPayUse) => (apiVersion === 'v3' && setting.v3) || v2,
      nowMs: () => (CREATED_AT + 60) * 1000,
      paymentAfterClose: 'keep' as const,
      startTimer: neverRuns,
    }),
    recorded,
  );

  /** Delivers a body as the gateway hands it over. */
  async function deliver(
    body: string | undefined,
    headers: Readonly<Record<string, string>> = { 'content-type': 'text/xml' },
    isBase64Encoded = false,
    rawPath = '/notify/v2/payment',
  ): Promise<Delivery> {
    const event = { ...apiEvent({ body, headers, isBase64Encoded }), rawPath };
    const answer = await handler(event, { awsRequestId: 'lambda' });
    const text = answer.body ?? '';
    const returned = text.startsWith('{')
      ? JSON.parse(text)
      : Object.fromEntries(readIndependently(text) ?? []);
    return { statusCode: answer.statusCode, headers: answer.headers, body: answer.body, returned };
  }

  return {
    deliver,
    log: recorded.log,
    logged: recorded.text,
    flushes: recorded.flushes,
    /** The alarms about money that ring when the table's facts are published. */
    alarms: () => moneyAlarms(table),
    /** Operations on the table so far. */
    operations: watched.operations,
    row: (outTradeNo = 'order-0001'): Promise<Row | undefined> =>
      rowOf(table, `ORDER#${outTradeNo}`),
  };
}

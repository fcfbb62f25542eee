/** Create, query and close an order: `/pay/unifiedorder`, `/pay/orderquery`, `/pay/closeorder`. */
import {
  OrderConflictError,
  WechatPayMalformedMessageError,
  WechatPayServiceError,
} from '../../errors.ts';
import type { Parties } from '../../order/parties.ts';
import type { SignType } from '../../order/stored-request.ts';
import { judgeTradeState } from '../judge.ts';
import type {
  CallOptions,
  CloseResult,
  OrderReference,
  PrepayOrder,
  PrepayRequest,
  QueryResult,
  TransactionReference,
} from '../operations.ts';
import { call, requiredField, type V2Client } from './protocol/call.ts';
import { optionFields } from './prepay-options.ts';
import { readPayment } from './payment.ts';
import { toBeijingTime } from './protocol/time.ts';

/** `POST /notify/v2/payment`: where WeChat reports payments of v2 orders. */
const PAYMENT_NOTIFICATION_PATH = '/notify/v2/payment';

/** Everything of `unifiedorder` that a repeat must say again, in the order it is sent. */
export function buildPrepayRequest(order: PrepayOrder, signType: SignType): PrepayRequest {
  return {
    ...parties(order),
    sign_type: signType,
    body: order.description,
    ...(order.attach !== undefined && { attach: order.attach }),
    ...optionFields(order),
    out_trade_no: order.outTradeNo,
    fee_type: 'CNY',
    total_fee: String(order.totalFen),
    spbill_create_ip: order.clientIp,
    time_start: toBeijingTime(order.createdAtEpochSeconds),
    time_expire: toBeijingTime(order.expiresAtEpochSeconds),
    notify_url: `${order.notifyBaseUrl}${PAYMENT_NOTIFICATION_PATH}`,
    trade_type: 'JSAPI',
    ...(order.spAppid === undefined ? { openid: order.openid } : { sub_openid: order.openid }),
  };
}

/** Who the order is of; `appid` and `mch_id` are the provider's in service-provider mode. */
function parties({ appid, mchid, subMchid, spAppid }: Parties): Readonly<Record<string, string>> {
  return {
    appid: spAppid ?? appid,
    mch_id: mchid,
    ...(spAppid !== undefined && { sub_appid: appid }),
    ...(subMchid !== undefined && { sub_mch_id: subMchid }),
  };
}

/** Refusals of `unifiedorder` that say something about the order, not about the request. */
const PREPAY_CONFLICTS = new Map([
  ['ORDERPAID', 'ORDER_ALREADY_PAID'],
  ['ORDERCLOSED', 'ORDER_CLOSED'],
] as const);

export async function prepay(
  client: V2Client,
  request: PrepayRequest,
  options: CallOptions,
): Promise<string> {
  const answer = await call(client, '/pay/unifiedorder', request, options.timeoutMs);
  if (answer.ok) {
    return requiredField(answer.fields, 'prepay_id');
  }
  const conflict = PREPAY_CONFLICTS.get(answer.code as 'ORDERPAID' | 'ORDERCLOSED');
  if (conflict) {
    throw new OrderConflictError(conflict, { outTradeNo: request['out_trade_no'] ?? '' });
  }
  throw new WechatPayServiceError('rejected', answer.code, answer.text);
}

export async function queryOrder(
  client: V2Client,
  order: OrderReference,
  options: CallOptions,
): Promise<QueryResult> {
  return query(client, order, { name: 'out_trade_no', value: order.outTradeNo }, options);
}

export async function queryTransaction(
  client: V2Client,
  transaction: TransactionReference,
  options: CallOptions,
): Promise<QueryResult> {
  const { transactionId } = transaction;
  return query(client, transaction, { name: 'transaction_id', value: transactionId }, options);
}

/** @param number under which the order is asked for, and which the answer must bear. */
async function query(
  client: V2Client,
  order: Parties,
  number: { readonly name: 'out_trade_no' | 'transaction_id'; readonly value: string },
  options: CallOptions,
): Promise<QueryResult> {
  const fields = { ...reference(client, order), [number.name]: number.value };
  const answer = await call(client, '/pay/orderquery', fields, options.timeoutMs);
  if (!answer.ok) {
    if (answer.code === 'ORDERNOTEXIST') {
      return { kind: 'not-found' };
    }
    throw new WechatPayServiceError('rejected', answer.code, answer.text);
  }
  if (requiredField(answer.fields, number.name) !== number.value) {
    throw new WechatPayMalformedMessageError('the answer is about another order');
  }
  return judgeTradeState(requiredField(answer.fields, 'trade_state'), () =>
    readPayment(answer.fields),
  );
}

/** How WeChat's codes for `closeorder` end an attempt to close. */
const CLOSE_RESULTS: ReadonlyMap<string, CloseResult> = new Map([
  ['ORDERPAID', 'already-paid'],
  ['ORDERCLOSED', 'closed'],
  ['ORDERNOTEXIST', 'not-found'],
]);

export async function closeOrder(
  client: V2Client,
  order: OrderReference,
  options: CallOptions,
): Promise<CloseResult> {
  const fields = { ...reference(client, order), out_trade_no: order.outTradeNo };
  const answer = await call(client, '/pay/closeorder', fields, options.timeoutMs);
  if (answer.ok) {
    return 'closed';
  }
  const result = CLOSE_RESULTS.get(answer.code);
  if (!result) {
    throw new WechatPayServiceError('rejected', answer.code, answer.text);
  }
  return result;
}

/** An order is asked for with the parties that it was created with. */
function reference(client: V2Client, order: Parties): Readonly<Record<string, string>> {
  return { ...parties(order), sign_type: client.signType };
}

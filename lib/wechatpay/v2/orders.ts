/** Create, query and close an order: `/pay/unifiedorder`, `/pay/orderquery`, `/pay/closeorder`. */
import { WechatPayMalformedMessageError, WechatPayServiceError } from '../../errors.ts';
import { type SignType, storedRequestOf } from '../../order/stored-request.ts';
import { judgeRefusedOrder, judgeTradeState } from '../judge.ts';
import { paymentNotificationUrl } from '../notification-path.ts';
import type {
  CallOptions,
  CloseResult,
  OrderReference,
  Orders,
  PrepayOrder,
  PrepayResult,
  QueryResult,
  StoredOrder,
} from '../operations.ts';
import { call, requiredField, type V2Client } from './protocol/call.ts';
import { partyFields, referenceFields } from './party-fields.ts';
import { optionFields } from './prepay-options.ts';
import { readPayment } from './payment.ts';
import { buildRequestPayment } from './request-payment.ts';
import { toBeijingTime } from './protocol/time.ts';

/** The orders of API v2. */
export function openOrders(client: V2Client): Orders {
  return {
    buildPrepayRequest: (order) => ({
      apiVersion: 'v2',
      fields: prepayFields(order, client.signType),
    }),
    prepay: (order, options) => prepay(client, order, options),
    buildRequestPayment: (order, prepayId) => buildRequestPayment(client, order, prepayId),
    queryOrder: (order, options) => queryOrder(client, order, options),
    closeOrder: (order, options) => closeOrder(client, order, options),
  };
}

/** Everything of `unifiedorder` that a repeat must say again, in the order it is sent. */
function prepayFields(order: PrepayOrder, signType: SignType): Readonly<Record<string, string>> {
  return {
    ...partyFields(order),
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
    notify_url: paymentNotificationUrl(order.notifyBaseUrl, { ...order, apiVersion: 'v2' }),
    trade_type: 'JSAPI',
    ...(order.spAppid === undefined ? { openid: order.openid } : { sub_openid: order.openid }),
  };
}

/** Refusals of `unifiedorder` that say something about the order, not about the request. */
const PREPAY_RESULTS: ReadonlyMap<string, PrepayResult> = new Map([
  ['ORDERPAID', { kind: 'already-paid' }],
  ['ORDERCLOSED', { kind: 'closed' }],
]);

/** The order's number makes every operation here safe to repeat. */
const repeatable = (options: CallOptions) => ({ ...options, repeatable: true });

async function prepay(
  client: V2Client,
  order: StoredOrder,
  options: CallOptions,
): Promise<PrepayResult> {
  try {
    return await place(client, order, options);
  } catch (error) {
    return judgeRefusedOrder(error, order, client.nowMs());
  }
}

async function place(
  client: V2Client,
  order: StoredOrder,
  options: CallOptions,
): Promise<PrepayResult> {
  const { fields } = storedRequestOf(order.prepayRequest, 'v2');
  const answer = await call(client, '/pay/unifiedorder', fields, repeatable(options));
  if (answer.ok) {
    return { kind: 'placed', prepayId: requiredField(answer.fields, 'prepay_id') };
  }
  const known = PREPAY_RESULTS.get(answer.code);
  if (!known) {
    throw new WechatPayServiceError('rejected', answer.code, answer.text);
  }
  return known;
}

async function queryOrder(
  client: V2Client,
  order: OrderReference,
  options: CallOptions,
): Promise<QueryResult> {
  const fields = { ...referenceFields(client, order), out_trade_no: order.outTradeNo };
  const answer = await call(client, '/pay/orderquery', fields, repeatable(options));
  if (!answer.ok) {
    if (answer.code === 'ORDERNOTEXIST') {
      return { kind: 'not-found' };
    }
    throw new WechatPayServiceError('rejected', answer.code, answer.text);
  }
  if (requiredField(answer.fields, 'out_trade_no') !== order.outTradeNo) {
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
  ['USERPAYING', 'paying'],
  // Also in the first 5 minutes, which begin when the order reaches WeChat and not when we made it.
  ['TRADE_STATE_ERROR', 'not-yet'],
]);

async function closeOrder(
  client: V2Client,
  order: OrderReference,
  options: CallOptions,
): Promise<CloseResult> {
  const fields = { ...referenceFields(client, order), out_trade_no: order.outTradeNo };
  const answer = await call(client, '/pay/closeorder', fields, repeatable(options));
  if (answer.ok) {
    return 'closed';
  }
  const result = CLOSE_RESULTS.get(answer.code);
  if (!result) {
    throw new WechatPayServiceError('rejected', answer.code, answer.text);
  }
  return result;
}

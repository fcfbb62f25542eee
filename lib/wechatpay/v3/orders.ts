/** Create, query and close an order under `/v3/pay/transactions` and `/v3/pay/partner/transactions`. */
import * as v from 'valibot';
import { WechatPayMalformedMessageError, WechatPayServiceError } from '../../errors.ts';
import type { Parties } from '../../order/parties.ts';
import { storedRequestOf } from '../../order/stored-request.ts';
import { judgeRefusedOrder, judgeTradeState } from '../judge.ts';
import type {
  CallOptions,
  CloseResult,
  OrderReference,
  Orders,
  PrepayResult,
  QueryResult,
  StoredOrder,
} from '../operations.ts';
import { type Answer, call, type V3Client } from './protocol/call.ts';
import { readShape } from './protocol/json.ts';
import { buildPrepayRequest } from './prepay-request.ts';
import { buildRequestPayment } from './request-payment.ts';
import { readMerchant, readPayment, readTransaction } from './transaction.ts';

type Failure = Extract<Answer, { ok: false }>;

/** The orders of API v3. */
export function openOrders(client: V3Client): Orders {
  return {
    buildPrepayRequest,
    prepay: (order, options) => prepay(client, order, options),
    buildRequestPayment: (order, prepayId) => buildRequestPayment(client, order, prepayId),
    queryOrder: (order, options) => queryOrder(client, order, options),
    closeOrder: (order, options) => closeOrder(client, order, options),
  };
}

/** Refusals that say something about the order, by `code` or by the number in `Request-ID`. */
const PREPAY_RESULTS: ReadonlyMap<string, PrepayResult> = new Map([
  ['ORDER_PAID', { kind: 'already-paid' }],
  ['ORDERPAID', { kind: 'already-paid' }],
  ['268449538', { kind: 'already-paid' }],
  ['268498689', { kind: 'already-paid' }],
  ['ORDER_CLOSED', { kind: 'closed' }],
  ['ORDERCLOSED', { kind: 'closed' }],
  ['268447914', { kind: 'closed' }],
]);

const prepayAnswer = v.object({ prepay_id: v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,64}$/)) });

/** The order's number makes every operation here safe to repeat. */
const repeatable = (options: CallOptions) => ({ ...options, repeatable: true });

async function prepay(
  client: V3Client,
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
  client: V3Client,
  order: StoredOrder,
  options: CallOptions,
): Promise<PrepayResult> {
  const { path, body } = storedRequestOf(order.prepayRequest, 'v3');
  const answer = await call(
    client,
    order.mchid,
    { method: 'POST', path, body },
    repeatable(options),
  );
  if (answer.ok) {
    return { kind: 'placed', prepayId: readShape(answer.json, prepayAnswer).prepay_id };
  }
  const known = PREPAY_RESULTS.get(answer.code) ?? PREPAY_RESULTS.get(answer.internalCode ?? '');
  if (!known) {
    throw rejected(answer);
  }
  return known;
}

const NOT_FOUND = new Set(['ORDER_NOT_EXIST', 'ORDERNOTEXIST', 'RESOURCE_NOT_EXISTS']);

async function queryOrder(
  client: V3Client,
  order: OrderReference,
  options: CallOptions,
): Promise<QueryResult> {
  const search = new URLSearchParams(merchantFields(order));
  const path = `${basePath(order)}/out-trade-no/${encodeURIComponent(order.outTradeNo)}?${search}`;
  const request = { method: 'GET', path, body: '' } as const;
  const answer = await call(client, order.mchid, request, repeatable(options));
  if (!answer.ok) {
    if (NOT_FOUND.has(answer.code)) {
      return { kind: 'not-found' };
    }
    throw rejected(answer);
  }
  const transaction = readTransaction(answer.json);
  if (transaction.out_trade_no !== order.outTradeNo) {
    throw new WechatPayMalformedMessageError('the answer is about another order');
  }
  const { mchid, subMchid } = readMerchant(transaction);
  if (mchid !== order.mchid || subMchid !== order.subMchid) {
    throw new WechatPayMalformedMessageError('the answer is about another merchant');
  }
  return judgeTradeState(transaction.trade_state, () => readPayment(transaction));
}

/** How WeChat's codes end an attempt to close. */
const CLOSE_RESULTS: ReadonlyMap<string, CloseResult> = new Map([
  ['ORDER_PAID', 'already-paid'],
  ['ORDERPAID', 'already-paid'],
  ['ORDER_CLOSED', 'closed'],
  ['ORDERCLOSED', 'closed'],
  ['ORDER_NOT_EXIST', 'not-found'],
  ['ORDERNOTEXIST', 'not-found'],
  ['RESOURCE_NOT_EXISTS', 'not-found'],
  ['USER_PAYING', 'paying'],
  ['USERPAYING', 'paying'],
]);

async function closeOrder(
  client: V3Client,
  order: OrderReference,
  options: CallOptions,
): Promise<CloseResult> {
  const path = `${basePath(order)}/out-trade-no/${encodeURIComponent(order.outTradeNo)}/close`;
  const body = JSON.stringify(merchantFields(order));
  const request = { method: 'POST', path, body } as const;
  const answer = await call(client, order.mchid, request, repeatable(options));
  // 202: accepted and not finished, because the buyer is entering the password.
  if (answer.ok) {
    return answer.statusCode === 202 ? 'paying' : 'closed';
  }
  const result = CLOSE_RESULTS.get(answer.code);
  if (!result) {
    throw rejected(answer);
  }
  return result;
}

const rejected = ({ code, text }: Failure) => new WechatPayServiceError('rejected', code, text);

const basePath = ({ subMchid }: Parties) =>
  subMchid === undefined ? '/v3/pay/transactions' : '/v3/pay/partner/transactions';

function merchantFields({ mchid, subMchid }: Parties): Record<string, string> {
  return subMchid === undefined ? { mchid } : { sp_mchid: mchid, sub_mchid: subMchid };
}

/** Create, query and close an order under `/v3/pay/transactions` and `/v3/pay/partner/transactions`. */
import * as v from 'valibot';
import {
  OrderConflictError,
  WechatPayMalformedMessageError,
  WechatPayServiceError,
} from '../../errors.ts';
import type { Parties } from '../../order/parties.ts';
import { judgeTradeState } from '../judge.ts';
import type {
  CallOptions,
  CloseResult,
  OrderReference,
  PrepayRequest,
  QueryResult,
  TransactionReference,
} from '../operations.ts';
import { type Answer, call, type V3Client } from './protocol/call.ts';
import { readShape } from './protocol/json.ts';
import { readPrepayRequest } from './prepay-request.ts';
import { readMerchant, readPayment, readTransaction } from './transaction.ts';

type Failure = Extract<Answer, { ok: false }>;

/** Refusals that say something about the order, by `code` or by the number in `Request-ID`. */
const PREPAY_CONFLICTS: ReadonlyMap<string, 'ORDER_ALREADY_PAID' | 'ORDER_CLOSED'> = new Map([
  ['ORDER_PAID', 'ORDER_ALREADY_PAID'],
  ['ORDERPAID', 'ORDER_ALREADY_PAID'],
  ['268449538', 'ORDER_ALREADY_PAID'],
  ['268498689', 'ORDER_ALREADY_PAID'],
  ['ORDER_CLOSED', 'ORDER_CLOSED'],
  ['ORDERCLOSED', 'ORDER_CLOSED'],
  ['268447914', 'ORDER_CLOSED'],
]);

const prepayAnswer = v.object({ prepay_id: v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,64}$/)) });

export async function prepay(
  client: V3Client,
  request: PrepayRequest,
  options: CallOptions,
): Promise<string> {
  const { path, body, mchid, outTradeNo } = readPrepayRequest(request);
  const answer = await call(client, mchid, { method: 'POST', path, body }, options.timeoutMs);
  if (answer.ok) {
    return readShape(answer.json, prepayAnswer).prepay_id;
  }
  const conflict =
    PREPAY_CONFLICTS.get(answer.code) ?? PREPAY_CONFLICTS.get(answer.internalCode ?? '');
  if (conflict) {
    throw new OrderConflictError(conflict, { outTradeNo });
  }
  throw rejected(answer);
}

const NOT_FOUND = new Set(['ORDER_NOT_EXIST', 'ORDERNOTEXIST', 'RESOURCE_NOT_EXISTS']);

export async function queryOrder(
  client: V3Client,
  order: OrderReference,
  options: CallOptions,
): Promise<QueryResult> {
  const number = { name: 'out_trade_no', value: order.outTradeNo } as const;
  return query(client, order, `out-trade-no/${encodeURIComponent(number.value)}`, number, options);
}

export async function queryTransaction(
  client: V3Client,
  transaction: TransactionReference,
  options: CallOptions,
): Promise<QueryResult> {
  const number = { name: 'transaction_id', value: transaction.transactionId } as const;
  return query(client, transaction, `id/${encodeURIComponent(number.value)}`, number, options);
}

/** @param number under which the order is asked for, and which the answer must bear. */
async function query(
  client: V3Client,
  order: Parties,
  place: string,
  number: { readonly name: 'out_trade_no' | 'transaction_id'; readonly value: string },
  options: CallOptions,
): Promise<QueryResult> {
  const search = new URLSearchParams(merchantFields(order));
  const path = `${basePath(order)}/${place}?${search}`;
  const request = { method: 'GET', path, body: '' } as const;
  const answer = await call(client, order.mchid, request, options.timeoutMs);
  if (!answer.ok) {
    if (NOT_FOUND.has(answer.code)) {
      return { kind: 'not-found' };
    }
    throw rejected(answer);
  }
  const transaction = readTransaction(answer.json);
  if (transaction[number.name] !== number.value) {
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

export async function closeOrder(
  client: V3Client,
  order: OrderReference,
  options: CallOptions,
): Promise<CloseResult> {
  const path = `${basePath(order)}/out-trade-no/${encodeURIComponent(order.outTradeNo)}/close`;
  const body = JSON.stringify(merchantFields(order));
  const request = { method: 'POST', path, body } as const;
  const answer = await call(client, order.mchid, request, options.timeoutMs);
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

/** A refund as a DynamoDB item beside its order's, and back. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import {
  ABNORMAL_ENDS,
  type AbnormalEnd,
  type Refund,
  type RefundGoods,
  type RefundSource,
  type RefundStatus,
  type WaitingFor,
} from '../refund/refund.ts';
import { beijingDay, isoTime } from '../time.ts';
import {
  AttributeError,
  countOf,
  type Item,
  keyOf,
  number,
  numberOf,
  oneOf,
  optionalBooleanOf,
  optionalListOf,
  optionalStringOf,
  optionalTimeOf,
  readRow,
  stringOf,
  text,
  texts,
  time,
  timeOf,
} from './attributes.ts';
import { openKeys, refundDayKeys, refundIdOf, refundKey } from './schema.ts';
import { API_VERSIONS, storedRequestFrom, storedRequestToValue } from './stored-request.ts';

const STATUSES = [
  'PENDING',
  'PROCESSING',
  'SUCCESS',
  'CLOSED',
  'ABNORMAL',
] as const satisfies readonly RefundStatus[];
const SOURCES = ['API', 'AUTOMATIC', 'CONSOLE'] as const satisfies readonly RefundSource[];
const WAITING_FOR = ['BALANCE', 'CONFIG', 'PAUSE'] as const satisfies readonly WaitingFor[];

export function refundToItem(refund: Refund): Item {
  return {
    ...keyOf(refundKey(refund)),
    ...indexKeys(refund),
    ...texts({
      outTradeNo: refund.outTradeNo,
      outRefundNo: refund.outRefundNo,
      appid: refund.appid,
      mchid: refund.mchid,
      transactionId: refund.transactionId,
      currency: refund.currency,
      apiVersion: refund.apiVersion,
      status: refund.status,
      source: refund.source,
      createdAt: isoTime(refund.createdAtEpochSeconds),
    }),
    refundFen: number(refund.refundFen),
    totalFen: number(refund.totalFen),
    round: number(refund.round),
    attempts: number(refund.attempts),
    checks: number(refund.checks),
    changedAtMs: number(refund.changedAtEpochMs),
    mayHaveReached: { BOOL: refund.mayHaveReached },
    ...defined(optionalValues(refund)),
  };
}

/** Open ones among the open work, accepted ones among the refunds of their day. */
function indexKeys(refund: Refund): Item {
  const { nextCheckAtEpochSeconds: next, acceptedAtEpochSeconds: accepted } = refund;
  return {
    ...(next !== undefined && texts(openKeys(refund, 'refund', isoTime(next)))),
    ...(accepted !== undefined &&
      texts(refundDayKeys(refund, beijingDay(accepted), isoTime(accepted)))),
  };
}

function optionalValues(refund: Refund): Record<string, AttributeValue | undefined> {
  const { refundRequest, goods, failure, abnormalEnd } = refund;
  const textOf = (value: string | undefined) => (value === undefined ? undefined : text(value));
  const atOf = (value: number | undefined) => (value === undefined ? undefined : time(value));
  return {
    subMchid: textOf(refund.subMchid),
    spAppid: textOf(refund.spAppid),
    attach: textOf(refund.attach),
    reason: textOf(refund.reason),
    goods: goods && { L: goods.map(goodsToValue) },
    refundRequest: refundRequest && storedRequestToValue(refundRequest),
    fingerprint: textOf(refund.fingerprint),
    requestedBy: textOf(refund.requestedBy),
    waitingFor: textOf(refund.waitingFor),
    failure: failure && { M: texts({ code: failure.code, message: failure.message }) },
    refundId: textOf(refund.refundId),
    sentAt: atOf(refund.sentAtEpochSeconds),
    acceptedAt: atOf(refund.acceptedAtEpochSeconds),
    succeededAt: atOf(refund.succeededAtEpochSeconds),
    userReceivedAccount: textOf(refund.userReceivedAccount),
    abnormalEnd: abnormalEnd && abnormalEndToValue(abnormalEnd),
  };
}

function defined(values: Readonly<Record<string, AttributeValue | undefined>>): Item {
  const entries = Object.entries(values).filter(
    (entry): entry is [string, AttributeValue] => entry[1] !== undefined,
  );
  return Object.fromEntries(entries);
}

function goodsToValue(goods: RefundGoods): AttributeValue {
  const { merchantGoodsId, wechatpayGoodsId, goodsName } = goods;
  return {
    M: {
      merchantGoodsId: text(merchantGoodsId),
      ...(wechatpayGoodsId !== undefined && { wechatpayGoodsId: text(wechatpayGoodsId) }),
      ...(goodsName !== undefined && { goodsName: text(goodsName) }),
      unitPriceFen: number(goods.unitPriceFen),
      refundFen: number(goods.refundFen),
      quantity: number(goods.quantity),
    },
  };
}

function abnormalEndToValue(end: AbnormalEnd): AttributeValue {
  return {
    M: {
      to: text(end.to),
      round: number(end.round),
      ...(end.note !== undefined && { note: text(end.note) }),
      decidedAt: time(end.decidedAtEpochSeconds),
      keyDigest: text(end.keyDigest),
      fingerprint: text(end.fingerprint),
    },
  };
}

/** @throws {UnreadableRowError} for a row that is not wholly a refund: nothing is guessed. */
export function refundFromItem(item: Item): Refund {
  return readRow(item, () => ({
    ...idOf(item),
    appid: stringOf(item, 'appid'),
    mchid: stringOf(item, 'mchid'),
    subMchid: optionalStringOf(item, 'subMchid'),
    spAppid: optionalStringOf(item, 'spAppid'),
    transactionId: stringOf(item, 'transactionId'),
    refundFen: countOf(item, 'refundFen'),
    totalFen: countOf(item, 'totalFen'),
    currency: stringOf(item, 'currency'),
    apiVersion: oneOf(item, 'apiVersion', API_VERSIONS),
    attach: optionalStringOf(item, 'attach'),
    reason: optionalStringOf(item, 'reason'),
    goods: optionalListOf(item, 'goods')?.map(goodsFromValue),
    refundRequest: item['refundRequest'] && storedRequestFrom(item, 'refundRequest'),
    fingerprint: optionalStringOf(item, 'fingerprint'),
    requestedBy: optionalStringOf(item, 'requestedBy'),
    status: oneOf(item, 'status', STATUSES),
    round: countOf(item, 'round'),
    source: oneOf(item, 'source', SOURCES),
    waitingFor: item['waitingFor'] && oneOf(item, 'waitingFor', WAITING_FOR),
    failure: item['failure'] && failureFrom(item['failure']),
    refundId: optionalStringOf(item, 'refundId'),
    createdAtEpochSeconds: timeOf(item, 'createdAt'),
    sentAtEpochSeconds: optionalTimeOf(item, 'sentAt'),
    attempts: countOf(item, 'attempts'),
    // What is not known to be harmless is in doubt.
    mayHaveReached: optionalBooleanOf(item, 'mayHaveReached') ?? true,
    acceptedAtEpochSeconds: optionalTimeOf(item, 'acceptedAt'),
    succeededAtEpochSeconds: optionalTimeOf(item, 'succeededAt'),
    userReceivedAccount: optionalStringOf(item, 'userReceivedAccount'),
    abnormalEnd: item['abnormalEnd'] && abnormalEndFrom(item['abnormalEnd']),
    changedAtEpochMs: numberOf(item, 'changedAtMs'),
    checks: countOf(item, 'checks'),
    nextCheckAtEpochSeconds: optionalTimeOf(item, 'GSI1SK'),
  }));
}

function idOf(item: Item) {
  const key = { PK: stringOf(item, 'PK'), SK: stringOf(item, 'SK') };
  const id = refundIdOf(key);
  if (!id) {
    throw new AttributeError('PK', `the row ${key.PK} ${key.SK} is not a refund`);
  }
  return id;
}

function mapOf(name: string, { M: map }: AttributeValue): Item {
  if (!map) {
    throw new AttributeError(name, `the row has no map attribute ${name}`);
  }
  return map;
}

function goodsFromValue(value: AttributeValue): RefundGoods {
  const item = mapOf('goods', value);
  return {
    merchantGoodsId: stringOf(item, 'merchantGoodsId'),
    wechatpayGoodsId: optionalStringOf(item, 'wechatpayGoodsId'),
    goodsName: optionalStringOf(item, 'goodsName'),
    unitPriceFen: countOf(item, 'unitPriceFen'),
    refundFen: countOf(item, 'refundFen'),
    quantity: countOf(item, 'quantity'),
  };
}

function failureFrom(value: AttributeValue) {
  const item = mapOf('failure', value);
  return { code: stringOf(item, 'code'), message: stringOf(item, 'message') };
}

function abnormalEndFrom(value: AttributeValue): AbnormalEnd {
  const item = mapOf('abnormalEnd', value);
  return {
    to: oneOf(item, 'to', ABNORMAL_ENDS),
    round: countOf(item, 'round'),
    note: optionalStringOf(item, 'note'),
    decidedAtEpochSeconds: timeOf(item, 'decidedAt'),
    keyDigest: stringOf(item, 'keyDigest'),
    fingerprint: stringOf(item, 'fingerprint'),
  };
}

/** The events of a refund's row. */
import { countOf, type Item, numberOf, optionalStringOf, stringOf } from '../table/attributes.ts';
import { refundIdOf } from '../table/schema.ts';
import { isoTime } from '../time.ts';
import type { Fact } from './fact.ts';
import {
  contradictionOf,
  type Detail,
  earlierFact,
  eventName,
  namedMerchant,
  partiesOf,
  type RowKind,
} from './kind.ts';

/** A refund's row: asked for, ended, stuck, contradicted. */
export const refundKind: RowKind = {
  nameOf: (key) => {
    const id = refundIdOf(key);
    return id && eventName(id.merchantKey, id.outTradeNo, id.outRefundNo);
  },
  common: (row) => {
    const id = refundIdOf({ PK: stringOf(row, 'PK'), SK: stringOf(row, 'SK') });
    return {
      outTradeNo: id?.outTradeNo,
      merchantKey: id && namedMerchant(id.merchantKey),
      ...partiesOf(row),
      attach: optionalStringOf(row, 'attach'),
      totalFen: countOf(row, 'totalFen'),
      currency: stringOf(row, 'currency'),
      transactionId: stringOf(row, 'transactionId'),
      outRefundNo: id?.outRefundNo,
      refundFen: countOf(row, 'refundFen'),
      source: stringOf(row, 'source'),
      reason: optionalStringOf(row, 'reason'),
      createdAt: stringOf(row, 'createdAt'),
    };
  },
  events: {
    REQUESTED: { detailType: 'Refund Requested', detail: () => ({}) },
    SUCCEEDED: {
      detailType: 'Refund Succeeded',
      detail: (_row, { values }) => ({
        status: 'SUCCESS',
        refundId: optionalStringOf(values, 'refundId'),
        succeededAt: optionalStringOf(values, 'succeededAt'),
      }),
    },
    CLOSED: {
      detailType: 'Refund Failed',
      detail: (_row, { values }) => ({
        status: 'CLOSED',
        refundId: optionalStringOf(values, 'refundId'),
        failure: failureOf(values),
      }),
    },
    ABNORMAL: {
      detailType: 'Refund Failed',
      detail: (_row, { values }) => ({
        status: 'ABNORMAL',
        refundId: optionalStringOf(values, 'refundId'),
        round: countOf(values, 'round'),
      }),
    },
    MISMATCH: { detailType: 'Refund Mismatch', detail: (_row, fact) => contradictionOf(fact) },
  },
  earlierFacts: (row) => {
    const requested = earlierFact('REQUESTED', stringOf(row, 'createdAt'), -1);
    const end = earlierEnd(row);
    return end ? [requested, end] : [requested];
  },
};

function failureOf({ failure }: Item): Detail | undefined {
  const values = failure?.M;
  return values && { code: stringOf(values, 'code'), message: stringOf(values, 'message') };
}

/**
 * How a refund of an earlier version ended, when the row says it. When it got stuck no row says, and
 * every look at one changes its row: it is told by the time of its acceptance, which stays.
 */
function earlierEnd(row: Item): Fact | undefined {
  const type = END_FACTS[stringOf(row, 'status')];
  const stays = optionalStringOf(row, type === 'ABNORMAL' ? 'acceptedAt' : 'succeededAt');
  const at = stays ?? isoTime(numberOf(row, 'changedAtMs') / 1000);
  return type === undefined ? undefined : earlierFact(type, at, 0, row);
}

const END_FACTS: Readonly<Record<string, string>> = {
  SUCCESS: 'SUCCEEDED',
  CLOSED: 'CLOSED',
  ABNORMAL: 'ABNORMAL',
};

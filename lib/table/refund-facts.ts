/** What a change of a refund is told as. A release, a repeat, a check are no facts. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Refund } from '../refund/refund.ts';
import { type Item, number, text, texts, time } from './attributes.ts';
import { fact, firstFacts } from './facts.ts';
import { refundToItem } from './refund-row.ts';

/** The row of a new refund: it was requested, and may have ended before it had a row. */
export function newRefundItem(refund: Refund): Item {
  const at = Math.floor(refund.changedAtEpochMs / 1000);
  return {
    ...refundToItem(refund),
    ...firstFacts([fact('REQUESTED', at), ...endOf(refund, at)]),
  };
}

/** The facts of a change from one state to another. */
export const factsOfChange = (before: Refund, after: Refund, nowEpochSeconds: number) =>
  before.status === after.status ? [] : endOf(after, nowEpochSeconds);

/** Each with what of the row may still change: a refund that we closed WeChat may take after all. */
function endOf(refund: Refund, at: number): AttributeValue[] {
  switch (refund.status) {
    case 'SUCCESS':
      return [
        fact('SUCCEEDED', at, wordOf(refund)),
        // Both ways together the buyer has it twice.
        ...(refund.abnormalEnd?.to === 'OTHERWISE' ? [fact('MISMATCH', at, TWICE)] : []),
      ];
    case 'CLOSED':
      return [fact('CLOSED', at, wordOf(refund))];
    case 'ABNORMAL':
      return [fact('ABNORMAL', at, { ...wordOf(refund), round: number(refund.round) })];
    case 'PENDING':
    case 'PROCESSING':
      return [];
  }
}

const TWICE = texts({ field: 'status', expected: 'OTHERWISE', observed: 'SUCCESS' });

function wordOf({ refundId, succeededAtEpochSeconds, failure }: Refund): Item {
  return {
    ...(refundId !== undefined && { refundId: text(refundId) }),
    ...(succeededAtEpochSeconds !== undefined && { succeededAt: time(succeededAtEpochSeconds) }),
    ...(failure && { failure: { M: texts({ code: failure.code, message: failure.message }) } }),
  };
}

/**
 * Facts on rows: what happened, once each, in the order in which it happened. The n-th of a row is
 * its fact n for ever, so that what is told of it can be told again in the same words. A fact is
 * appended by the very write that brings about what it says, under that write's condition: no crash
 * comes between, and a write that is repeated adds nothing.
 */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { type Item, number, text, time } from './attributes.ts';

/** What can happen to an order. */
export type OrderFact =
  | 'PAID'
  | 'PAID_AFTER_CLOSE'
  | 'CLOSED'
  | 'UNSETTLED'
  | 'MISMATCH'
  | 'REFUND_MISMATCH';

/** What can happen to a refund. */
export type RefundFact = 'REQUESTED' | 'SUCCEEDED' | 'CLOSED' | 'ABNORMAL' | 'MISMATCH';

/** What can happen to a day's bill, or to what does not agree with it. */
export type BillFact = 'CHECKED' | 'DIFFERENCE';

/** One fact as it is stored. `fields`: what of it no attribute of the row keeps unchanged. */
export const fact = (
  type: OrderFact | RefundFact | BillFact | 'UNKNOWN_ORDER',
  atEpochSeconds: number,
  fields: Item = {},
): AttributeValue => ({ M: { type: text(type), at: time(atEpochSeconds), ...fields } });

/** The facts of a new row, with how many there are: rows with a `factCount` are told of. */
export const firstFacts = (facts: readonly AttributeValue[]): Item => ({
  facts: { L: [...facts] },
  factCount: number(facts.length),
});

/** The part of an update that appends facts, whatever the row has already; nothing for none. */
export function appendFacts(facts: readonly AttributeValue[]): {
  readonly sets: readonly string[];
  readonly values: Item;
} {
  if (facts.length === 0) {
    return { sets: [], values: {} };
  }
  return {
    sets: [
      'facts = list_append(if_not_exists(facts, :noFacts), :newFacts)',
      'factCount = if_not_exists(factCount, :noCount) + :newCount',
    ],
    values: {
      ':noFacts': { L: [] },
      ':newFacts': { L: [...facts] },
      ':noCount': number(0),
      ':newCount': number(facts.length),
    },
  };
}

/** A message that contradicts a row is one fact, however often it comes; of more than these none. */
const MAX_MISMATCHES = 20;

/**
 * The part of an update that appends a contradiction. Conditions: the row exists, has not been
 * contradicted in this way before, and not in too many others.
 */
export function appendMismatch(mismatch: AttributeValue, digest: string) {
  const { sets, values } = appendFacts([mismatch]);
  return {
    sets,
    add: 'mismatchDigests :digests',
    conditions: [
      'attribute_exists(PK)',
      '(attribute_not_exists(mismatchDigests) OR (NOT contains(mismatchDigests, :digest) AND size(mismatchDigests) < :most))',
    ],
    values: {
      ...values,
      ':digest': text(digest),
      ':digests': { SS: [digest] },
      ':most': number(MAX_MISMATCHES),
    },
  };
}

/** What a kind of row says in events: from which row, about which of its facts, in which words. */
import { FIRST_MERCHANT } from '../order/order-id.ts';
import { isoTime } from '../time.ts';
import { type Item, optionalStringOf, stringOf } from '../table/attributes.ts';
import type { RowKey } from '../table/schema.ts';
import type { Fact } from './fact.ts';

/** EventBridge's `detail-type` of everything that is published. */
export type DetailType =
  | 'Order Paid'
  | 'Order Closed'
  | 'Order Unsettled'
  | 'Payment After Close'
  | 'Payment Mismatch'
  | 'Refund Requested'
  | 'Refund Succeeded'
  | 'Refund Failed'
  | 'Refund Mismatch'
  | 'Bill Checked'
  | 'Bill Difference';

/** Plain data; what is not there stays out of the JSON. */
export type Detail = Readonly<Record<string, unknown>>;

/** How one type of fact becomes an event. Reads only what no later write changes. */
export interface EventOfFact {
  readonly detailType: DetailType;
  /** What the event says beyond what every event says. */
  readonly detail: (row: Item, fact: Fact) => Detail;
}

/** A kind of row, and the events of its facts. */
export interface RowKind {
  /** The name in front of an event's `sequence`; nothing for a row of another kind. */
  readonly nameOf: (key: RowKey, row: Item) => string | undefined;
  /** What each event of such a row begins with, after `eventId`, `sequence` and `recordedAt`. */
  readonly common: (row: Item) => Detail;
  readonly events: Readonly<Record<string, EventOfFact>>;
  /** Facts of a row that was written before rows had any, from its other attributes. */
  readonly earlierFacts: (row: Item) => readonly Fact[];
}

/** What events are named by: another merchant than the first is named in front. */
export const eventName = (merchantKey: string, ...parts: readonly string[]) =>
  (merchantKey === FIRST_MERCHANT ? parts : [merchantKey, ...parts]).join('.');

/** Whose order it is, as every event says it. */
export const partiesOf = (row: Item): Detail => ({
  mchid: stringOf(row, 'mchid'),
  subMchid: optionalStringOf(row, 'subMchid'),
  appid: stringOf(row, 'appid'),
});

/** A merchant's name in an event; the first has none. */
export const namedMerchant = (merchantKey: string) =>
  merchantKey === FIRST_MERCHANT ? undefined : merchantKey;

/**
 * What a contradiction is about. Who paid is personal: a wrong payer is named by the field alone.
 * Times are said as every other time in an event.
 */
export function contradictionOf({ values }: Fact): Detail {
  const field = stringOf(values, 'field');
  if (field === 'openid') {
    return { field };
  }
  const [expected, observed] = [stringOf(values, 'expected'), stringOf(values, 'observed')];
  return field === 'paidAtEpochSeconds'
    ? { field: 'paidAt', expected: timeIn(expected), observed: timeIn(observed) }
    : { field, expected, observed };
}

const timeIn = (value: string) => (/^-?\d{1,11}$/.test(value) ? isoTime(Number(value)) : value);

/**
 * Builds a fact from a row that was written before rows had any. Its sequence is none that a fact in
 * the row's list can have, and smaller than theirs, should one be added.
 *
 * @param sequence at most 0.
 */
export const earlierFact = (type: string, at: string, sequence: number, values: Item = {}) => ({
  type,
  at,
  sequence,
  values,
});

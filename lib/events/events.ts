/**
 * Rows to events. An event derives from its row alone, and from what no later write changes on it:
 * the same fact gives the same bytes, whenever and from whichever later image it is made.
 */
import { UnreadableRowError } from '../errors.ts';
import { type Item, stringOf } from '../table/attributes.ts';
import { billDifferenceKind, billKind } from './bill-events.ts';
import { countFacts, type Fact, factsFrom, type ReadFact, reading } from './fact.ts';
import type { Detail, DetailType, RowKind } from './kind.ts';
import { orderKind } from './order-events.ts';
import { refundKind } from './refund-events.ts';
import { unknownPaymentKind } from './unknown-payment-events.ts';

/** EventBridge's `source` of everything that is published. */
export const EVENT_SOURCE = 'wechatpay-serverless';

/** What is told about one fact. */
export interface FactEvent {
  /** The same for the same fact, however often it is told. At most 128 characters. */
  readonly eventId: string;
  readonly detailType: DetailType;
  /** Of the fact, in its row's words. */
  readonly factType: string;
  /** When the fact was recorded, ISO 8601. */
  readonly recordedAt: string;
  /** JSON. */
  readonly detail: string;
}

/** Events, and what could not be made one. */
export interface Events {
  readonly events: readonly FactEvent[];
  readonly unreadable: readonly UnreadableRowError[];
}

/** Kinds of rows that have facts; a new kind is a line here. */
const KINDS: readonly RowKind[] = [
  orderKind,
  refundKind,
  unknownPaymentKind,
  billKind,
  billDifferenceKind,
];

/** What a change of a row tells: the facts that `row` has beyond those of the row before it. */
export function newEvents(row: Item, before: Item | undefined): Events {
  return eventsOf(row, factsFrom(row, countFacts(before)));
}

/**
 * Everything that a row tells, so that the events of a period can be made again from the table. Of
 * what happened before rows had facts a row tells what its attributes say, also after it got some.
 */
export function allEvents(row: Item): Events {
  const facts = factsFrom(row);
  const known = new Set(facts.map((fact) => ('type' in fact ? fact.type : undefined)));
  const isKnown = ({ type }: Fact) =>
    known.has(type) ||
    // A payment is one, in whichever words; of one that cannot be read nobody knows what it was.
    (PAYMENTS.has(type) && [...PAYMENTS].some((payment) => known.has(payment))) ||
    known.has(undefined);
  const earlier = reading(row, () => kindOf(row)?.kind.earlierFacts(row) ?? []);
  return eventsOf(row, [
    ...(earlier instanceof UnreadableRowError
      ? [earlier]
      : earlier.filter((fact) => !isKnown(fact))),
    ...facts,
  ]);
}

const PAYMENTS: ReadonlySet<string> = new Set(['PAID', 'PAID_AFTER_CLOSE']);

function eventsOf(row: Item, facts: readonly ReadFact[]): Events {
  const made = facts.map((fact) =>
    fact instanceof UnreadableRowError ? fact : reading(row, () => eventOf(row, fact)),
  );
  return {
    events: made.filter((each): each is FactEvent => !(each instanceof UnreadableRowError)),
    unreadable: made.filter((each) => each instanceof UnreadableRowError),
  };
}

/** The kind of a row with its name in events; nothing for a row of a kind that tells nothing. */
function kindOf(row: Item) {
  const key = { PK: stringOf(row, 'PK'), SK: stringOf(row, 'SK') };
  for (const kind of KINDS) {
    const name = kind.nameOf(key, row);
    if (name !== undefined) {
      return { kind, name };
    }
  }
  return undefined;
}

function eventOf(row: Item, fact: Fact): FactEvent {
  const { kind, name } = kindOf(row) ?? {};
  const event = kind?.events[fact.type];
  if (!kind || !event) {
    const problem = `a fact ${fact.type} of such a row is not known`;
    throw new UnreadableRowError(`${row['PK']?.S} ${row['SK']?.S}`, 'facts', problem);
  }
  const { at: recordedAt, sequence, type: factType } = fact;
  const eventId = `${name}.${sequence}`;
  const detail: Detail = {
    eventId,
    sequence,
    recordedAt,
    ...kind.common(row),
    ...event.detail(row, fact),
  };
  return {
    eventId,
    detailType: event.detailType,
    factType,
    recordedAt,
    detail: JSON.stringify(detail),
  };
}

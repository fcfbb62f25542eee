/** A difference as a DynamoDB item, and back. */
import {
  type Item,
  number,
  numberOf,
  oneOf,
  optionalStringOf,
  stringOf,
  text,
  texts,
} from './attributes.ts';
import { billPartition } from './bills.ts';

const STATES = ['OPEN', 'EXPLAINED', 'RESOLVED'] as const;

/** `EXPLAINED`: by a person, who may leave a note. `RESOLVED`: repaired, or gone from a later bill. */
export type DifferenceState = (typeof STATES)[number];

/** How a difference was repaired, by what WeChat proved. */
export type Repair = 'PAYMENT_RECORDED' | 'REFUND_RECORDED' | 'ORDER_LEFT_DUE';

/** One difference. Amounts in fen, those of fees with up to three decimals. */
export interface Difference {
  readonly kind: string;
  readonly subject: 'payment' | 'refund';
  /** WeChat's number of the payment, or ours of the refund. */
  readonly key: string;
  readonly outTradeNo: string;
  readonly transactionId?: string | undefined;
  readonly outRefundNo?: string | undefined;
  readonly hereFen?: number | undefined;
  readonly thereFen?: number | undefined;
  /** Where it is in the text of the bill, and which that is. */
  readonly line?: number | undefined;
  readonly sha1?: string | undefined;
  /** What WeChat's own answer says about it. */
  readonly wechat?: string | undefined;
}

/** What tells one from all others of its day. */
export type DifferenceName = Pick<Difference, 'kind' | 'subject' | 'key' | 'line'>;

export interface StoredDifference extends Difference {
  readonly state: DifferenceState;
  readonly note?: string | undefined;
  readonly repair?: Repair | undefined;
  /** The last run that found it. */
  readonly runId: string;
}

/** What the sort keys of differences begin with. */
export const DIFFERENCE_PREFIX = 'DIFFERENCE#';

/** The same difference has the same key in every run; a row of the bill may be there more than twice. */
export const differenceKey = (date: string, { kind, subject, key, line }: DifferenceName) => ({
  PK: billPartition(date),
  SK: `${DIFFERENCE_PREFIX}${kind}#${subject}#${key}${kind === 'DUPLICATE' ? `#${line}` : ''}`,
});

/** What all of it is stored as, but for its state. */
export function valuesOf(difference: Difference): Item {
  const { hereFen, thereFen, line, transactionId, outRefundNo, sha1, wechat } = difference;
  const { kind, subject, key, outTradeNo } = difference;
  return {
    ...texts({ kind, subject, key, outTradeNo }),
    ...(transactionId !== undefined && { transactionId: text(transactionId) }),
    ...(outRefundNo !== undefined && { outRefundNo: text(outRefundNo) }),
    ...(sha1 !== undefined && { sha1: text(sha1) }),
    ...(wechat !== undefined && { wechat: text(wechat) }),
    ...(hereFen !== undefined && { hereFen: number(hereFen) }),
    ...(thereFen !== undefined && { thereFen: number(thereFen) }),
    ...(line !== undefined && { line: number(line) }),
  };
}

const SUBJECTS = ['payment', 'refund'] as const;
const REPAIRS = [
  'PAYMENT_RECORDED',
  'REFUND_RECORDED',
  'ORDER_LEFT_DUE',
] as const satisfies readonly Repair[];

/** @throws {AttributeError} for a row that is not wholly one. */
export function differenceFrom(item: Item): StoredDifference {
  const numberIn = (name: string) => item[name] && numberOf(item, name);
  return {
    kind: stringOf(item, 'kind'),
    subject: oneOf(item, 'subject', SUBJECTS),
    key: stringOf(item, 'key'),
    outTradeNo: stringOf(item, 'outTradeNo'),
    transactionId: optionalStringOf(item, 'transactionId'),
    outRefundNo: optionalStringOf(item, 'outRefundNo'),
    hereFen: numberIn('hereFen'),
    thereFen: numberIn('thereFen'),
    line: numberIn('line'),
    sha1: optionalStringOf(item, 'sha1'),
    wechat: optionalStringOf(item, 'wechat'),
    state: oneOf(item, 'state', STATES),
    note: optionalStringOf(item, 'note'),
    repair: item['repair'] && oneOf(item, 'repair', REPAIRS),
    runId: stringOf(item, 'runId'),
  };
}

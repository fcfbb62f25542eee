/** The bill against the table, in both directions: what does not agree, and what is a day off. */
import { BUCKET_COUNT, type Buckets } from './buckets.ts';
import type { HereEntry, Subject, ThereEntry } from './entries.ts';

/** What does not agree. */
export type DifferenceKind =
  | 'MISSING_HERE'
  | 'MISSING_THERE'
  | 'AMOUNT_DIFFERS'
  | 'REFUND_MISSING_HERE'
  | 'REFUND_MISSING_THERE'
  | 'REFUND_AMOUNT_DIFFERS'
  | 'STATE_DIFFERS'
  | 'MERCHANT_DIFFERS'
  | 'FEE_DIFFERS'
  | 'DUPLICATE';

/** One thing that does not agree, as the two sides alone tell it. */
export interface Finding {
  readonly kind: DifferenceKind;
  readonly subject: Subject;
  /** WeChat's number of the payment, or ours of the refund. */
  readonly key: string;
  readonly here?: HereEntry | undefined;
  readonly there?: ThereEntry | undefined;
}

/**
 * A payment or refund around midnight, which the two sides put on different days. `carried`: it is
 * here, and may be in the next day's bill. `found`: it is in this bill, and here on a neighbouring day.
 */
export interface Crossing {
  readonly kind: 'carried' | 'found';
  readonly subject: Subject;
  readonly key: string;
  readonly here: HereEntry;
}

/** What was carried over from the day before, as `subject#key`: only that is this day's to miss. */
export type Carried = ReadonlySet<string>;

export interface Sides {
  readonly here: Buckets<HereEntry>;
  readonly there: Buckets<ThereEntry>;
}

export const crossingName = (subject: Subject, key: string) => `${subject}#${key}`;

/** Compares bucket by bucket, in the memory of one. */
export async function* compareSides(
  subject: Subject,
  sides: Sides,
  carried: Carried,
): AsyncGenerator<Finding | Crossing> {
  for (let bucket = 0; bucket < BUCKET_COUNT; bucket += 1) {
    yield* compareBucket(subject, sides, carried, bucket);
  }
}

async function* compareBucket(
  subject: Subject,
  sides: Sides,
  carried: Carried,
  bucket: number,
): AsyncGenerator<Finding | Crossing> {
  const unmatched = new Map<string, HereEntry>();
  for await (const [key, here] of sides.here.read(bucket)) {
    unmatched.set(key, here);
  }
  const inBill = new Set<string>();
  for await (const [key, there] of sides.there.read(bucket)) {
    const here = unmatched.get(key);
    if (inBill.has(key)) {
      yield { kind: 'DUPLICATE', subject, key, there };
    } else if (here) {
      yield* comparePair({ subject, key, here, there });
      if (here.day !== 'same') {
        yield { kind: 'found', subject, key, here };
      }
    } else {
      yield { kind: ofSubject(subject, 'MISSING_HERE'), subject, key, there };
    }
    inBill.add(key);
    unmatched.delete(key);
  }
  for (const [key, here] of unmatched) {
    yield* missingThere(subject, key, here, carried);
  }
}

type Unprefixed = 'MISSING_HERE' | 'MISSING_THERE' | 'AMOUNT_DIFFERS';

/** The kind, of a payment or of a refund. */
export const ofSubject = (subject: Subject, kind: Unprefixed) =>
  subject === 'refund' ? (`REFUND_${kind}` as const) : kind;

type Pair = Pick<Finding, 'subject' | 'key'> & {
  readonly here: HereEntry;
  readonly there: ThereEntry;
};

function* comparePair(pair: Pair): Generator<Finding> {
  const { subject, here, there } = pair;
  if (
    here.mchid !== there.mchid ||
    here.subMchid !== there.subMchid ||
    !(there.appid === '' || here.appids.includes(there.appid))
  ) {
    yield { ...pair, kind: 'MERCHANT_DIFFERS' };
  }
  if (here.fen !== there.fen) {
    yield { ...pair, kind: ofSubject(subject, 'AMOUNT_DIFFERS') };
  }
  if (there.isRevoked || here.outTradeNo !== there.outTradeNo) {
    yield { ...pair, kind: 'STATE_DIFFERS' };
  }
  if (there.fee) {
    yield { ...pair, kind: 'FEE_DIFFERS' };
  }
}

/** What is here and not in the bill. */
function* missingThere(
  subject: Subject,
  key: string,
  here: HereEntry,
  carried: Carried,
): Generator<Finding | Crossing> {
  const wasCarried = here.day === 'before' && carried.has(crossingName(subject, key));
  if ((here.day !== 'same' && !wasCarried) || here.isClosed) {
    return;
  }
  yield here.day === 'same' && here.isLate
    ? { kind: 'carried', subject, key, here }
    : { kind: ofSubject(subject, 'MISSING_THERE'), subject, key, here };
}

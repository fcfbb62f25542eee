/** What `bill` is called with: nothing but the schedule's event, or what somebody wants. */
import * as v from 'valibot';
import { InvalidRequestError } from '../errors.ts';

const MAX_NOTE_LENGTH = 500;

const difference = v.strictObject({
  kind: v.pipe(v.string(), v.maxLength(64)),
  /** WeChat's number of the payment, or ours of the refund. */
  number: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
  line: v.optional(v.pipe(v.number(), v.integer())),
  note: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(MAX_NOTE_LENGTH)),
});

const wish = v.strictObject({
  date: v.pipe(v.string(), v.regex(/^\d{4}-\d{2}-\d{2}$/), v.isoDate()),
  /** Explains a difference of that day instead of checking it. */
  explain: v.optional(difference),
  /** Only tells the day's last result. */
  show: v.optional(v.literal(true)),
});

export type BillWish = v.InferOutput<typeof wish>;

/**
 * @returns nothing for the schedule, whose event says nothing about a day.
 * @throws {InvalidRequestError} for a wish that cannot be understood.
 */
export function readWish(event: unknown): BillWish | undefined {
  if (typeof event !== 'object' || event === null || !('date' in event)) {
    return undefined;
  }
  const parsed = v.safeParse(wish, event);
  if (!parsed.success) {
    const field = v.getDotPath(parsed.issues[0]) ?? '(the event)';
    throw new InvalidRequestError('INVALID_REQUEST', { field });
  }
  return parsed.output;
}

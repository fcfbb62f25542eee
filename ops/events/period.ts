/** A period, as an operator writes it. */
import { UsageError } from '../errors.ts';
import type { Texts } from '../texts/en.ts';

/** From the first moment on, and until before the last. */
export interface Period {
  readonly fromMs: number;
  readonly toMs: number;
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const MOMENT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})$/;

/** @throws {UsageError} for what is no time, and for a period that ends before it begins. */
export function readPeriod(from: string, to: string | undefined, say: Texts): Period {
  const fromMs = readTime('--from', from, say);
  const toMs = to === undefined ? Number.POSITIVE_INFINITY : readTime('--to', to, say);
  if (fromMs >= toMs) {
    throw new UsageError(say.emptyPeriod);
  }
  return { fromMs, toMs };
}

/** A day is Beijing's, where the shop is; a moment says where it is. */
function readTime(option: string, text: string, say: Texts): number {
  const time = DAY.test(text) ? `${text}T00:00:00+08:00` : text;
  const milliseconds = MOMENT.test(time) ? Date.parse(time) : Number.NaN;
  // `Date` takes the 30th of February for the 2nd of March.
  const day = new Date(`${text.slice(0, 10)}T00:00:00Z`);
  const isDay = !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text.slice(0, 10));
  if (Number.isNaN(milliseconds) || !isDay) {
    throw new UsageError(say.badTime(option, text));
  }
  return milliseconds;
}

export const isWithin = ({ fromMs, toMs }: Period, iso: string): boolean => {
  const milliseconds = Date.parse(iso);
  return milliseconds >= fromMs && milliseconds < toMs;
};

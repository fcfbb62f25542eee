/** Days in Beijing (`2026-11-24`), which bills go by. */
import { isoTime } from '../time.ts';
import type { TimeRange } from '../table/day-index.ts';

const DAY_SECONDS = 86_400;

/** When a day begins in Beijing, epoch seconds; not a number for a text that is no day. */
export const beginOf = (date: string) =>
  /^\d{4}-\d{2}-\d{2}$/.test(date) ? Date.parse(`${date}T00:00:00+08:00`) / 1000 : Number.NaN;

const endOf = (date: string) => beginOf(date) + DAY_SECONDS;

/** The day so many days later. */
export const dayAfter = (date: string, days = 1) =>
  isoTime(beginOf(date) + days * DAY_SECONDS + 8 * 3_600).slice(0, 10);

/** From when on WeChat is sure of what it has for a day: 10:00 of the next. */
export const isFinal = (date: string, epochSeconds: number) =>
  epochSeconds >= endOf(date) + 10 * 3_600;

/**
 * What happens so near to midnight may be on one day here and on the other in the bill: the clocks
 * are two, and so are the moments that are written down.
 */
const EDGE_SECONDS = 600;

/** The last minutes of the day before. */
export const edgeBefore = (date: string): TimeRange => ({
  from: isoTime(beginOf(date) - EDGE_SECONDS),
  to: isoTime(beginOf(date) - 1),
});

/** The first minutes of the day after. */
export const edgeAfter = (date: string): TimeRange => ({
  from: isoTime(endOf(date)),
  to: isoTime(endOf(date) + EDGE_SECONDS - 1),
});

export const isLateOn = (date: string, epochSeconds: number) =>
  epochSeconds >= endOf(date) - EDGE_SECONDS;

/** The last of the day's scheduled runs is after 15:00 in Beijing: what is not there then is told. */
export const isLastAttempt = (date: string, epochSeconds: number) =>
  epochSeconds >= endOf(date) + 15 * 3_600;

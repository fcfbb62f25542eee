/** Days of bills: they are Beijing's, and a bill is there from 10:00 of the next day on. */
import { formatRfc3339, parseBeijing } from '../clock.ts';

const DAY_MS = 24 * 3600 * 1000;
const READY_AFTER_MS = 10 * 3600 * 1000;
const KEPT_MONTHS = 3;

/** `NOT_OVER`: of today or later. `CREATING`: of yesterday, before 10:00. `TOO_OLD`: WeChat keeps three months. */
export type BillDayState = 'NOT_OVER' | 'CREATING' | 'READY' | 'TOO_OLD';

/** `2026-11-24` in Beijing. */
const dayOf = (epochMs: number): string => formatRfc3339(epochMs).slice(0, 10);

/** The moment in which a day begins in Beijing; undefined when there is no such day. */
export const startOfDay = (date: string): number | undefined =>
  /^\d{4}-\d{2}-\d{2}$/.test(date) ? parseBeijing(`${date.replaceAll('-', '')}000000`) : undefined;

/** From `20261124`; undefined when there is no such day. */
export function readCompactDay(text: string): string | undefined {
  const startMs = /^\d{8}$/.test(text) ? parseBeijing(`${text}000000`) : undefined;
  return startMs === undefined ? undefined : dayOf(startMs);
}

/** The day so many days later, or before. `date` is a day. */
export const dayAfter = (date: string, days = 1): string =>
  dayOf((startOfDay(date) ?? 0) + days * DAY_MS);

/** From the first moment of a day until before the second. */
export function boundsOfDay(date: string): readonly [fromMs: number, untilMs: number] {
  const fromMs = startOfDay(date) ?? 0;
  return [fromMs, fromMs + DAY_MS];
}

/** When WeChat has made the bill of a day. */
export const readyAt = (date: string): number => boundsOfDay(date)[1] + READY_AFTER_MS;

export function judgeBillDay(date: string, nowMs: number): BillDayState {
  const [, untilMs] = boundsOfDay(date);
  if (nowMs < untilMs) {
    return 'NOT_OVER';
  }
  if (nowMs < readyAt(date)) {
    return 'CREATING';
  }
  return date < oldestDay(nowMs) ? 'TOO_OLD' : 'READY';
}

/** The same day three months ago; where that month has no such day, the one after its last. */
function oldestDay(nowMs: number): string {
  const [year = 0, month = 0, day = 0] = dayOf(nowMs).split('-').map(Number);
  const oldest = new Date(Date.UTC(year, month - 1 - KEPT_MONTHS, day));
  return oldest.toISOString().slice(0, 10);
}

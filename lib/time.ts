/** Times as people and clients read them, and days as WeChat counts them. */

/** `2026-01-31T09:10:10Z`: ISO 8601 in UTC; sorts as text in the order of time. */
export function isoTime(epochSeconds: number): string {
  return `${new Date(epochSeconds * 1000).toISOString().slice(0, 19)}Z`;
}

const BEIJING_OFFSET_SECONDS = 8 * 3600;

/** `2026-01-31`: the day in Beijing (UTC+8, no daylight saving), which WeChat's bills go by. */
export function beijingDay(epochSeconds: number): string {
  return isoTime(epochSeconds + BEIJING_OFFSET_SECONDS).slice(0, 10);
}

/** The day of the week in Beijing, 0 for Sunday to 6 for Saturday. */
export function beijingWeekday(epochSeconds: number): number {
  return new Date((epochSeconds + BEIJING_OFFSET_SECONDS) * 1000).getUTCDay();
}

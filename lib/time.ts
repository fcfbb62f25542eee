/** Times as people and clients read them. */

/** `2026-01-31T09:10:10Z`: ISO 8601 in UTC; sorts as text in the order of time. */
export function isoTime(epochSeconds: number): string {
  return `${new Date(epochSeconds * 1000).toISOString().slice(0, 19)}Z`;
}

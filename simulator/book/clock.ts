/** WeChat's clock: real time plus an offset that only moves forward, and WeChat's ways to write a time. */

export interface Clock {
  /** Milliseconds since the epoch. */
  now: () => number;
  offsetMs(): number;
  /** Moves forward to that moment; an earlier moment changes nothing. */
  advanceTo(epochMs: number): void;
  reset(): void;
}

/** `realNowMs` is real time; `onMove` gets the new offset, so that it can be kept on disk. */
export function createClock(
  realNowMs: () => number,
  initialOffsetMs: number,
  onMove: (offsetMs: number) => void,
): Clock {
  let offsetMs = initialOffsetMs;
  const now = () => realNowMs() + offsetMs;
  return {
    now,
    offsetMs: () => offsetMs,
    advanceTo(epochMs) {
      const distance = epochMs - now();
      if (distance > 0) {
        offsetMs += distance;
        onMove(offsetMs);
      }
    },
    reset() {
      offsetMs = 0;
      onMove(offsetMs);
    },
  };
}

const BEIJING_OFFSET_MS = 8 * 3600 * 1000;
const COMPACT = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})$/;

/** `yyyyMMddHHmmss` in Beijing time (UTC+8, no daylight saving). */
export function formatBeijing(epochMs: number): string {
  return new Date(epochMs + BEIJING_OFFSET_MS).toISOString().slice(0, 19).replaceAll(/[-:T]/g, '');
}

/** Milliseconds of a `yyyyMMddHHmmss` in Beijing time, or undefined when there is no such moment. */
export function parseBeijing(text: string): number | undefined {
  const parts = COMPACT.exec(text);
  if (!parts) {
    return undefined;
  }
  const [year, month, day, hour, minute, second] = parts.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const epochMs = Date.UTC(year, month - 1, day, hour, minute, second) - BEIJING_OFFSET_MS;
  return formatBeijing(epochMs) === text ? epochMs : undefined;
}

/** `2026-01-01T12:00:00+08:00`, Beijing time, as API v3 writes it. */
export function formatRfc3339(epochMs: number): string {
  return `${new Date(epochMs + BEIJING_OFFSET_MS).toISOString().slice(0, 19)}+08:00`;
}

/** `2026-01-01 12:00:00`, Beijing time, as refund notifications write it. */
export function formatBeijingForPeople(epochMs: number): string {
  return formatRfc3339(epochMs).slice(0, 19).replace('T', ' ');
}

const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;

/** Milliseconds of an RFC 3339 time with its offset, or undefined. */
export function parseRfc3339(text: string): number | undefined {
  const epochMs = RFC3339.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(epochMs) ? undefined : epochMs;
}

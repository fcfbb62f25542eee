/** EventBridge's schedule expressions, as far as the template uses them. */

const UNIT_MS: Readonly<Record<string, number>> = {
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};

/** Due at each of `offsetsMs`, which ascend, in every period since midnight UTC of 1970. */
export interface Schedule {
  readonly expression: string;
  readonly periodMs: number;
  readonly offsetsMs: readonly number[];
}

/**
 * Understands `rate(n unit)` and a daily `cron(minute hour * * ? *)`, whose hour may be a range;
 * undefined for anything else.
 */
export function parseSchedule(expression: string): Schedule | undefined {
  const rate = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression);
  if (rate !== null) {
    const periodMs = Number(rate[1]) * (UNIT_MS[rate[2] ?? ''] ?? 0);
    return periodMs > 0 ? { expression, periodMs, offsetsMs: [0] } : undefined;
  }
  const daily = /^cron\((\d{1,2}) (\d{1,2})(?:-(\d{1,2}))? \* \* \? \*\)$/.exec(expression);
  if (daily === null) {
    return undefined;
  }
  const [minute, first] = [Number(daily[1]), Number(daily[2])];
  const hours = Array.from({ length: Number(daily[3] ?? first) - first + 1 }, (_, n) => first + n);
  const offsetsMs = hours.map((hour) => (hour * 60 + minute) * 60_000);
  return offsetsMs.length > 0 ? { expression, periodMs: 86_400_000, offsetsMs } : undefined;
}

/** How many runs were due up to a moment: when it grows, another is. */
export function findSlot({ periodMs, offsetsMs }: Schedule, epochMs: number): number {
  const periods = Math.floor(epochMs / periodMs);
  const within = epochMs - periods * periodMs;
  return periods * offsetsMs.length + offsetsMs.filter((offsetMs) => offsetMs <= within).length - 1;
}

/** How long until the next run is due. */
export function msUntilDue({ periodMs, offsetsMs }: Schedule, epochMs: number): number {
  const within = epochMs - Math.floor(epochMs / periodMs) * periodMs;
  const next = offsetsMs.find((offsetMs) => offsetMs > within);
  return (next ?? periodMs + Number(offsetsMs[0])) - within;
}

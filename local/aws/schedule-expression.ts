/** EventBridge's schedule expressions, as far as the template uses them. */

const UNIT_MS: Readonly<Record<string, number>> = {
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};

/** Due at `phaseMs` after midnight UTC and then every `periodMs`. */
export interface Schedule {
  readonly expression: string;
  readonly periodMs: number;
  readonly phaseMs: number;
}

/** Understands `rate(n unit)` and a daily `cron(minute hour * * ? *)`; undefined for anything else. */
export function parseSchedule(expression: string): Schedule | undefined {
  const rate = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression);
  if (rate !== null) {
    const periodMs = Number(rate[1]) * (UNIT_MS[rate[2] ?? ''] ?? 0);
    return periodMs > 0 ? { expression, periodMs, phaseMs: 0 } : undefined;
  }
  const daily = /^cron\((\d{1,2}) (\d{1,2}) \* \* \? \*\)$/.exec(expression);
  if (daily === null) {
    return undefined;
  }
  const phaseMs = (Number(daily[2]) * 60 + Number(daily[1])) * 60_000;
  return { expression, periodMs: 86_400_000, phaseMs };
}

/** Which period of the schedule a moment lies in: when it changes, a run is due. */
export function findSlot(schedule: Schedule, epochMs: number): number {
  return Math.floor((epochMs - schedule.phaseMs) / schedule.periodMs);
}

/** How long until the next run is due. */
export function msUntilDue(schedule: Schedule, epochMs: number): number {
  const next = (findSlot(schedule, epochMs) + 1) * schedule.periodMs + schedule.phaseMs;
  return next - epochMs;
}

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Scheduler, startScheduler } from '../../../local/aws/schedule.ts';
import { findSlot, msUntilDue, parseSchedule } from '../../../local/aws/schedule-expression.ts';

const everyMinute = { expression: 'rate(1 minute)', periodMs: 60_000, offsetsMs: [0] };
const at = (text: string) => Date.parse(`2026-01-15T${text}Z`);

describe('a schedule expression', () => {
  it('is understood as a rate', () => {
    expect(parseSchedule('rate(1 minute)')).toEqual(everyMinute);
    expect(parseSchedule('rate(5 minutes)')?.periodMs).toBe(300_000);
    expect(parseSchedule('rate(2 hours)')?.periodMs).toBe(7_200_000);
  });

  it('is understood as a daily time in UTC', () => {
    const daily = parseSchedule('cron(30 2 * * ? *)');
    expect(daily).toBeDefined();
    if (daily === undefined) {
      return;
    }
    expect(findSlot(daily, at('02:30:00'))).toBe(findSlot(daily, at('02:29:59')) + 1);
    expect(msUntilDue(daily, at('02:29:00'))).toBe(60_000);
  });

  it('of several hours of a day is due in each', () => {
    const hourly = parseSchedule('cron(30 2-4 * * ? *)');
    if (!hourly) {
      throw new Error('it was not understood');
    }
    const slots = ['02:29:59', '02:30:00', '03:30:00', '04:30:00', '23:59:59'].map((time) =>
      findSlot(hourly, at(time)),
    );

    expect(slots.map((slot) => slot - (slots[0] ?? 0))).toEqual([0, 1, 2, 3, 3]);
    expect(findSlot(hourly, at('02:30:00') + 86_400_000)).toBe((slots[3] ?? 0) + 1);
    expect(msUntilDue(hourly, at('02:30:00'))).toBe(3_600_000);
    expect(msUntilDue(hourly, at('04:30:00'))).toBe(22 * 3_600_000);
    expect(parseSchedule('cron(30 4-2 * * ? *)')).toBeUndefined();
  });

  it.each(['rate(0 minutes)', 'rate(1 week)', 'cron(0/5 * * * ? *)', ''])(
    'is not understood: "%s"',
    (text) => {
      expect(parseSchedule(text)).toBeUndefined();
    },
  );
});

describe('the scheduler', () => {
  let scheduler: Scheduler;
  let runs: unknown[];
  let finish: (() => void) | undefined;

  const start = (work: () => Promise<void> = async () => {}) => {
    scheduler = startScheduler(
      [{ name: 'reconcile', schedules: [everyMinute] }],
      async (_name, event) => {
        runs.push(event);
        await work();
      },
    );
  };

  beforeEach(() => {
    vi.useFakeTimers({ now: at('10:00:30') });
    runs = [];
    finish = undefined;
  });
  afterEach(async () => {
    finish?.();
    await scheduler.stop();
    vi.useRealTimers();
  });

  it('runs at every minute of the clock, with the event of a scheduled rule', async () => {
    start();
    await vi.advanceTimersByTimeAsync(29_000);
    expect(runs).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(62_000);
    expect(runs).toHaveLength(2);
    expect(runs[0]).toMatchObject({
      version: '0',
      'detail-type': 'Scheduled Event',
      source: 'aws.events',
      time: '2026-01-15T10:01:00Z',
      detail: {},
    });
  });

  it('runs once when the clock jumps over many minutes, and is done before it says so', async () => {
    start();
    vi.setSystemTime(at('14:00:00'));
    await scheduler.catchUp();
    expect(runs).toHaveLength(1);
  });

  it('does not run when the clock moves within the minute', async () => {
    start();
    vi.setSystemTime(at('10:00:59'));
    await scheduler.catchUp();
    expect(runs).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(1000);
    expect(runs).toHaveLength(1);
  });

  it('never overlaps itself: what falls due meanwhile is one more run afterwards', async () => {
    start(
      () =>
        new Promise((resolve) => {
          finish = resolve;
        }),
    );
    await vi.advanceTimersByTimeAsync(30_000);
    expect(runs).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(180_000);
    expect(runs).toHaveLength(1);
    finish?.();
    await vi.advanceTimersByTimeAsync(0);
    expect(runs).toHaveLength(2);
  });

  it('starts nothing after stop', async () => {
    start();
    await scheduler.stop();
    await vi.advanceTimersByTimeAsync(300_000);
    await scheduler.catchUp();
    expect(runs).toHaveLength(0);
  });
});

/** A stand-in for EventBridge: runs the scheduled functions by the stack's own clock. */
import { randomUUID } from 'node:crypto';
import { findSlot, msUntilDue, type Schedule } from './schedule-expression.ts';

/** Timers longer than this wrap around in Node. */
const LONGEST_TIMER_MS = 2_000_000_000;

export interface ScheduledFunction {
  readonly name: string;
  readonly schedules: readonly Schedule[];
}

export interface Scheduler {
  /** Call after the clock moved: runs, once, every function that became due, and waits for it. */
  catchUp(): Promise<void>;
  /** Starts nothing more, and waits for what runs. */
  stop(): Promise<void>;
}

interface Job {
  name: string;
  schedule: Schedule;
  slot: number;
  running: Promise<void> | undefined;
}

/**
 * Runs each function whenever its schedule's next period begins. A function never overlaps itself:
 * what falls due while it runs is one more run afterwards. `run` must not reject.
 */
export function startScheduler(
  functions: readonly ScheduledFunction[],
  run: (functionName: string, event: unknown) => Promise<void>,
): Scheduler {
  let stopped = false;
  const timers = new Map<Job, NodeJS.Timeout>();
  const jobs: Job[] = functions.flatMap(({ name, schedules }) =>
    schedules.map((schedule) => ({
      name,
      schedule,
      slot: findSlot(schedule, Date.now()),
      running: undefined,
    })),
  );

  const runIfDue = async (job: Job): Promise<void> => {
    while (job.running !== undefined) {
      await job.running;
    }
    const slot = findSlot(job.schedule, Date.now());
    if (stopped || slot === job.slot) {
      return;
    }
    job.slot = slot;
    job.running = run(job.name, createScheduledEvent(job.name)).finally(() => {
      job.running = undefined;
    });
    await job.running;
  };

  const arm = (job: Job): void => {
    clearTimeout(timers.get(job));
    const waitMs = Math.min(msUntilDue(job.schedule, Date.now()), LONGEST_TIMER_MS);
    const timer = setTimeout(() => {
      void runIfDue(job);
      arm(job);
    }, waitMs);
    timer.unref();
    timers.set(job, timer);
  };
  for (const job of jobs) {
    arm(job);
  }

  return {
    async catchUp() {
      if (!stopped) {
        for (const job of jobs) {
          arm(job);
        }
      }
      await Promise.all(jobs.map(runIfDue));
    },
    async stop() {
      stopped = true;
      for (const timer of timers.values()) {
        clearTimeout(timer);
      }
      await Promise.all(jobs.flatMap((job) => job.running ?? []));
    },
  };
}

/** The event of a scheduled rule, as EventBridge sends it. */
function createScheduledEvent(functionName: string) {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    account: '000000000000',
    time: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
    region: 'us-east-1',
    resources: [`arn:aws:events:us-east-1:000000000000:rule/${functionName}`],
    detail: {},
  };
}

/** Virtual time for many things at once: a heap of timers, in steps of a few milliseconds. */

export interface VirtualTime {
  readonly nowMs: () => number;
  readonly startTimer: (delayMs: number, run: () => void) => () => void;
  readonly sleep: (ms: number) => Promise<void>;
  /** Lets time pass until the work is done, as fast as it can. */
  until<T>(work: Promise<T>): Promise<T>;
}

const STEP_MS = 5;
const oneTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** @param startMs the first moment; timers fire at multiples of 5 ms after it. */
export function virtualTime(startMs: number): VirtualTime {
  const due = new Map<number, Set<() => void>>();
  let steps = 0;
  const startTimer = (delayMs: number, run: () => void) => {
    const at = steps + Math.max(1, Math.ceil(delayMs / STEP_MS));
    const runs = due.get(at) ?? new Set();
    due.set(at, runs);
    const mine = () => run();
    runs.add(mine);
    return () => void runs.delete(mine);
  };
  return {
    nowMs: () => startMs + steps * STEP_MS,
    startTimer,
    sleep: (ms) =>
      new Promise((resolve) => {
        startTimer(ms, resolve);
      }),
    async until(work) {
      let isDone = false;
      const done = work.finally(() => {
        isDone = true;
      });
      done.catch(() => undefined);
      await oneTurn();
      while (!isDone) {
        steps += 1;
        const runs = due.get(steps);
        due.delete(steps);
        if (runs && runs.size > 0) {
          for (const run of runs) {
            run();
          }
          await oneTurn();
        } else if (due.size === 0) {
          await oneTurn();
        }
      }
      return done;
    },
  };
}

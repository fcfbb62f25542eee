/** Time, randomness and timers that are the same in every run from one seed. */
import { createHash } from 'node:crypto';

export interface SeededMachine {
  /** Milliseconds since the epoch. Stands still but for `advance`. */
  readonly nowMs: () => number;
  /** Milliseconds since the machine was made. */
  readonly monotonicMs: () => number;
  readonly randomBytes: (size: number) => Buffer;
  /** Runs once when `advance` comes to it, unless it is cancelled with the function that comes back. */
  readonly startTimer: (delayMs: number, run: () => void) => () => void;
  /**
   * Moves time forward. On the way every timer runs at its own moment, the earliest first (of two
   * at one moment the one that was started first), and what it sets off settles before the next.
   */
  advance(ms: number): Promise<void>;
  /** Timers that neither ran nor were cancelled. */
  pendingTimers(): number;
}

interface Timer {
  readonly dueMs: number;
  readonly run: () => void;
}

export interface SeededMachineOptions {
  /** The first moment. */
  readonly startMs?: number;
  /**
   * Resolves when everything that can go on without time has gone on. The default is one turn of the
   * event loop, which is enough as long as nothing waits for another process or thread.
   */
  readonly settle?: () => Promise<void>;
}

const oneTurn = async () =>
  new Promise<void>((resolve) => {
    setImmediate(resolve);
  });

/** Bytes that only the seed decides: the SHA-256 of seed and block number, one block after the other. */
function seededBytes(seed: string): (size: number) => Buffer {
  let block = 0;
  let rest = Buffer.alloc(0);
  return (size) => {
    while (rest.length < size) {
      const next = createHash('sha256').update(`${seed}|${block}`).digest();
      rest = Buffer.concat([rest, next]);
      block += 1;
    }
    const bytes = Buffer.from(rest.subarray(0, size));
    rest = rest.subarray(size);
    return bytes;
  };
}

export function seededMachine(seed: string, options: SeededMachineOptions = {}): SeededMachine {
  const { startMs = Date.UTC(2026, 0, 1), settle = oneTurn } = options;
  // In the order of their start, which a Set keeps.
  const timers = new Set<Timer>();
  let elapsedMs = 0;

  const earliest = (untilMs: number) =>
    [...timers]
      .filter(({ dueMs }) => dueMs <= untilMs)
      .reduce<Timer | undefined>(
        (first, one) => (first && first.dueMs <= one.dueMs ? first : one),
        undefined,
      );

  return {
    nowMs: () => startMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    randomBytes: seededBytes(seed),
    startTimer(delayMs, run) {
      const timer = { dueMs: elapsedMs + Math.max(0, delayMs), run };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    async advance(ms) {
      const targetMs = elapsedMs + ms;
      await settle();
      for (let next = earliest(targetMs); next; next = earliest(targetMs)) {
        timers.delete(next);
        elapsedMs = Math.max(elapsedMs, next.dueMs);
        next.run();
        await settle();
      }
      elapsedMs = targetMs;
    },
    pendingTimers: () => timers.size,
  };
}

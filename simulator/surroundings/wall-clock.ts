/** Real time in fractions of a millisecond, to put messages of several programs in order. */
import type { Surroundings } from './surroundings.ts';

/** More than this apart: the machine slept, or its clock was set. */
const MAX_DRIFT_MS = 20;

/** Milliseconds since the epoch, comparable with other processes of this machine. */
export function createWallClock({
  nowMs,
  monotonicMs,
}: Pick<Surroundings, 'nowMs' | 'monotonicMs'>): () => number {
  let offsetMs = 0;
  return () => {
    const drift = nowMs() - (monotonicMs() + offsetMs);
    if (Math.abs(drift) > MAX_DRIFT_MS) {
      offsetMs += drift;
    }
    return monotonicMs() + offsetMs;
  };
}

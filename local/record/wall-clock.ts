/** Real time in fractions of a millisecond, also while the stack's own clock is moved. */

/** Taken at import, before any clock is moved. */
const realNow = Date.now;
/** More than this apart: the machine slept, or its clock was set. */
const MAX_DRIFT_MS = 20;

let startMs = performance.timeOrigin;

/** Milliseconds since the epoch, comparable with other processes of this machine. */
export function wallClockMs(): number {
  const drift = realNow() - (startMs + performance.now());
  if (Math.abs(drift) > MAX_DRIFT_MS) {
    startMs += drift;
  }
  return startMs + performance.now();
}

/** One movable clock for everything in this process: a `Date` that runs ahead of the real one. */

export interface LocalClock {
  now(): Date;
  offsetSeconds(): number;
  /** Moves `Date` by so many seconds; timers keep their real time. */
  advance(seconds: number): void;
  /** Gives the process its own `Date` back. */
  uninstall(): void;
}

/**
 * Replaces the global `Date`, so that libraries see the moved time too. It is a proxy and not a
 * subclass: `instanceof Date` holds for dates made on either side of the replacement.
 */
export function installClock(initialOffsetSeconds = 0): LocalClock {
  const RealDate = globalThis.Date;
  let offsetSeconds = initialOffsetSeconds;
  const now = () => RealDate.now() + offsetSeconds * 1000;

  const movedDate = new Proxy(RealDate, {
    construct: (target, args: unknown[], newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as object,
    apply: () => new RealDate(now()).toString(),
    get: (target, key) => (key === 'now' ? now : (Reflect.get(target, key) as unknown)),
  });
  globalThis.Date = movedDate;

  return {
    now: () => new RealDate(now()),
    offsetSeconds: () => offsetSeconds,
    advance: (seconds) => {
      offsetSeconds += seconds;
    },
    uninstall: () => {
      if (globalThis.Date === movedDate) {
        globalThis.Date = RealDate;
      }
    },
  };
}

/** How many checks of a run go on at once. */
import type { Table } from '../table/client.ts';
import type { Patience } from './patience.ts';

/** Checks that are worked on at once: enough for 200 a second at a quarter of a second each. */
const WORKED_ON = { usually: 64, impatient: 128 } as const;
/** A check that takes longer waits for somebody else, and leaves its place to another. */
const WAITS_AFTER_MS = 250;
/** All that goes on at once, waiting or worked on; more where nearly all of it only waits. */
const UNDER_WAY = { usually: 128, impatient: 512 } as const;

/** Room for checks. Call `free` and `take` in turn, from one place. */
export interface Slots {
  /** Resolves when one more check may begin. */
  free(): Promise<void>;
  /** Counts a check, which never rejects, until it is done. */
  take(check: Promise<void>): void;
  /** Waits for the next check to end, if one goes on. */
  oneDone(): Promise<'done' | 'none'>;
  allDone(): Promise<void>;
}

export function openSlots(
  { startTimer }: Pick<Table, 'startTimer'>,
  { isShort }: Pick<Patience, 'isShort'>,
): Slots {
  const underWay = new Set<Promise<void>>();
  let workedOn = 0;
  let change = Promise.withResolvers<void>();
  const changed = () => {
    change.resolve();
    change = Promise.withResolvers();
  };
  const follow = async (check: Promise<void>): Promise<void> => {
    workedOn += 1;
    let isWorkedOn = true;
    const letGo = () => {
      workedOn -= isWorkedOn ? 1 : 0;
      isWorkedOn = false;
      changed();
    };
    const stopTimer = startTimer(WAITS_AFTER_MS, letGo);
    await check;
    stopTimer();
    letGo();
  };
  return {
    async free() {
      const mood = () => (isShort() ? 'impatient' : 'usually');
      while (workedOn >= WORKED_ON[mood()] || underWay.size >= UNDER_WAY[mood()]) {
        await change.promise;
      }
    },
    take(check) {
      const followed = follow(check).finally(() => {
        underWay.delete(followed);
        changed();
      });
      underWay.add(followed);
    },
    async oneDone() {
      if (underWay.size === 0) {
        return 'none';
      }
      await change.promise;
      return 'done';
    },
    async allDone() {
      await Promise.all(underWay);
    },
  };
}

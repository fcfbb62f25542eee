/** Due work in the order of its urgency, listed again while a run goes on. */
import { WORK_CLASSES, type WorkClass } from '../order/work-class.ts';
import type { TableConnection } from '../table/client.ts';
import {
  type DueEntry,
  type DueOrder,
  listDueClass,
  READ_PAGE,
  readDue,
  type ReadWork,
} from '../table/due-work.ts';

/** A class that had nothing more is looked at again so much later: what becomes due does not wait for the next run. */
const LIST_AGAIN_MS = 5_000;
/** A run that was handed so much since it paused is busy: there will be more by then. */
const BUSY_AT = 256;
/** A row that was read so long ago is read again before it counts. */
const STALE_MS = 10_000;

interface FeedContext {
  readonly table: TableConnection;
  readonly shards: readonly number[];
  readonly nowMs: () => number;
  /** Whether most calls are left unanswered: then the newest work is taken as well as the oldest. */
  readonly isImpatient: () => boolean;
}

/** Hands out due work of a class, every piece once; nothing when there is none at the moment. */
interface ClassFeed {
  next(): Promise<ReadWork | undefined>;
}

/** Hands out all due work. Call its functions one at a time. */
export interface Feed extends ClassFeed {
  /**
   * When there was none: how long to wait for more, in milliseconds; nothing when the run may as well
   * end, because the next one comes soon enough for the little that becomes due.
   */
  pauseMs(): number | undefined;
}

/**
 * Work of all classes. Of eight turns one is a refund's; the others take turns between orders that
 * somebody asked about and orders that reconcile never asked about. Whoever has nothing gives up
 * its turn. Later questions come when nothing else is due.
 */
export function openFeed(context: FeedContext): Feed {
  const classes = Object.fromEntries(
    WORK_CLASSES.map((workClass) => [workClass, openClassFeed(context, workClass)]),
  ) as Record<WorkClass, ClassFeed>;
  let turn = 0;
  let handedOut = 0;
  return {
    async next() {
      const order = orderOfTurn(turn);
      turn += 1;
      for (const workClass of order) {
        const work = await classes[workClass].next();
        if (work) {
          handedOut += 1;
          return work;
        }
      }
      return undefined;
    },
    pauseMs() {
      const isBusy = handedOut >= BUSY_AT;
      handedOut = 0;
      return isBusy ? LIST_AGAIN_MS : undefined;
    },
  };
}

function orderOfTurn(turn: number): readonly WorkClass[] {
  if (turn % 8 === 7) {
    return ['refund', 'asked', 'first', 'later'];
  }
  return turn % 2 === 0
    ? ['asked', 'first', 'refund', 'later']
    : ['first', 'asked', 'refund', 'later'];
}

/** What is due of a class from one of its ends, as far as it was listed. */
interface Side {
  readonly rounds: AsyncGenerator<readonly DueEntry[]>;
  entries: readonly DueEntry[];
}

function openClassFeed(context: FeedContext, workClass: WorkClass): ClassFeed {
  const { table, shards, nowMs, isImpatient } = context;
  /** Work that this run has handed out: the index may still show it where it was. */
  const given = new Set<string>();
  const sides = new Map<DueOrder, Side>();
  let read: readonly ReadWork[] = [];
  let readAtMs = 0;
  let listAgainAtMs = Number.NEGATIVE_INFINITY;
  let isNewestTurn = false;

  const sideFrom = (from: DueOrder): Side => {
    const now = Math.floor(nowMs() / 1000);
    const side = sides.get(from) ?? {
      rounds: listDueClass(table, workClass, now, { shards, from }),
      entries: [],
    };
    sides.set(from, side);
    return side;
  };

  /** The next page from one end; empty when there is no more. */
  const takePage = async (from: DueOrder): Promise<readonly DueEntry[]> => {
    const side = sideFrom(from);
    for (;;) {
      const fresh = side.entries.filter((entry) => !given.has(keyOf(entry)));
      if (fresh.length > 0) {
        const page = fresh.slice(0, READ_PAGE);
        side.entries = fresh.slice(READ_PAGE);
        for (const entry of page) {
          given.add(keyOf(entry));
        }
        return page;
      }
      const round = await side.rounds.next();
      if (round.done) {
        return [];
      }
      side.entries = round.value;
    }
  };

  const refill = async (): Promise<void> => {
    isNewestTurn = isImpatient() && !isNewestTurn;
    const newest = isNewestTurn ? await takePage('newest') : [];
    const page = newest.length > 0 ? newest : await takePage('oldest');
    if (page.length === 0) {
      sides.clear();
      listAgainAtMs = nowMs() + LIST_AGAIN_MS;
      return;
    }
    read = await readDue(table, page);
    readAtMs = nowMs();
  };

  return {
    async next() {
      if (read.length === 0 && nowMs() >= listAgainAtMs) {
        await refill();
      }
      const [work, ...rest] = read;
      read = rest;
      return work && nowMs() - readAtMs > STALE_MS ? { ...work, row: undefined } : work;
    },
  };
}

const keyOf = ({ kind, id }: DueEntry) => `${kind} ${JSON.stringify(id)}`;

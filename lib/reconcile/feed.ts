/** Due work in the order of its urgency, listed again while a run goes on. */
import { WORK_CLASSES, type WorkClass } from '../order/work-class.ts';
import type { Table } from '../table/client.ts';
import { isoTime } from '../time.ts';
import {
  type DueEntry,
  listDueClass,
  READ_PAGE,
  readDue,
  type ReadWork,
} from '../table/due-work.ts';

/** A class that had nothing more is looked at again so much later: what becomes due does not wait for the next run. */
const LIST_AGAIN_MS = 5_000;
/** A run that was handed so much since it paused is busy: there will be more by then. */
const BUSY_AT = 256;
/** An impatient run draws a page of work from so many moments. */
const RANDOM_MOMENTS = 4;
/** A row that was read so long ago is read again before it counts. */
const STALE_MS = 10_000;

interface FeedContext {
  readonly table: Table;
  readonly shards: readonly number[];
  readonly nowMs: () => number;
  /** Whether most calls are left unanswered: then work is taken at random as well as the oldest. */
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

function openClassFeed(context: FeedContext, workClass: WorkClass): ClassFeed {
  const { table, shards, nowMs, isImpatient } = context;
  /** Work that this run has handed out: the index may still show it where it was. */
  const given = new Set<string>();
  let rounds: AsyncGenerator<readonly DueEntry[]> | undefined;
  let listed: readonly DueEntry[] = [];
  let read: readonly ReadWork[] = [];
  let readAtMs = 0;
  let listAgainAtMs = Number.NEGATIVE_INFINITY;
  let oldestDueAtMs = Number.POSITIVE_INFINITY;
  let isRandomTurn = false;

  const list = (since?: string) =>
    listDueClass(table, workClass, Math.floor(nowMs() / 1000), {
      shards,
      ...(since !== undefined && { since }),
    });
  const notGiven = (entries: readonly DueEntry[]) =>
    entries.filter((entry) => !given.has(keyOf(entry)));

  /** The next of what was listed, the oldest first; empty when there is no more. */
  const takeOldest = async (): Promise<readonly DueEntry[]> => {
    rounds ??= list();
    for (let fresh = notGiven(listed); ; fresh = notGiven(listed)) {
      const [first] = fresh;
      if (first) {
        oldestDueAtMs = Math.min(oldestDueAtMs, Date.parse(first.dueAt));
        listed = fresh.slice(READ_PAGE);
        return fresh.slice(0, READ_PAGE);
      }
      const round = await rounds.next();
      if (round.done) {
        rounds = undefined;
        return [];
      }
      listed = round.value;
    }
  };

  /** Some of what is due from moments on that chance chooses between the oldest and now. */
  const takeAtRandom = async (): Promise<readonly DueEntry[]> => {
    const draws = Array.from({ length: RANDOM_MOMENTS }, async () => {
      const part = table.randomBytes(2).readUInt16BE() / 0x1_00_00;
      const sinceMs = oldestDueAtMs + part * Math.max(0, nowMs() - oldestDueAtMs);
      const round = await list(isoTime(Math.floor(sinceMs / 1000))).next();
      return round.done ? [] : notGiven(round.value).slice(0, READ_PAGE / RANDOM_MOMENTS);
    });
    const drawn = (await Promise.all(draws)).flat();
    return [...new Map(drawn.map((entry) => [keyOf(entry), entry])).values()];
  };

  const refill = async (): Promise<void> => {
    isRandomTurn = isImpatient() && !isRandomTurn && Number.isFinite(oldestDueAtMs);
    const random = isRandomTurn ? await takeAtRandom() : [];
    const page = random.length > 0 ? random : await takeOldest();
    for (const entry of page) {
      given.add(keyOf(entry));
    }
    if (page.length === 0) {
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

/** The events of a period, made again from rows: the same ids and bytes as the first time. */
import { setTimeout as delay } from 'node:timers/promises';
import { allEvents, type FactEvent } from '../../lib/events/events.ts';
import { describeError } from '../../lib/runtime/log.ts';
import { type EventsClient, putEvents } from '../../lib/publish/client.ts';
import { cutIntoCalls, entryOf, isTooLarge } from '../../lib/publish/entry.ts';
import type { Item } from '../../lib/table/attributes.ts';
import { isWithin, type Period } from './period.ts';

export interface Bus {
  readonly client: EventsClient;
  readonly name: string;
}

export interface Rebuilt {
  readonly rows: number;
  /** How many events were sent, or would be, by their type. */
  readonly events: Readonly<Record<string, number>>;
  /** What could not be read, in words. */
  readonly unreadable: readonly string[];
  /** Why it ended early. */
  readonly failure?: string | undefined;
}

/** What a bus may refuse or throttle for a moment. */
const PAUSES_MS = [200, 1000, 3000];

/**
 * Tells again what the rows tell that was recorded in the period; without a bus it only counts. It
 * ends at the first event that the bus does not take after some attempts.
 *
 * @throws what reading the rows throws.
 */
export async function rebuildEvents(
  pages: AsyncIterable<readonly Item[]>,
  period: Period,
  bus: Bus | undefined,
  onRows: (rows: number) => void,
): Promise<Rebuilt> {
  let rows = 0;
  const counts = new Map<string, number>();
  const unreadable: string[] = [];
  const count = ({ detailType }: FactEvent) =>
    counts.set(detailType, (counts.get(detailType) ?? 0) + 1);
  const summary = () => ({ rows, events: Object.fromEntries(counts), unreadable });
  for await (const page of pages) {
    rows += page.length;
    const found = page.map(allEvents);
    unreadable.push(...found.flatMap((each) => each.unreadable.map(({ message }) => message)));
    const events = found
      .flatMap((each) => each.events)
      .filter(({ recordedAt }) => isWithin(period, recordedAt));
    unreadable.push(...events.filter(isTooLarge).map(({ eventId }) => eventId));
    const failure = await sendAll(
      events.filter((event) => !isTooLarge(event)),
      bus,
      count,
    );
    if (failure !== undefined) {
      return { ...summary(), failure };
    }
    onRows(rows);
  }
  return summary();
}

/** Why the bus does not have all of them; nothing when it has. */
async function sendAll(
  events: readonly FactEvent[],
  bus: Bus | undefined,
  onSent: (event: FactEvent) => void,
): Promise<string | undefined> {
  if (!bus) {
    events.forEach(onSent);
    return undefined;
  }
  for (const call of cutIntoCalls(events.map((event) => ({ event })))) {
    const failure = await sendCall(
      call.map(({ event }) => event),
      bus,
      onSent,
    );
    if (failure !== undefined) {
      return failure;
    }
  }
  return undefined;
}

async function sendCall(
  call: readonly FactEvent[],
  { client, name }: Bus,
  onSent: (event: FactEvent) => void,
): Promise<string | undefined> {
  let left = call;
  for (let attempt = 0; ; attempt += 1) {
    const { sent, failure } = await trySend(left, { client, name });
    left.slice(0, sent).forEach(onSent);
    left = left.slice(sent);
    if (left.length === 0) {
      return undefined;
    }
    const pause = PAUSES_MS[attempt];
    if (pause === undefined) {
      return failure;
    }
    await delay(pause);
  }
}

/** How many of the events the bus has, from the first on, and why not the others. */
async function trySend(events: readonly FactEvent[], { client, name }: Bus) {
  try {
    const refused = await putEvents(
      client,
      events.map((event) => entryOf(event, name)),
    );
    return { sent: refused?.index ?? events.length, failure: refused?.code };
  } catch (error) {
    return { sent: 0, failure: String(describeError(error)['reason']) };
  }
}

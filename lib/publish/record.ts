/** One record of the table's stream: what it tells, and what of it goes into the archive. */
import type { DynamoDBRecord } from 'aws-lambda';
import { UnreadableRowError } from '../errors.ts';
import { type FactEvent, newEvents } from '../events/events.ts';
import { reading } from '../events/fact.ts';
import type { Item } from '../table/attributes.ts';
import { archivedNotification } from '../table/notifications.ts';
import { isTooLarge } from './entry.ts';

/** A piece of work that is done or given back as a whole. */
export interface Task {
  /** What Lambda is told when it is not done: the record's place in its shard. */
  readonly sequenceNumber: string;
  readonly event?: FactEvent;
  /** A row for the archive of notifications. */
  readonly archived?: Item;
}

/** What a record asks for, in order, and what of it could not be read. */
export interface ReadRecord {
  readonly tasks: readonly Task[];
  readonly unreadable: readonly UnreadableRowError[];
}

/** Reads a record; nothing in it makes this throw, because that would stop all that come after it. */
export function readRecord({ dynamodb }: DynamoDBRecord, retentionDays: number): ReadRecord {
  const { SequenceNumber: sequenceNumber = '', NewImage, OldImage } = dynamodb ?? {};
  if (!NewImage) {
    return { tasks: [], unreadable: [] };
  }
  // Lambda's JSON has no bytes in it, else an image is as the SDK has it.
  const [row, before] = [NewImage as Item, OldImage as Item | undefined];
  const { events, unreadable } = newEvents(row, before);
  const archived = reading(row, () => archivedNotification(row, before, retentionDays));
  const fit = events.filter((event) => !isTooLarge(event));
  return {
    tasks: [
      ...(archived && !(archived instanceof UnreadableRowError)
        ? [{ sequenceNumber, archived }]
        : []),
      ...fit.map((event) => ({ sequenceNumber, event })),
    ],
    unreadable: [
      ...unreadable,
      ...events.filter(isTooLarge).map(({ eventId }) => tooLarge(eventId)),
      ...(archived instanceof UnreadableRowError ? [archived] : []),
    ],
  };
}

const tooLarge = (eventId: string) =>
  new UnreadableRowError(eventId, 'facts', 'its event is larger than EventBridge takes');

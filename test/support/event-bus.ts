/** A bus that keeps what is put on it, each event checked against its schema; tests make it refuse. */
import type { PutEventsCommand, PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { expect } from 'vitest';
import type { EventsClient } from '../../lib/publish/client.ts';
import { problemsOf } from './event-schemas.ts';

/** What becomes of a call: the code of each refused entry by its place, or an error. */
type Behaviour = (
  entries: readonly PutEventsRequestEntry[],
  call: number,
) => Record<number, string>;

export interface RecordingBus extends EventsClient {
  /** How many entries each call had. */
  readonly calls: number[];
  /** What was accepted, in order. */
  readonly accepted: PutEventsRequestEntry[];
  readonly eventIds: () => string[];
}

export const detailOf = (entry: PutEventsRequestEntry | undefined) =>
  JSON.parse(entry?.Detail ?? 'null') as Record<string, unknown>;

export function recordingBus(behave: Behaviour = () => ({})): RecordingBus {
  const calls: number[] = [];
  const accepted: PutEventsRequestEntry[] = [];
  const send = async ({ input }: PutEventsCommand) => {
    const entries = input.Entries ?? [];
    calls.push(entries.length);
    for (const entry of entries) {
      expect(problemsOf(entry.DetailType ?? '', detailOf(entry))).toEqual([]);
    }
    const refused = behave(entries, calls.length);
    accepted.push(...entries.filter((_, index) => !(index in refused)));
    return {
      FailedEntryCount: Object.keys(refused).length,
      Entries: entries.map((_, index) =>
        index in refused
          ? { ErrorCode: refused[index], ErrorMessage: 'no' }
          : { EventId: `aws-${index}` },
      ),
    };
  };
  return {
    calls,
    accepted,
    eventIds: () => accepted.map((entry) => String(detailOf(entry)['eventId'])),
    send,
  };
}

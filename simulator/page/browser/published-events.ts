/** The events of an order as EventBridge has them: which came once, which again, which are awaited. */
import type { RefundRow, Row } from './rows.ts';

/** As the stand-in for EventBridge keeps it. */
export interface StoredEvent {
  readonly id: number;
  readonly time: string;
  readonly detailType: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface PublishedEvent {
  readonly event: StoredEvent;
  readonly eventId: string;
  readonly sequence: number;
  /** How many times it was taken, each time under another `id`. */
  readonly times: number;
}

/** Each once, in the order in which it was first taken. */
export function listPublished(events: readonly StoredEvent[]): PublishedEvent[] {
  const published = new Map<string, PublishedEvent>();
  for (const event of events) {
    const eventId = String(event.detail['eventId']);
    const before = published.get(eventId);
    published.set(eventId, {
      event: before?.event ?? event,
      eventId,
      sequence: Number(event.detail['sequence']),
      times: (before?.times ?? 0) + 1,
    });
  }
  return [...published.values()];
}

/** Facts on the rows of an order that EventBridge has not taken yet. */
export function countAwaited(
  row: Row,
  refunds: readonly RefundRow[],
  published: readonly PublishedEvent[],
): number {
  const facts = [row, ...refunds].map(({ factCount }) => Number(factCount ?? 0));
  return Math.max(0, facts.reduce((sum, count) => sum + count, 0) - published.length);
}

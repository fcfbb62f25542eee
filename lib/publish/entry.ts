/** Events as entries of a call, and how many of them one call takes. */
import type { PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { EVENT_SOURCE, type FactEvent } from '../events/events.ts';

/** AWS's limits for one `PutEvents`, and so for one entry. */
const MAX_ENTRIES = 10;
const MAX_BYTES = 256 * 1024;

/** What AWS counts for `Time`, whatever it is. */
const TIME_BYTES = 14;

/** The entry of an event on a bus. */
export const entryOf = (event: FactEvent, eventBusName: string): PutEventsRequestEntry => ({
  EventBusName: eventBusName,
  Source: EVENT_SOURCE,
  DetailType: event.detailType,
  Detail: event.detail,
  Time: new Date(event.recordedAt),
});

/** The size of an event as AWS counts it. */
const bytesOf = ({ detailType, detail }: FactEvent) =>
  TIME_BYTES + EVENT_SOURCE.length + detailType.length + Buffer.byteLength(detail);

/** Whether any call can take it. */
export const isTooLarge = (event: FactEvent) => bytesOf(event) > MAX_BYTES;

/** Cuts a list, in order, into pieces of which each fits one call; not everything in it has an event. */
export function cutIntoCalls<T extends { readonly event?: FactEvent | undefined }>(
  list: readonly T[],
): T[][] {
  const calls: T[][] = [];
  let entries = 0;
  let bytes = 0;
  for (const each of list) {
    const size = each.event ? bytesOf(each.event) : 0;
    entries += each.event ? 1 : 0;
    bytes += size;
    const last = calls.at(-1);
    if (last && entries <= MAX_ENTRIES && bytes <= MAX_BYTES) {
      last.push(each);
    } else {
      calls.push([each]);
      entries = each.event ? 1 : 0;
      bytes = size;
    }
  }
  return calls;
}

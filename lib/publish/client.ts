/** The connection to EventBridge, and its one call. */
import {
  EventBridgeClient,
  PutEventsCommand,
  type PutEventsRequestEntry,
} from '@aws-sdk/client-eventbridge';

export type EventsClient = Pick<EventBridgeClient, 'send'>;

const MAX_ATTEMPTS = 3;
const CONNECTION_TIMEOUT_MS = 1_000;
const REQUEST_TIMEOUT_MS = 3_000;
/** The SDK's pauses between the attempts: up to 100 ms, then up to 200 ms. */
const MAX_PAUSES_MS = 300;

/** The longest that one call takes: every attempt is silent until its time is over. */
export const MAX_CALL_MS = MAX_ATTEMPTS * REQUEST_TIMEOUT_MS + MAX_PAUSES_MS;

/** Region, credentials and endpoint come from the SDK's own environment variables. */
export function openEventsClient(): EventsClient {
  return new EventBridgeClient({
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  });
}

/** An entry that EventBridge did not take, though it took the call. */
export interface RefusedEntry {
  /** Its place in the call. */
  readonly index: number;
  readonly code: string;
}

/** The first entry that was refused; nothing when the bus has them all. */
export async function putEvents(
  client: EventsClient,
  entries: readonly PutEventsRequestEntry[],
): Promise<RefusedEntry | undefined> {
  const answer = await client.send(new PutEventsCommand({ Entries: [...entries] }));
  if (!answer.FailedEntryCount) {
    return undefined;
  }
  const results = answer.Entries ?? [];
  // Some were refused, whichever: nothing counts as taken unless the answer says so.
  const index = Math.max(
    0,
    results.findIndex(({ ErrorCode }) => ErrorCode !== undefined),
  );
  return { index, code: results[index]?.ErrorCode ?? 'unknown' };
}

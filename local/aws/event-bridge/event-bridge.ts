/** A small EventBridge: its JSON 1.1 protocol for `PutEvents` on one bus, which keeps what it takes. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { listenOnLoopback, readBody } from '../../http-server.ts';
import { type EventStore, openEventStore, type StoredEvent } from './event-store.ts';
import type { BusFaults } from './faults.ts';
import { EventBridgeError, type JudgedEntry, judgeEntries } from './put-events.ts';

const MAX_BODY_BYTES = 2_000_000;
const PUT_EVENTS = 'AWSEvents.PutEvents';
const REFUSED_ON_REQUEST = {
  ErrorCode: 'InternalFailure',
  ErrorMessage: 'refused, as POST /_local/events/faults asked for',
};

export interface EventBridgeOptions {
  /** The file that keeps the events across restarts. */
  readonly path: string;
  /** The one bus that there is. */
  readonly busName: string;
  /** Called for every event that was taken, after it is on disk. */
  readonly onEvent?: (event: StoredEvent) => void;
  /** Called for an event to a bus that there is not: AWS takes it without a word, and drops it. */
  readonly onDropped?: (busName: string) => void;
}

export interface EventBridge {
  readonly endpoint: string;
  readonly events: Pick<EventStore, 'list' | 'listOfOrder'>;
  /** Changed by whoever wants it to misbehave. */
  readonly faults: BusFaults;
  stop(): Promise<void>;
}

/** Starts the server on a free port. */
export async function startEventBridge(options: EventBridgeOptions): Promise<EventBridge> {
  const store = openEventStore(options.path);
  const faults: BusFaults = { fail: 0, slowMs: 0, away: false };
  const server = await listenOnLoopback(
    (request, response) => {
      void answer(store, faults, options, request, response);
    },
    { port: 0 },
  );
  return {
    endpoint: server.url,
    events: store,
    faults,
    async stop() {
      await server.stop();
      store.close();
    },
  };
}

async function answer(
  store: EventStore,
  faults: BusFaults,
  options: EventBridgeOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const body = await readBody(request, MAX_BODY_BYTES);
    if (faults.slowMs > 0) {
      await delay(faults.slowMs);
    }
    if (faults.away) {
      send(response, 503, { __type: 'ServiceUnavailableException', message: 'away' });
      return;
    }
    const input = readCall(request, body);
    send(response, 200, putEvents(store, faults, options, judgeEntries(input, new Date())));
  } catch (error) {
    if (error instanceof EventBridgeError) {
      send(response, 400, { __type: error.exception, message: error.message });
      return;
    }
    const message = error instanceof Error ? error.message : String(error);
    send(response, 500, { __type: 'InternalException', message });
  }
}

function readCall(request: IncomingMessage, body: Buffer): Readonly<Record<string, unknown>> {
  const target = String(request.headers['x-amz-target'] ?? '');
  if (target !== PUT_EVENTS) {
    throw new EventBridgeError('UnknownOperationException', `no operation "${target}" here`);
  }
  try {
    const input: unknown = JSON.parse(body.toString('utf8'));
    if (typeof input === 'object' && input !== null && !Array.isArray(input)) {
      return input as Record<string, unknown>;
    }
  } catch {
    // Falls through to the same refusal.
  }
  throw new EventBridgeError('SerializationException', 'the body is not a JSON object');
}

function putEvents(
  store: EventStore,
  faults: BusFaults,
  { busName, onEvent, onDropped }: EventBridgeOptions,
  entries: readonly JudgedEntry[],
): object {
  const judged = entries.map((entry) => refuseOnRequest(entry, faults));
  const taken = judged.flatMap((entry) => (entry.kind === 'event' ? [entry] : []));
  const added = store.add(
    taken.filter((entry) => entry.busName === busName).map(({ event }) => event),
  );
  for (const event of added) {
    onEvent?.(event);
  }
  for (const entry of taken.filter((entry) => entry.busName !== busName)) {
    onDropped?.(entry.busName);
  }
  return {
    FailedEntryCount: judged.length - taken.length,
    Entries: judged.map((entry) =>
      entry.kind === 'event' ? { EventId: randomUUID() } : entry.answer,
    ),
  };
}

function refuseOnRequest(entry: JudgedEntry, faults: BusFaults): JudgedEntry {
  if (entry.kind === 'refused' || faults.fail === 0) {
    return entry;
  }
  faults.fail -= 1;
  return { kind: 'refused', answer: REFUSED_ON_REQUEST };
}

function send(response: ServerResponse, status: number, content: unknown): void {
  response.writeHead(status, {
    'content-type': 'application/x-amz-json-1.1',
    'x-amzn-requestid': randomUUID(),
  });
  response.end(JSON.stringify(content));
}

/**
 * What EventBridge takes and what it refuses, in its own words.
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
 */
import type { NewEvent } from './event-store.ts';

const MAX_ENTRIES = 10;
const MAX_BYTES = 256 * 1024;
/** What `Time` counts for, however it is written. */
const TIME_BYTES = 14;

type Input = Readonly<Record<string, unknown>>;

/** A refusal of the whole call. */
export class EventBridgeError extends Error {
  readonly exception: string;

  constructor(exception: string, message: string) {
    super(message);
    this.name = 'EventBridgeError';
    this.exception = exception;
  }
}

/** A refusal of one entry; the others of its call are taken. */
export interface RefusedEntry {
  readonly ErrorCode: string;
  readonly ErrorMessage: string;
}

export type JudgedEntry =
  | { readonly kind: 'event'; readonly busName: string; readonly event: NewEvent }
  | { readonly kind: 'refused'; readonly answer: RefusedEntry };

/**
 * Judges every entry of a call, in its order.
 *
 * @param now what `Time` is of an entry that names none.
 * @throws {EventBridgeError} when AWS would refuse the whole call.
 */
export function judgeEntries(input: Input, now: Date): readonly JudgedEntry[] {
  const entries = readEntries(input);
  const bytes = entries.map(sizeOf).reduce((sum, size) => sum + size, 0);
  if (bytes > MAX_BYTES) {
    throw new EventBridgeError(
      'ValidationException',
      'Total size of the entries in the request is over the limit.',
    );
  }
  return entries.map((entry) => judgeEntry(entry, now));
}

function readEntries({ Entries }: Input): readonly Input[] {
  if (Entries === undefined || Entries === null) {
    throw invalid(`Value null at 'entries' failed to satisfy constraint: Member must not be null`);
  }
  const isObject = (entry: unknown) => typeof entry === 'object' && entry !== null;
  if (!Array.isArray(Entries) || !Entries.every(isObject)) {
    throw new EventBridgeError('SerializationException', 'Entries is not a list of structures.');
  }
  if (Entries.length < 1) {
    const rule = 'Member must have length greater than or equal to 1';
    throw invalid(`Value '[]' at 'entries' failed to satisfy constraint: ${rule}`);
  }
  if (Entries.length > MAX_ENTRIES) {
    const rule = `Member must have length less than or equal to ${MAX_ENTRIES}`;
    const value = Entries.map(() => 'PutEventsRequestEntry').join(', ');
    throw invalid(`Value '[${value}]' at 'entries' failed to satisfy constraint: ${rule}`);
  }
  return Entries as readonly Input[];
}

const invalid = (violation: string) =>
  new EventBridgeError('ValidationException', `1 validation error detected: ${violation}`);

/** As the user guide counts an entry: time, and the bytes of source, detail type, detail, resources. */
function sizeOf({ Time, Source, DetailType, Detail, Resources }: Input): number {
  const texts = [Source, DetailType, Detail, Resources ?? []].flat();
  const bytes = texts.map((text) => (typeof text === 'string' ? Buffer.byteLength(text) : 0));
  return bytes.reduce((sum, size) => sum + size, Time === undefined ? 0 : TIME_BYTES);
}

function judgeEntry(entry: Input, now: Date): JudgedEntry {
  for (const name of ['Source', 'DetailType', 'Detail']) {
    if (typeof entry[name] !== 'string' || entry[name] === '') {
      const reason = `Parameter ${name} is not valid. Reason: ${name} is a required argument.`;
      return refuse('InvalidArgument', reason);
    }
  }
  const { Source, DetailType, Detail } = entry as Record<string, string>;
  if (Source?.startsWith('aws.')) {
    return refuse('NotAuthorizedForSourceException', 'Not authorized for the source.');
  }
  const detail = parseObject(Detail ?? '');
  if (detail === undefined) {
    return refuse('MalformedDetail', 'Detail is malformed.');
  }
  const event = { source: Source ?? '', detailType: DetailType ?? '', detail };
  return {
    kind: 'event',
    busName: nameBus(entry.EventBusName),
    event: { time: readTime(entry.Time, now), ...event },
  };
}

const refuse = (ErrorCode: string, ErrorMessage: string): JudgedEntry => ({
  kind: 'refused',
  answer: { ErrorCode, ErrorMessage },
});

/** `name` of a bus, also of its ARN; the account's own one when none is named. */
function nameBus(name: unknown): string {
  return typeof name === 'string' && name !== ''
    ? name.replace(/^arn:.*:event-bus\//, '')
    : 'default';
}

/** Epoch seconds, as the JSON protocol writes a time; EventBridge keeps whole seconds. */
function readTime(seconds: unknown, now: Date): string {
  const time = typeof seconds === 'number' ? new Date(seconds * 1000) : now;
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

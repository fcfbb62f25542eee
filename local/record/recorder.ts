/**
 * Keeps what the functions receive, answer, log and send to the table, for whoever watches the
 * local stack: the last messages only, without tokens. Nothing of it exists in a deployment.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { InvocationOutcome, LocalFunction } from '../aws/lambda.ts';
import { maskBody, maskHeaders } from './mask.ts';
import { wallClockMs } from './wall-clock.ts';

const KEPT_MESSAGES = 3000;
const KEPT_CHARACTERS = 16 * 1024;
/** As much as a call of EventBridge may have: an event that is cut off could not be read. */
const KEPT_CHARACTERS_OF_EVENTS = 256 * 1024;
const KEPT_LOG_LINES = 20;

export interface RecordedMessage {
  readonly id: number;
  /** The stack's clock, ISO 8601. */
  readonly time: string;
  /** Real milliseconds since the epoch, to put messages of several programs in order. */
  readonly epochMs: number;
  readonly from: 'mini-program' | 'wechat' | 'schedule' | 'tool' | 'api';
  readonly to: 'api' | 'table' | 'event-bus';
  /** The function that runs, or that asks the table or EventBridge. */
  readonly functionName: string;
  /** The same for a call of a function and for everything it sends from here. */
  readonly invocationId: string;
  readonly method: string;
  readonly path: string;
  readonly request: { headers: Record<string, string>; body: string };
  /** Absent: not answered yet. */
  response?: { status: number; headers: Record<string, string>; body: string };
  durationMs?: number;
  /** What the function logged meanwhile. */
  log?: object[];
}

export type NewMessage = Omit<
  RecordedMessage,
  'id' | 'time' | 'epochMs' | 'response' | 'durationMs' | 'log'
>;
export type RecordedAnswer = NonNullable<RecordedMessage['response']>;
/** One call of a function. */
export interface Invocation {
  readonly functionName: string;
  readonly invocationId: string;
}

export interface Recorder {
  /** Keeps a message; the returned function adds the answer to it. */
  record(message: NewMessage): (answer: RecordedAnswer) => void;
  /** The same functions; what happens in them is kept from now on. */
  watch(functions: ReadonlyMap<string, LocalFunction>): Map<string, LocalFunction>;
  /** A line that the running function printed. */
  addLogLine(line: string): void;
  /** Which call of a function is running here. */
  currentInvocation(): Invocation | undefined;
  /** In order; an answer that came later is on its message. */
  list(afterId?: number): readonly RecordedMessage[];
}

export function createRecorder(): Recorder {
  const running = new AsyncLocalStorage<Invocation & { readonly message: RecordedMessage }>();
  let kept: RecordedMessage[] = [];
  let lastId = 0;

  const add = (message: NewMessage): RecordedMessage => {
    lastId += 1;
    const time = new Date().toISOString();
    const limit = message.to === 'event-bus' ? KEPT_CHARACTERS_OF_EVENTS : KEPT_CHARACTERS;
    const request = shorten(message.request, limit);
    const added = { id: lastId, time, epochMs: wallClockMs(), ...message, request };
    kept.push(added);
    if (kept.length > KEPT_MESSAGES * 1.1) {
      kept = kept.slice(-KEPT_MESSAGES);
    }
    return added;
  };
  const finish = (message: RecordedMessage, answer: RecordedAnswer) => {
    message.response = { status: answer.status, ...shorten(answer) };
    message.durationMs = wallClockMs() - message.epochMs;
  };
  const watchOne = (watched: LocalFunction): LocalFunction => ({
    definition: watched.definition,
    invoke: async (event) => {
      const { definition } = watched;
      const invocationId = `${definition.name}-${lastId + 1}`;
      const message = add({ ...describeEvent(definition.name, event), invocationId });
      const invocation = { functionName: definition.name, invocationId, message };
      const outcome = await running.run(invocation, () => watched.invoke(event));
      finish(message, describeOutcome(outcome));
      return outcome;
    },
  });

  return {
    record(message) {
      const added = add(message);
      return (answer) => finish(added, answer);
    },
    watch: (functions) =>
      new Map([...functions].map(([name, one]) => [name, watchOne(one)] as const)),
    addLogLine(line) {
      const entry = parseObject(line);
      const message = running.getStore()?.message;
      if (message === undefined || entry === undefined || '_aws' in entry) {
        return;
      }
      message.log = [...(message.log ?? []), entry].slice(-KEPT_LOG_LINES);
    },
    currentInvocation: () => running.getStore(),
    list: (afterId = 0) => kept.filter(({ id }) => id > afterId),
  };
}

function shorten(
  { headers, body }: { headers: Record<string, string>; body: string },
  limit = KEPT_CHARACTERS,
) {
  return { headers: maskHeaders(headers), body: maskBody(body.slice(0, limit)) };
}

/** The call as it came in: an HTTP API's event, or the event itself of a schedule or a tool. */
function describeEvent(functionName: string, event: unknown): Omit<NewMessage, 'invocationId'> {
  const { requestContext, headers, body, isBase64Encoded, source } = (event ?? {}) as {
    requestContext?: { http?: { method: string; path: string } };
    headers?: Record<string, string>;
    body?: string;
    isBase64Encoded?: boolean;
    source?: unknown;
  };
  const http = requestContext?.http;
  if (http === undefined) {
    return {
      from: source === 'aws.events' ? 'schedule' : 'tool',
      to: 'api',
      functionName,
      method: 'INVOKE',
      path: functionName,
      request: { headers: {}, body: JSON.stringify(event ?? null) },
    };
  }
  return {
    from: http.path.startsWith('/notify/') ? 'wechat' : 'mini-program',
    to: 'api',
    functionName,
    method: http.method,
    path: http.path,
    request: {
      headers: headers ?? {},
      body: Buffer.from(body ?? '', isBase64Encoded === true ? 'base64' : 'utf8').toString('utf8'),
    },
  };
}

function describeOutcome(outcome: InvocationOutcome): RecordedAnswer {
  if (!outcome.ok) {
    return { status: 500, headers: {}, body: JSON.stringify(outcome.error) };
  }
  const { statusCode, headers, body } = (outcome.result ?? {}) as Record<string, unknown>;
  return typeof statusCode === 'number' && typeof body === 'string'
    ? { status: statusCode, headers: (headers ?? {}) as Record<string, string>, body }
    : { status: 200, headers: {}, body: JSON.stringify(outcome.result ?? null) };
}

function parseObject(line: string): object | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** `/_local/…`: what only the local stack can do. Loopback only, and in no deployment. */
import { type HttpAnswer, jsonAnswer } from './aws/http-result.ts';
import type { ControlRequest } from './aws/api-server.ts';
import type { LocalFunction } from './aws/lambda.ts';
import type { ClockReading } from './clock/stack-clock.ts';
import {
  parseJson,
  readAfter,
  refuse,
  refuseInvalidJson,
  refuseMethod,
} from './control-answers.ts';
import { answerEvents, type EventsControl } from './events-control.ts';

const LOOPBACK_HOSTS = new Set(['127.0.0.1', 'localhost', '[::1]']);
const MAX_ADVANCE_SECONDS = 10 * 366 * 86_400;

export interface Control {
  readonly functions: ReadonlyMap<string, LocalFunction>;
  /** Moves the whole stack's clock and lets the schedule follow. */
  advanceClock(seconds: number): Promise<ClockReading>;
  /** Where the parts of the stack are, and how far behind its stream is. */
  describe(): Promise<object>;
  readonly events: EventsControl;
  /** What happened between the functions, their callers and the table; absent: nothing is kept. */
  readonly record?: {
    listMessages(afterId: number): readonly object[];
    readOrder(outTradeNo: string): Promise<{ readonly row: object | undefined }>;
  };
}

/** Answers one request under `/_local/`. */
export async function answerControl(
  control: Control,
  request: ControlRequest,
): Promise<HttpAnswer> {
  if (!isLoopback(request)) {
    return refuse(403, 'FORBIDDEN', '/_local answers this machine only');
  }
  const [, , command, argument, ...rest] = request.path.split('/');
  if (rest.length > 0) {
    return refuse(404, 'NOT_FOUND', `nothing at ${request.path}`);
  }
  if (command === 'status' && argument === undefined) {
    return request.method === 'GET'
      ? jsonAnswer(200, await control.describe())
      : refuseMethod('GET');
  }
  if (command === 'invoke' && argument !== undefined) {
    return request.method === 'POST'
      ? invokeFunction(control, argument, request.body)
      : refuseMethod('POST');
  }
  if (command === 'clock' && argument === undefined) {
    return request.method === 'POST' ? moveClock(control, request.body) : refuseMethod('POST');
  }
  if (command === 'messages' && argument === undefined) {
    return request.method === 'GET' ? listMessages(control, request) : refuseMethod('GET');
  }
  if (command === 'events') {
    return answerEvents(control.events, request, argument);
  }
  if (command === 'orders' && argument !== undefined) {
    return request.method === 'GET' ? readOrder(control, argument) : refuseMethod('GET');
  }
  return refuse(404, 'NOT_FOUND', `nothing at ${request.path}`);
}

function listMessages({ record }: Control, { rawQueryString }: ControlRequest): HttpAnswer {
  if (record === undefined) {
    return refuseUnrecorded();
  }
  const after = readAfter(rawQueryString);
  if (after === undefined) {
    return refuse(400, 'INVALID_AFTER', 'after must be the id of a message');
  }
  return jsonAnswer(200, { messages: record.listMessages(after) });
}

async function readOrder({ record }: Control, outTradeNo: string): Promise<HttpAnswer> {
  if (record === undefined) {
    return refuseUnrecorded();
  }
  const order = await record.readOrder(outTradeNo);
  if (order.row !== undefined) {
    return jsonAnswer(200, order);
  }
  return refuse(404, 'ORDER_NOT_FOUND', `the table has no order ${outTradeNo}`);
}

function refuseUnrecorded(): HttpAnswer {
  return refuse(404, 'NOT_RECORDED', 'this stack was started without a recorder');
}

async function invokeFunction(control: Control, name: string, body: Buffer): Promise<HttpAnswer> {
  const known = control.functions.get(name);
  if (known === undefined) {
    const names = [...control.functions.keys()].join(', ');
    return refuse(404, 'FUNCTION_NOT_FOUND', `no function "${name}"; there are: ${names}`);
  }
  const event = body.length === 0 ? { value: {} } : parseJson(body);
  if (event === undefined) {
    return refuseInvalidJson('the event');
  }
  const outcome = await known.invoke(event.value);
  return outcome.ok ? jsonAnswer(200, outcome.result) : jsonAnswer(500, outcome.error);
}

async function moveClock(control: Control, body: Buffer): Promise<HttpAnswer> {
  const input = parseJson(body);
  if (input === undefined) {
    return refuseInvalidJson('the body');
  }
  const seconds = (input.value as { advanceSeconds?: unknown } | null)?.advanceSeconds;
  if (!isAdvance(seconds)) {
    const message = `advanceSeconds must be a whole number from 0 to ${MAX_ADVANCE_SECONDS}`;
    return refuse(400, 'INVALID_ADVANCE_SECONDS', message);
  }
  try {
    return jsonAnswer(200, await control.advanceClock(seconds));
  } catch (error) {
    return refuse(502, 'CLOCK_NOT_MOVED', error instanceof Error ? error.message : String(error));
  }
}

function isAdvance(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= MAX_ADVANCE_SECONDS;
}

/** Host and Origin too, so that a page in the developer's browser cannot move the clock. */
function isLoopback({ host, origin, remoteAddress }: ControlRequest): boolean {
  const local = /^(?:127\.|::1$|::ffff:127\.)/.test(remoteAddress ?? '');
  const hosts = [`http://${host ?? ''}`, ...(origin === undefined ? [] : [origin])];
  return local && hosts.every((url) => LOOPBACK_HOSTS.has(URL.parse(url)?.hostname ?? ''));
}

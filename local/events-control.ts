/** `/_local/events…`: what the stand-in for EventBridge took, and how it and the stream misbehave. */
import type { ControlRequest } from './aws/api-server.ts';
import type { EventBridge } from './aws/event-bridge/event-bridge.ts';
import { parseFaultRequest } from './aws/event-bridge/faults.ts';
import type { EventSource } from './aws/event-source/event-source.ts';
import { type HttpAnswer, jsonAnswer } from './aws/http-result.ts';
import {
  parseJson,
  readAfter,
  refuse,
  refuseInvalidJson,
  refuseMethod,
} from './control-answers.ts';

/** Events of one answer, at most. */
const LIST_LIMIT = 10_000;

export interface EventsControl {
  readonly eventBridge: Pick<EventBridge, 'events' | 'faults'>;
  /** Absent: no function is on the stream. */
  readonly eventSource?: Pick<EventSource, 'redeliver'> | undefined;
}

/** Answers a request for `/_local/events` or `/_local/events/faults`. */
export async function answerEvents(
  control: EventsControl,
  request: ControlRequest,
  argument: string | undefined,
): Promise<HttpAnswer> {
  if (argument === undefined) {
    return request.method === 'GET' ? listEvents(control, request) : refuseMethod('GET');
  }
  if (argument !== 'faults') {
    return refuse(404, 'NOT_FOUND', `nothing at ${request.path}`);
  }
  return request.method === 'POST' ? setFaults(control, request.body) : refuseMethod('POST');
}

function listEvents({ eventBridge }: EventsControl, { rawQueryString }: ControlRequest) {
  const after = readAfter(rawQueryString);
  return after === undefined
    ? refuse(400, 'INVALID_AFTER', 'after must be the id of an event')
    : jsonAnswer(200, { events: eventBridge.events.list(after, LIST_LIMIT) });
}

async function setFaults(
  { eventBridge, eventSource }: EventsControl,
  body: Buffer,
): Promise<HttpAnswer> {
  const input = parseJson(body);
  if (input === undefined) {
    return refuseInvalidJson('the body');
  }
  const request = parseFaultRequest(input.value);
  if (typeof request === 'string') {
    return refuse(400, 'INVALID_FAULT', request);
  }
  const { redeliver, ...faults } = request;
  Object.assign(eventBridge.faults, faults);
  const redelivered =
    redeliver === undefined ? undefined : ((await eventSource?.redeliver(redeliver)) ?? 0);
  return jsonAnswer(200, {
    ...eventBridge.faults,
    ...(redelivered !== undefined && { redelivered }),
  });
}

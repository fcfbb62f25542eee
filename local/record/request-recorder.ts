/**
 * Keeps what the functions ask of the table and of EventBridge. It looks at the SDK's own HTTP
 * requests in this process, so that nothing stands between the functions and who answers them.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Invocation, RecordedAnswer, Recorder } from './recorder.ts';

/** Published for every request of `node:http`, before anything of it is sent. */
const CREATED = 'http.client.request.created';

/** Records every request that a function sends to `endpoint` from now on. Returns the way back. */
export function recordRequests(
  to: 'table' | 'event-bus',
  endpoint: string,
  recorder: Recorder,
): () => void {
  const { host } = new URL(endpoint);
  const look = (message: unknown) => {
    const { request } = message as { request: ClientRequest };
    const caller = recorder.currentInvocation();
    // Reads of the page itself, and connections opened in advance, belong to no call of a function.
    if (caller === undefined || request.getHeader('host') !== host) {
      return;
    }
    recordRequest(to, request, recorder, caller);
  };
  subscribe(CREATED, look);
  return () => {
    unsubscribe(CREATED, look);
  };
}

function recordRequest(
  to: 'table' | 'event-bus',
  request: ClientRequest,
  recorder: Recorder,
  { functionName, invocationId }: Invocation,
): void {
  const headers = flatten(request.getHeaders());
  const target = headers['x-amz-target'] ?? '';
  watchBody(request, (body) => {
    const finish = recorder.record({
      from: 'api',
      to,
      functionName,
      invocationId,
      method: target.slice(target.indexOf('.') + 1),
      path: request.path,
      request: { headers, body },
    });
    request.once('response', (response) => watchAnswer(response, finish));
  });
}

/** The SDK hands over the whole body with `end`. */
function watchBody(request: ClientRequest, onBody: (body: string) => void): void {
  const end = request.end.bind(request) as (...values: unknown[]) => ClientRequest;
  request.end = (...values: unknown[]) => {
    const [body] = values;
    onBody(typeof body === 'string' ? body : new TextDecoder().decode(body as Uint8Array));
    return end(...values);
  };
}

/**
 * What the parser pushes into the answer. A listener for `data` would not do: it starts the flow
 * before the SDK listens.
 */
function watchAnswer(response: IncomingMessage, onAnswer: (answer: RecordedAnswer) => void): void {
  const push = response.push.bind(response);
  const chunks: Uint8Array[] = [];
  response.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (chunk instanceof Uint8Array) {
      chunks.push(chunk);
    }
    if (chunk === null) {
      const { statusCode = 0, headers } = response;
      const body = Buffer.concat(chunks).toString('utf8');
      onAnswer({ status: statusCode, headers: flatten(headers), body });
    }
    return push(chunk, encoding);
  };
}

function flatten(headers: OutgoingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')]),
  );
}

/** Stands where API Gateway's HTTP API stands: routes a request to a function and answers as AWS does. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { buildHttpEvent, type HttpRequest } from './http-event.ts';
import { GATEWAY_ANSWERS, type HttpAnswer, toHttpAnswer } from './http-result.ts';
import { BodyTooLargeError, readBody } from '../http-server.ts';
import { judgeSignature } from './iam-authorizer.ts';
import type { LocalFunction } from './lambda.ts';
import { matchRoute } from './routes.ts';

/** Payload limit and integration timeout of an HTTP API: neither can be raised. */
const PAYLOAD_LIMIT_BYTES = 10 * 1024 * 1024;
const GATEWAY_TIMEOUT_MS = 30_000;

/** One answered request, for the terminal. */
export interface RequestLine {
  readonly method: string;
  readonly path: string;
  readonly statusCode: number;
  readonly durationMs: number;
  readonly requestId: string;
  /** Why a route refused the caller, which the answer does not say. */
  readonly refusal?: string;
}

/** A request under `/_local/`, with what tells who sent it. */
export interface ControlRequest {
  readonly method: string;
  readonly path: string;
  readonly rawQueryString: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly remoteAddress: string | undefined;
  readonly body: Buffer;
}

export interface ApiOptions {
  readonly functions: ReadonlyMap<string, LocalFunction>;
  /** Answers what comes under `/_local/`. */
  readonly answerControl: (request: ControlRequest) => Promise<HttpAnswer>;
  /** The real time, by which signatures are judged, however the stack's clock is moved. */
  readonly realNowMs: () => number;
  readonly onRequest?: (line: RequestLine) => void;
  readonly gatewayTimeoutMs?: number;
}

/** The listener for the API's port: the routes of the functions, and `/_local/…`. */
export function createApi(options: ApiOptions): RequestListener {
  return (request, response) => {
    void serve(options, request, response);
  };
}

/** The listener while the functions are not loaded yet. */
export const refuseUntilReady: RequestListener = (_request, response) => {
  send(response, GATEWAY_ANSWERS.serviceUnavailable, createRequestId());
};

async function serve(
  options: ApiOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const startedAt = performance.now();
  const requestId = createRequestId();
  const method = request.method ?? 'GET';
  const { answer, refusal } = await answerRequest(options, request, requestId).catch(
    (): Answered => ({ answer: GATEWAY_ANSWERS.internalServerError }),
  );
  const shownId = answer.headers.find(([name]) => name === 'x-request-id')?.[1] ?? requestId;
  send(response, answer, requestId);
  const path = request.url ?? '/';
  // Whoever watches asks several times a second.
  if (method === 'GET' && path.startsWith('/_local/')) {
    return;
  }
  options.onRequest?.({
    method,
    path,
    statusCode: answer.statusCode,
    durationMs: performance.now() - startedAt,
    requestId: shownId,
    ...(refusal !== undefined && { refusal }),
  });
}

interface Answered {
  readonly answer: HttpAnswer;
  readonly refusal?: string;
}

async function answerRequest(
  options: ApiOptions,
  request: IncomingMessage,
  requestId: string,
): Promise<Answered> {
  const read = await readRequest(request);
  if ('statusCode' in read) {
    return { answer: read };
  }
  if (read.path.startsWith('/_local/')) {
    const { host, origin } = request.headers;
    const { remoteAddress } = request.socket;
    return { answer: await options.answerControl({ ...read, host, origin, remoteAddress }) };
  }
  const routes = [...options.functions.values()].flatMap(({ definition }) => definition.routes);
  const match = matchRoute(routes, read.method, read.path);
  const target = match && options.functions.get(match.route.functionName);
  if (match === undefined || target === undefined) {
    return { answer: GATEWAY_ANSWERS.notFound };
  }
  const judgement =
    match.route.authorizer === 'AWS_IAM' ? judgeSignature(read, options.realNowMs()) : undefined;
  if (judgement?.kind === 'refused') {
    return { answer: GATEWAY_ANSWERS.forbidden, refusal: judgement.reason };
  }
  const event = buildHttpEvent(read, match, requestId, judgement?.authorizer);
  const timeoutMs = options.gatewayTimeoutMs ?? GATEWAY_TIMEOUT_MS;
  return { answer: await callFunction(target, event, timeoutMs) };
}

/**
 * 500 for a function that threw, timed out or answered nonsense: to API Gateway all three are
 * failed invocations. 503 when API Gateway itself stopped waiting.
 */
async function callFunction(
  target: LocalFunction,
  event: unknown,
  gatewayTimeoutMs: number,
): Promise<HttpAnswer> {
  const timeout = Promise.withResolvers<'gave up'>();
  const timer = setTimeout(() => timeout.resolve('gave up'), gatewayTimeoutMs);
  const outcome = await Promise.race([target.invoke(event), timeout.promise]);
  clearTimeout(timer);
  if (outcome === 'gave up') {
    return GATEWAY_ANSWERS.serviceUnavailable;
  }
  return outcome.ok ? toHttpAnswer(outcome.result) : GATEWAY_ANSWERS.internalServerError;
}

async function readRequest(request: IncomingMessage): Promise<HttpRequest | HttpAnswer> {
  const [rawPath = '/', ...query] = (request.url ?? '/').split('?');
  let body: Buffer;
  let path: string;
  try {
    body = await readBody(request, PAYLOAD_LIMIT_BYTES);
    path = decodeURIComponent(rawPath);
  } catch (error) {
    if (error instanceof BodyTooLargeError) {
      return GATEWAY_ANSWERS.tooLarge;
    }
    if (error instanceof URIError) {
      return GATEWAY_ANSWERS.badRequest;
    }
    throw error;
  }
  return {
    method: request.method ?? 'GET',
    path,
    encodedPath: rawPath,
    rawQueryString: query.join('?'),
    rawHeaders: request.rawHeaders,
    protocol: `HTTP/${request.httpVersion}`,
    sourceIp: request.socket.remoteAddress ?? '127.0.0.1',
    port: request.socket.localPort ?? 0,
    body,
  };
}

/** In the form of API Gateway's own, like "JKJaXmPLvHcESHA=". */
function createRequestId(): string {
  return `${randomBytes(11).toString('base64url')}=`;
}

function send(response: ServerResponse, answer: HttpAnswer, requestId: string): void {
  try {
    for (const [name, value] of answer.headers) {
      response.appendHeader(name, value);
    }
  } catch {
    // A header that HTTP cannot carry: API Gateway answers 500 for it.
    for (const name of response.getHeaderNames()) {
      response.removeHeader(name);
    }
    send(response, GATEWAY_ANSWERS.internalServerError, requestId);
    return;
  }
  response.setHeader('apigw-requestid', requestId);
  response.setHeader('content-length', answer.body.length);
  response.writeHead(answer.statusCode);
  response.end(answer.body);
}

/** One request to one host of WeChat: the only file that opens sockets. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import https from 'node:https';
import { WechatPayTransportError } from '../errors.ts';

export interface HostRequest {
  readonly method: 'GET' | 'POST';
  /** Path with query, the same on every host. */
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
  /** Further headers, names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A longer answer is an error; 64 KiB unless said otherwise. */
  readonly maxResponseBytes?: number;
}

export interface WechatResponse {
  readonly statusCode: number;
  /** Names in lower case; a header that came twice has both values, joined by a comma. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

/**
 * Sends one request within the time that is left.
 *
 * @throws {WechatPayTransportError} `not-sent` when the host could not be connected to, else `unknown`.
 */
export type Host = (request: HostRequest, remainingMs: () => number) => Promise<WechatResponse>;

/** What a client shows in the TLS handshake, PEM. */
export interface ClientCertificate {
  readonly certificate: string;
  readonly privateKey: string;
}

/**
 * Opens the host of a base URL. Does no I/O: its requests open connections, which are kept, and
 * shared with no other opening of the same host: one with a client certificate stands alone.
 */
export type OpenHost = (baseUrl: string, clientCertificate?: ClientCertificate) => Host;

const CONNECT_TIMEOUT_MS = 2_000;
const MAX_RESPONSE_BYTES = 64 * 1024;

/**
 * The other side had closed a kept-alive connection, as it does while Lambda sleeps, when the
 * request was written to it: nothing was read, and no answer began.
 */
class StaleConnectionError extends Error {}

export const openHost: OpenHost = (baseUrl, clientCertificate) => {
  const url = new URL(baseUrl);
  // Plain http exists for the simulator only (the configuration refuses it elsewhere); asking for
  // the module here keeps it out of every cold start.
  const client = url.protocol === 'http:' ? process.getBuiltinModule('node:http') : https;
  const identity = clientCertificate && {
    cert: clientCertificate.certificate,
    key: clientCertificate.privateKey,
  };
  const keptAlive = new client.Agent({ keepAlive: true, maxSockets: 64, scheduling: 'lifo' });

  const send = (request: HostRequest, agent: typeof keptAlive | false, timeoutMs: number) =>
    exchange(
      client.request(new URL(request.path, url), {
        method: request.method,
        agent,
        headers: requestHeaders(request),
        ...identity,
      }),
      url,
      request,
      timeoutMs,
    );

  return async (request, remainingMs) => {
    try {
      return await send(request, keptAlive, remainingMs());
    } catch (error) {
      if (!(error instanceof StaleConnectionError)) {
        throw error;
      }
      return send(request, false, remainingMs());
    }
  };
};

/** Writes the request and reads the answer; the first thing that goes wrong ends both. */
function exchange(
  outgoing: ClientRequest,
  url: URL,
  { body, maxResponseBytes = MAX_RESPONSE_BYTES }: HostRequest,
  timeoutMs: number,
): Promise<WechatResponse> {
  return new Promise((resolve, reject) => {
    let isConnected = false;
    const fail: Fail = (reason, cause) => {
      timers.stop();
      const outcome = isConnected ? 'unknown' : 'not-sent';
      reject(new WechatPayTransportError(outcome, `${url.hostname}: ${reason}`, cause));
      outgoing.destroy();
    };
    const timers = startTimers(timeoutMs, fail);
    whenConnected(outgoing, url, () => {
      isConnected = true;
      timers.stopConnecting();
    });
    outgoing.on('response', (response) => {
      const onAnswer = (answer: WechatResponse) => {
        timers.stop();
        resolve(answer);
      };
      readAnswer(response, maxResponseBytes, onAnswer, fail);
    });
    outgoing.on('error', (cause: NodeJS.ErrnoException) => {
      if (outgoing.reusedSocket && ['ECONNRESET', 'EPIPE'].includes(String(cause.code))) {
        reject(new StaleConnectionError());
      }
      fail('the connection failed', cause);
    });
    outgoing.end(body);
  });
}

type Fail = (reason: string, cause?: unknown) => void;

function startTimers(timeoutMs: number, fail: Fail) {
  const deadline = setTimeout(() => fail('no answer in time'), timeoutMs);
  const connecting = setTimeout(
    () => fail('no connection in time'),
    Math.min(CONNECT_TIMEOUT_MS, timeoutMs),
  );
  const stopConnecting = () => clearTimeout(connecting);
  const stop = () => {
    clearTimeout(deadline);
    stopConnecting();
  };
  return { stop, stopConnecting };
}

function whenConnected(outgoing: ClientRequest, { protocol }: URL, onConnected: () => void): void {
  outgoing.on('socket', (socket) => {
    // A kept-alive socket is connected already and fires no event.
    if (outgoing.reusedSocket) {
      onConnected();
    } else {
      socket.once(protocol === 'https:' ? 'secureConnect' : 'connect', onConnected);
    }
  });
}

function readAnswer(
  response: IncomingMessage,
  maxBytes: number,
  onAnswer: (answer: WechatResponse) => void,
  fail: Fail,
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  response.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxBytes) {
      fail('the answer is too large');
    } else {
      chunks.push(chunk);
    }
  });
  response.on('end', () =>
    onAnswer({
      statusCode: Number(response.statusCode),
      headers: joinHeaders(response.headersDistinct),
      body: Buffer.concat(chunks),
    }),
  );
  response.on('error', (cause) => fail('the answer broke off', cause));
}

function joinHeaders(headers: NodeJS.Dict<string[]>): WechatResponse['headers'] {
  return Object.fromEntries(
    Object.entries(headers).map(([name, values]) => [name, values?.join(', ')]),
  );
}

function requestHeaders(request: HostRequest): Record<string, string | number> {
  return {
    accept: '*/*',
    'user-agent': 'wechatpay-serverless',
    ...(request.body !== undefined && {
      'content-type': request.contentType ?? 'application/octet-stream',
      'content-length': Buffer.byteLength(request.body),
    }),
    ...request.headers,
  };
}

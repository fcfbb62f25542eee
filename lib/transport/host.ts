/** One request to one host of WeChat: the only file that opens sockets. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import https from 'node:https';
import { WechatPayTransportError } from '../errors.ts';
import {
  type AnswerFile,
  AnswerFileError,
  AnswerTooLargeError,
  readAnswer,
  saveAnswer,
} from './answer.ts';
import {
  type ClientCertificate,
  isClientCertificateAlert,
  tlsOptions,
} from './client-certificate.ts';

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
  /** Where the body of an answer with status 200 goes instead of into memory. */
  readonly saveTo?: AnswerFile;
}

export interface WechatResponse {
  readonly statusCode: number;
  /** Names in lower case; a header that came twice has both values, joined by a comma. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Of an answer that was saved: what it begins with, as much as `maxResponseBytes`. */
  readonly body: Buffer;
  /** How much was saved, for a request with `saveTo`; absent when nothing was. */
  readonly savedBytes?: number;
  /** What else was tried in the same call; absent when nothing was. */
  readonly otherAttempts?: OtherAttempts;
}

/** The attempts of a call besides the one whose answer counts. */
export interface OtherAttempts {
  readonly count: number;
  /** Whether any of them may have reached WeChat: then a refusal does not prove that nothing was done. */
  readonly maybeDelivered: boolean;
}

/** How one attempt goes out. */
export interface Attempt {
  /** For connection and answer together. */
  readonly timeoutMs: number;
  /** For the connection alone; 2 seconds at most. */
  readonly connectTimeoutMs: number;
  /**
   * On a connection of its own. Only then does a failure say what it seems to: a kept-alive one
   * that the other side gives up may break before or after it has read the request.
   */
  readonly isFreshConnection: boolean;
}

/**
 * Sends one request, once.
 *
 * @throws {WechatPayTransportError} `not-sent` when the host could not be connected to, else
 * `unknown`; a `BrokenConnectionError` when a kept-alive connection broke before an answer began.
 */
export type Host = (request: HostRequest, attempt: Attempt) => Promise<WechatResponse>;

/**
 * Opens the host of a base URL. Does no I/O: its requests open connections, which are kept, and
 * shared with no other opening of the same host: one with a client certificate stands alone.
 */
export type OpenHost = (baseUrl: string, clientCertificate?: ClientCertificate) => Host;

const CONNECT_TIMEOUT_MS = 2_000;
const MAX_RESPONSE_BYTES = 64 * 1024;
/** More than reconcile has under way: a request that waits for a socket would spend its time on that. */
const MAX_SOCKETS = 600;

/**
 * A kept-alive connection broke before an answer began. Mostly the other side had given it up, as
 * it does while Lambda sleeps, and read nothing; but it may have read the request and failed then.
 */
export class BrokenConnectionError extends WechatPayTransportError {}

export const openHost: OpenHost = (baseUrl, clientCertificate) => {
  const url = new URL(baseUrl);
  // Plain http exists for the simulator only (the configuration refuses it elsewhere); asking for
  // the module here keeps it out of every cold start.
  const client = url.protocol === 'http:' ? process.getBuiltinModule('node:http') : https;
  const identity = clientCertificate && tlsOptions(clientCertificate);
  const keptAlive = new client.Agent({
    keepAlive: true,
    maxSockets: MAX_SOCKETS,
    scheduling: 'lifo',
  });

  return async (request, attempt) =>
    exchange(
      client.request(new URL(request.path, url), {
        method: request.method,
        agent: attempt.isFreshConnection ? false : keptAlive,
        headers: requestHeaders(request),
        ...identity,
      }),
      url,
      request,
      attempt,
    );
};

const BROKE_OFF = 'the answer broke off';

/**
 * Writes the request and reads the answer; the first thing that goes wrong ends both. Nobody writes
 * to the answer's file any more when this is over.
 */
function exchange(
  outgoing: ClientRequest,
  url: URL,
  request: HostRequest,
  attempt: Attempt,
): Promise<WechatResponse> {
  return new Promise((resolve, reject) => {
    let isConnected = false;
    let isAnswered = false;
    let failure: Error | undefined;
    const fail: Fail = (reason, cause, Failure = WechatPayTransportError) => {
      timers.stop();
      const outcome = isConnected ? 'unknown' : 'not-sent';
      failure ??= new Failure(outcome, `${url.hostname}: ${reason}`, cause);
      outgoing.destroy();
      // Whoever reads the answer ends with it, and says so.
      if (!isAnswered) {
        reject(failure);
      }
    };
    const timers = startTimers(attempt, request.saveTo?.maxSilenceMs, fail);
    whenConnected(outgoing, url, () => {
      isConnected = true;
      timers.stopConnecting();
    });
    outgoing.on('response', (response) => {
      isAnswered = true;
      readResponse(response, request, timers.hearAnswer).then(
        (answer) => {
          timers.stop();
          resolve(answer);
        },
        (cause: Error) => {
          fail(cause instanceof AnswerTooLargeError ? cause.message : BROKE_OFF, cause);
          reject(cause instanceof AnswerFileError ? cause : failure);
        },
      );
    });
    outgoing.on('error', (cause: NodeJS.ErrnoException) => {
      if (isAnswered) {
        fail(BROKE_OFF, cause);
      } else if (isClientCertificateAlert(cause) && !outgoing.reusedSocket) {
        // In TLS 1.3 a client is done with the handshake before the server has judged its certificate.
        isConnected = false;
        fail('the client certificate was refused', cause);
      } else if (outgoing.reusedSocket && /^(ECONNRESET|EPIPE)$/.test(String(cause.code))) {
        fail('the connection failed', cause, BrokenConnectionError);
      } else {
        fail('the connection failed', cause);
      }
    });
    outgoing.end(request.body);
  });
}

type Fail = (reason: string, cause?: unknown, Failure?: typeof WechatPayTransportError) => void;

/** The silence counts only from the beginning of an answer: before it WeChat may have to think. */
function startTimers(
  { timeoutMs, connectTimeoutMs }: Attempt,
  maxSilenceMs: number | undefined,
  fail: Fail,
) {
  const deadline = setTimeout(() => fail('no answer in time'), timeoutMs);
  const connecting = setTimeout(
    () => fail('no connection in time'),
    Math.min(CONNECT_TIMEOUT_MS, connectTimeoutMs, timeoutMs),
  );
  let silence: NodeJS.Timeout | undefined;
  const hearAnswer = () => {
    silence ??= setTimeout(() => fail('the answer fell silent'), maxSilenceMs);
    silence.refresh();
  };
  const stopConnecting = () => clearTimeout(connecting);
  const stop = () => {
    clearTimeout(deadline);
    clearTimeout(silence);
    stopConnecting();
  };
  return { stop, stopConnecting, hearAnswer };
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

async function readResponse(
  response: IncomingMessage,
  { maxResponseBytes = MAX_RESPONSE_BYTES, saveTo }: HostRequest,
  hearAnswer: () => void,
): Promise<WechatResponse> {
  const head = {
    statusCode: Number(response.statusCode),
    headers: joinHeaders(response.headersDistinct),
  };
  if (!saveTo || head.statusCode !== 200) {
    return { ...head, body: await readAnswer(response, maxResponseBytes) };
  }
  hearAnswer();
  return { ...head, ...(await saveAnswer(response, saveTo, maxResponseBytes, hearAnswer)) };
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

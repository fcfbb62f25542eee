/** HTTP to WeChat: kept-alive connections, one time budget, fail-over to the backup host. */
import https from 'node:https';
import { WechatPayTransportError } from '../errors.ts';

export interface WechatRequest {
  readonly method: 'GET' | 'POST';
  /** Path with query, the same on every host. */
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
  /** Further headers, names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Budget of the whole call, fail-over included. */
  readonly timeoutMs: number;
  /**
   * Whether the request may be repeated once it may have reached WeChat. Orders carry their own
   * number and may; a login code is burnt by the first use and may not.
   */
  readonly repeatable: boolean;
}

export interface WechatResponse {
  readonly statusCode: number;
  /** Names in lower case; a header that came twice has both values, joined by a comma. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

/**
 * Sends one request.
 *
 * @throws {WechatPayTransportError} `not-sent` when no host could be connected to, else `unknown`.
 */
export type Transport = (request: WechatRequest) => Promise<WechatResponse>;

const CONNECT_TIMEOUT_MS = 2_000;
/** With less time than this left, a further host could take the request but not answer it. */
const MIN_ATTEMPT_MS = 100;
const MAX_RESPONSE_BYTES = 64 * 1024;
/**
 * How long a host that failed goes to the end of the line. A login may not be sent twice, so it
 * finds the backup only because an earlier failure is remembered.
 */
const AVOID_HOST_MS = 30_000;

/**
 * A transport over several hosts of the same service, the primary first. State that outlives a
 * call: open connections, and which host was down.
 */
export function createTransport(
  baseUrls: readonly string[],
  now: () => number = () => performance.now(),
): Transport {
  const hosts = baseUrls.map((baseUrl) => openHost(baseUrl));
  const failedAtMs = new Map<Host, number>();

  const isAvoided = (host: Host) =>
    now() - (failedAtMs.get(host) ?? Number.NEGATIVE_INFINITY) < AVOID_HOST_MS;

  return async (request) => {
    const deadlineMs = now() + request.timeoutMs;
    const inOrder = hosts.toSorted((a, b) => Number(isAvoided(a)) - Number(isAvoided(b)));
    let failure: WechatPayTransportError | undefined;
    let maybeDelivered = false;
    for (const host of inOrder) {
      if (failure && deadlineMs - now() < MIN_ATTEMPT_MS) {
        break;
      }
      try {
        return await ask(host, request, () => deadlineMs - now());
      } catch (error) {
        if (!(error instanceof WechatPayTransportError)) {
          throw error;
        }
        failure = error;
        failedAtMs.set(host, now());
        if (error.outcome === 'unknown') {
          maybeDelivered = true;
        }
        if (maybeDelivered && !request.repeatable) {
          break;
        }
      }
    }
    if (!failure) {
      throw new WechatPayTransportError('not-sent', 'no host of WeChat is configured');
    }
    if (!maybeDelivered || failure.outcome === 'unknown') {
      throw failure;
    }
    throw new WechatPayTransportError('unknown', failure.message, failure);
  };
}

type Host = (
  request: WechatRequest,
  timeoutMs: number,
  connection: 'kept-alive' | 'new',
) => Promise<WechatResponse>;

/**
 * The other side had closed a kept-alive connection, as it does while Lambda sleeps, when the
 * request was written to it: nothing was read, and no answer began.
 */
class StaleConnectionError extends Error {}

async function ask(
  host: Host,
  request: WechatRequest,
  remainingMs: () => number,
): Promise<WechatResponse> {
  try {
    return await host(request, remainingMs(), 'kept-alive');
  } catch (error) {
    if (!(error instanceof StaleConnectionError)) {
      throw error;
    }
    return host(request, remainingMs(), 'new');
  }
}

function openHost(baseUrl: string): Host {
  const url = new URL(baseUrl);
  // Plain http exists for the simulator only (the configuration refuses it elsewhere); asking for
  // the module here keeps it out of every cold start.
  const client = url.protocol === 'http:' ? process.getBuiltinModule('node:http') : https;
  const agent = new client.Agent({ keepAlive: true, maxSockets: 64, scheduling: 'lifo' });

  return (request, timeoutMs, connection) =>
    new Promise((resolve, reject) => {
      let connected = false;
      const fail = (reason: string, cause?: unknown) => {
        const outcome = connected ? 'unknown' : 'not-sent';
        reject(new WechatPayTransportError(outcome, `${url.hostname}: ${reason}`, cause));
        outgoing.destroy();
      };
      const outgoing = client.request(
        new URL(request.path, url),
        {
          method: request.method,
          agent: connection === 'new' ? false : agent,
          headers: requestHeaders(request),
        },
        (response) => {
          const chunks: Buffer[] = [];
          let size = 0;
          response.on('data', (chunk: Buffer) => {
            size += chunk.length;
            if (size > MAX_RESPONSE_BYTES) {
              fail('the answer is too large');
            } else {
              chunks.push(chunk);
            }
          });
          response.on('end', () => {
            clearTimers();
            resolve({
              statusCode: Number(response.statusCode),
              headers: joinHeaders(response.headersDistinct),
              body: Buffer.concat(chunks),
            });
          });
          response.on('error', (cause) => {
            clearTimers();
            fail('the answer broke off', cause);
          });
        },
      );
      const deadline = setTimeout(() => fail('no answer in time'), timeoutMs);
      const connecting = setTimeout(
        () => fail('no connection in time'),
        Math.min(CONNECT_TIMEOUT_MS, timeoutMs),
      );
      const clearTimers = () => {
        clearTimeout(deadline);
        clearTimeout(connecting);
      };
      const onConnected = () => {
        connected = true;
        clearTimeout(connecting);
      };
      outgoing.on('socket', (socket) => {
        // A kept-alive socket is connected already and fires no event.
        if (outgoing.reusedSocket) {
          onConnected();
        } else {
          socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', onConnected);
        }
      });
      outgoing.on('error', (cause: NodeJS.ErrnoException) => {
        clearTimers();
        if (outgoing.reusedSocket && ['ECONNRESET', 'EPIPE'].includes(String(cause.code))) {
          reject(new StaleConnectionError());
        }
        fail('the connection failed', cause);
      });
      outgoing.end(request.body);
    });
}

function joinHeaders(headers: NodeJS.Dict<string[]>): WechatResponse['headers'] {
  return Object.fromEntries(
    Object.entries(headers).map(([name, values]) => [name, values?.join(', ')]),
  );
}

function requestHeaders(request: WechatRequest): Record<string, string | number> {
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

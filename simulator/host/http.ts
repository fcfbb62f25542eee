/** The HTTP side: a loopback server that reads a whole request, and answers, holds or drops it. */
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { StartTimer } from '../surroundings/surroundings.ts';

const MAX_BODY_BYTES = 64 * 1024;
/** A held request ends by itself after this time, if the caller has more patience than that. */
const LONGEST_HOLD_MS = 120_000;

export interface Request {
  readonly method: string;
  /** Path and query string, as received. */
  readonly url: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
  /** The body was larger than 64 kB; only its beginning is here. */
  readonly tooLarge: boolean;
  readonly host: 'primary' | 'backup';
  /** Absent: the call came over plain http. */
  readonly tls?: TlsFacts;
}

export interface TlsFacts {
  /** The client's, in DER; its key was proved, nothing else of it was looked at. */
  readonly certificate?: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
  /** What is sent where it is no text; `body` then is what the message log shows of it. */
  readonly bytes?: Buffer;
  /** Real milliseconds to wait before answering. */
  readonly delayMs?: number;
  /** The connection ends after half of the body. */
  readonly cut?: boolean;
}

/** What a request begins as; `host` is the primary one unless it is named, a body the empty one. */
export interface RawRequest {
  readonly method: string;
  /** Path and query string. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: http.IncomingHttpHeaders;
  readonly body?: Buffer;
  readonly tooLarge?: boolean;
  readonly host?: Request['host'];
  readonly tls?: TlsFacts;
}

const SCHEME_AND_HOST = /^https?:\/\/[^/?#]*/i;

/**
 * Undefined: the url is not an address. A client that takes the simulator for its HTTP proxy asks for
 * a whole address; what it signs has no host.
 */
export function toRequest(raw: RawRequest): Request | undefined {
  const { body = Buffer.alloc(0), tooLarge = false, host = 'primary' } = raw;
  const stripped = raw.url.replace(SCHEME_AND_HOST, '');
  const url = stripped.startsWith('/') ? stripped : `/${stripped}`;
  const target = URL.parse(`http://simulator${url}`);
  return target === null
    ? undefined
    : { ...raw, url, body, tooLarge, host, path: target.pathname, query: target.searchParams };
}

/** `drop` cuts the connection; `hold` never answers. */
export type Reply = Answer | 'drop' | 'hold';

export interface Listener {
  readonly url: string;
  stop(): Promise<void>;
}

export const answerJson = (status: number, value: unknown): Answer => ({
  status,
  headers: { 'Content-Type': 'application/json; charset=utf-8' },
  body: `${JSON.stringify(value)}\n`,
});

/** The simulator's own errors; WeChat's look different. */
export const answerError = (status: number, code: string, message: string): Answer =>
  answerJson(status, { error: { code, message } });

/** Reads all of it, so that the caller can finish sending and see the answer; keeps 64 kB. */
async function readBody(
  request: http.IncomingMessage,
): Promise<{ body: Buffer; tooLarge: boolean }> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) {
      chunks.push(chunk);
    }
  }
  return { body: Buffer.concat(chunks), tooLarge: size > MAX_BODY_BYTES };
}

function hold(response: http.ServerResponse, startTimer: StartTimer): void {
  const cancel = startTimer(LONGEST_HOLD_MS, () => response.destroy());
  response.on('close', cancel);
}

/** Also ends when the caller has gone. */
async function wait(response: http.ServerResponse, delayMs: number, startTimer: StartTimer) {
  await new Promise<void>((resolve) => {
    const cancel = startTimer(delayMs, resolve);
    response.once('close', () => {
      cancel();
      resolve();
    });
  });
}

function send(response: http.ServerResponse, answer: Answer, close: boolean): void {
  const body = answer.bytes ?? Buffer.from(answer.body);
  response.writeHead(answer.status, {
    ...answer.headers,
    'Content-Length': body.length,
    ...(close ? { Connection: 'close' } : {}),
  });
  if (answer.cut) {
    response.write(body.subarray(0, body.length / 2), () => response.socket?.destroy());
    return;
  }
  response.end(body);
}

/** Answers with 500 what the handler fails on, and says so on the standard error. */
function reportFailure(
  incoming: http.IncomingMessage,
  response: http.ServerResponse,
  error: unknown,
): void {
  const callerIsGone = incoming.destroyed && !incoming.complete;
  if (!response.headersSent && !callerIsGone) {
    console.error('simulator: a request failed', error);
    send(response, answerError(500, 'INTERNAL', 'the simulator failed; see its output'), true);
  }
}

export interface ListenOptions {
  readonly host: Request['host'];
  readonly port: number;
  readonly handle: (request: Request) => Reply | Promise<Reply>;
  readonly startTimer: StartTimer;
  /** PEM texts; absent: plain http. */
  readonly tls?: { readonly certificate: string; readonly privateKey: string };
}

/** Listens on loopback only. A failure of the handler is answered with 500 and never ends the process. */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { host, port, handle, startTimer, tls } = options;
  const serve = async (incoming: http.IncomingMessage, response: http.ServerResponse) => {
    const { method = 'GET', url = '/', headers } = incoming;
    const facts = tls ? { tls: readTlsFacts(incoming.socket as TLSSocket) } : {};
    const target = toRequest({ method, url, headers, host, ...facts });
    if (target === undefined) {
      send(response, answerError(400, 'INVALID_ADDRESS', 'not an address'), true);
      return;
    }
    const { body, tooLarge } = await readBody(incoming);
    const reply = await handle({ ...target, body, tooLarge });
    if (reply === 'drop') {
      cut(incoming.socket);
    } else if (reply === 'hold') {
      hold(response, startTimer);
    } else {
      if (reply.delayMs !== undefined) {
        await wait(response, reply.delayMs, startTimer);
      }
      send(response, reply, tooLarge);
    }
  };
  const server = createServer(tls, (incoming, response) => {
    serve(incoming, response).catch((error: unknown) => reportFailure(incoming, response, error));
  });
  // Longer than the idle time of usual clients: the client closes first and never meets a closed connection.
  server.keepAliveTimeout = 65_000;
  await bind(server, port);
  const { port: boundPort } = server.address() as AddressInfo;
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${boundPort}`,
    async stop() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

/** A certificate is asked for and never refused here; without named authorities clients show any that they have. */
function createServer(
  tls: ListenOptions['tls'],
  listener: http.RequestListener,
): http.Server | https.Server {
  return tls === undefined
    ? http.createServer(listener)
    : https.createServer(
        {
          cert: tls.certificate,
          key: tls.privateKey,
          requestCert: true,
          rejectUnauthorized: false,
          ca: [],
        },
        listener,
      );
}

function readTlsFacts(socket: TLSSocket): TlsFacts {
  const certificate = socket.getPeerX509Certificate();
  return certificate ? { certificate: certificate.raw } : {};
}

/** A TLS socket has no reset of its own. */
function cut(socket: http.IncomingMessage['socket']): void {
  if ('encrypted' in socket) {
    socket.destroy();
  } else {
    socket.resetAndDestroy();
  }
}

async function bind(server: http.Server | https.Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const inUse = `port ${port} is in use by another program: set another port`;
      reject(error.code === 'EADDRINUSE' ? new Error(inUse, { cause: error }) : error);
    });
    server.listen(port, '127.0.0.1', resolve);
  });
}

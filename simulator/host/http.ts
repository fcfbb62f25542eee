/** The HTTP side: a loopback server that reads a whole request, and answers, holds or drops it. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';

const MAX_BODY_BYTES = 64 * 1024;
/** A held request ends by itself after this time, if the caller has more patience than that. */
const LONGEST_HOLD_MS = 120_000;

export interface Request {
  readonly method: string;
  /** With the query string, as received. */
  readonly url: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
  /** The body was larger than 64 kB; only its beginning is here. */
  readonly tooLarge: boolean;
  readonly host: 'primary' | 'backup';
}

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
  /** Real milliseconds to wait before answering. */
  readonly delayMs?: number;
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

function hold(response: http.ServerResponse): void {
  const timer = setTimeout(() => response.destroy(), LONGEST_HOLD_MS);
  timer.unref();
  response.on('close', () => clearTimeout(timer));
}

async function send(response: http.ServerResponse, answer: Answer, close: boolean) {
  if (answer.delayMs !== undefined) {
    await new Promise((resolve) => setTimeout(resolve, answer.delayMs).unref());
  }
  const body = Buffer.from(answer.body);
  response.writeHead(answer.status, {
    ...answer.headers,
    'Content-Length': body.length,
    ...(close ? { Connection: 'close' } : {}),
  });
  response.end(body);
}

/** Listens on loopback only. A failure of the handler is answered with 500 and never ends the process. */
export async function listen(
  host: Request['host'],
  port: number,
  handle: (request: Request) => Reply | Promise<Reply>,
): Promise<Listener> {
  const serve = async (incoming: http.IncomingMessage, response: http.ServerResponse) => {
    const url = incoming.url ?? '/';
    const target = URL.parse(url, 'http://simulator');
    if (target === null) {
      await send(response, answerError(400, 'INVALID_ADDRESS', 'not an address'), true);
      return;
    }
    const { pathname, searchParams } = target;
    const { body, tooLarge } = await readBody(incoming);
    const reply = await handle({
      method: incoming.method ?? 'GET',
      url,
      path: pathname,
      query: searchParams,
      headers: incoming.headers,
      body,
      tooLarge,
      host,
    });
    if (reply === 'drop') {
      incoming.socket.resetAndDestroy();
    } else if (reply === 'hold') {
      hold(response);
    } else {
      await send(response, reply, tooLarge);
    }
  };
  const server = http.createServer((incoming, response) => {
    serve(incoming, response).catch((error: unknown) => {
      const callerIsGone = incoming.destroyed && !incoming.complete;
      if (!response.headersSent && !callerIsGone) {
        console.error('simulator: a request failed', error);
        void send(
          response,
          answerError(500, 'INTERNAL', 'the simulator failed; see its output'),
          true,
        );
      }
    });
  });
  // Longer than the idle time of usual clients: the client closes first and never meets a closed connection.
  server.keepAliveTimeout = 65_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new Error(`port ${port} is in use by another program: set another port`, {
              cause: error,
            })
          : error,
      );
    });
    server.listen(port, '127.0.0.1', resolve);
  });
  const { port: boundPort } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${boundPort}`,
    async stop() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

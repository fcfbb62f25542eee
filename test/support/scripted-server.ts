/** Servers that behave as a test wants, and what reached them. */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';

export interface ReceivedRequest {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** Counts from 1: which connection the request came on. */
  readonly connection: number;
}

export interface ScriptedServer {
  readonly url: string;
  readonly received: ReceivedRequest[];
  readonly connections: () => number;
  stop(): Promise<void>;
}

type Answer = (
  response: ServerResponse,
  request: ReceivedRequest,
  received: readonly ReceivedRequest[],
) => void;

/** An HTTP server on a free port or the given one; https with a certificate. */
export async function serve(
  answer: Answer,
  tls?: https.ServerOptions,
  wantedPort = 0,
): Promise<ScriptedServer> {
  const received: ReceivedRequest[] = [];
  const sockets: net.Socket[] = [];
  const onRequest = (incoming: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const request = {
        method: incoming.method,
        url: incoming.url,
        headers: incoming.headers,
        body: Buffer.concat(chunks).toString(),
        connection: sockets.indexOf(incoming.socket) + 1,
      };
      received.push(request);
      answer(response, request, received);
    });
  };
  const server = tls ? https.createServer(tls, onRequest) : http.createServer(onRequest);
  server.on(tls ? 'secureConnection' : 'connection', (socket: net.Socket) => sockets.push(socket));
  const port = await listen(server, wantedPort);
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    received,
    connections: () => sockets.length,
    stop: () => {
      server.closeAllConnections();
      return close(server);
    },
  };
}

/** A TCP server that accepts connections and says nothing, not even a TLS handshake. */
export async function serveSilence(): Promise<ScriptedServer> {
  const sockets: net.Socket[] = [];
  const server = net.createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
  });
  const port = await listen(server);
  return {
    url: `https://127.0.0.1:${port}`,
    received: [],
    connections: () => sockets.length,
    stop: () => {
      for (const socket of sockets) {
        socket.destroy();
      }
      return close(server);
    },
  };
}

/** An address at which nobody listens. */
export async function refusingUrl(protocol: 'http' | 'https' = 'http'): Promise<string> {
  const server = net.createServer();
  const port = await listen(server);
  await close(server);
  return `${protocol}://127.0.0.1:${port}`;
}

function listen(server: net.Server, wantedPort = 0): Promise<number> {
  return new Promise((resolve) => {
    server.listen(wantedPort, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function close(server: net.Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

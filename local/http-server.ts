/** What the local servers share: listen on loopback, read a body with a limit, end at once. */
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { proposePort } from '../simulator/host/ports.ts';
import { setVariable } from './shell.ts';

const STOP_GRACE_MS = 2000;

export interface RunningServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** A port that cannot be had: why, and which variable chooses another one. */
class PortError extends Error {
  constructor(port: number, variable: string | undefined, cause: NodeJS.ErrnoException) {
    const another =
      variable && `choose another port with ${setVariable(variable, proposePort(port))}`;
    super(cause.code === 'EACCES' ? explainReserved(port, another) : explainTaken(port, another), {
      cause,
    });
    this.name = 'PortError';
  }
}

function explainTaken(port: number, another: string | undefined): string {
  const remedy = another === undefined ? '' : `: end the program that holds it, or ${another}`;
  return `port ${port} is already in use${remedy}`;
}

function explainReserved(port: number, another: string | undefined): string {
  const remedy = another === undefined ? '' : `: ${another}`;
  const list =
    process.platform === 'win32'
      ? '. Windows lists the ports that it keeps for Hyper-V, WSL and Docker with: netsh interface ipv4 show excludedportrange protocol=tcp'
      : '';
  return `port ${port} is reserved by this system${remedy}${list}`;
}

/** A request body longer than the limit. */
export class BodyTooLargeError extends Error {
  constructor(limitBytes: number) {
    super(`the body is longer than ${limitBytes} bytes`);
    this.name = 'BodyTooLargeError';
  }
}

/** Listens on 127.0.0.1; port 0 takes a free one. Rejects with PortError when the port is taken or reserved. */
export async function listenOnLoopback(
  listener: RequestListener,
  options: { port: number; portVariable?: string },
): Promise<RunningServer> {
  const { port, portVariable } = options;
  const server = createServer(listener);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE' || error.code === 'EACCES'
          ? new PortError(port, portVariable, error)
          : error,
      );
    });
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${address.port}`, stop: () => stopServer(server) };
}

/** Rejects with PortError when the port is taken or reserved; port 0 never is. */
export async function assertPortFree(options: {
  port: number;
  portVariable: string;
}): Promise<void> {
  const probe = await listenOnLoopback(() => {}, options);
  await probe.stop();
}

/** A port that was free a moment ago: another program may take it before it is used. */
export async function findFreePort(): Promise<number> {
  const probe = await listenOnLoopback(() => {}, { port: 0 });
  await probe.stop();
  return Number(new URL(probe.url).port);
}

/** The whole body, at most `limitBytes`; a longer one is read to its end, then refused. */
export async function readBody(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= limitBytes) {
      chunks.push(chunk);
    }
  }
  if (length > limitBytes) {
    throw new BodyTooLargeError(limitBytes);
  }
  return Buffer.concat(chunks);
}

/** Takes no new connection, lets requests in hand finish, and after a while drops those that do not. */
async function stopServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  const closeIdle = setInterval(() => server.closeIdleConnections(), 10);
  const closeAll = setTimeout(() => server.closeAllConnections(), STOP_GRACE_MS);
  server.closeIdleConnections();
  await closed;
  clearInterval(closeIdle);
  clearTimeout(closeAll);
}

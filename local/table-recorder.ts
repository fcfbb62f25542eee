/** A pass-through in front of the DynamoDB engine that keeps what the functions ask of the table. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Agent, type ClientRequest, type IncomingMessage, request as send } from 'node:http';
import type { RequestListener, ServerResponse } from 'node:http';
import { listenOnLoopback, readBody, type RunningServer } from './http-server.ts';
import type { Recorder } from './recorder.ts';

/** DynamoDB's own limit for a request is 16 MB (BatchGetItem answers). */
const LIMIT_BYTES = 20 * 1024 * 1024;
/** Tells the pass-through which call of a function a request comes from; the engine ignores it. */
const CALLER_HEADER = 'x-local-invocation';
const CREATED = 'http.client.request.created';

/** Starts it; the functions' `AWS_ENDPOINT_URL_DYNAMODB` is its `url`. */
export async function startTableRecorder(
  engine: string,
  recorder: Recorder,
): Promise<RunningServer> {
  const agent = new Agent({ keepAlive: true });
  const server = await listenOnLoopback(passThrough(engine, agent, recorder), { port: 0 });
  const { host } = new URL(server.url);
  const nameCaller = (message: unknown) => {
    const { request } = message as { request: ClientRequest };
    const caller = recorder.currentInvocation();
    if (caller === undefined || request.getHeader('host') !== host || request.headersSent) return;
    request.setHeader(CALLER_HEADER, `${caller.functionName} ${caller.invocationId}`);
  };
  subscribe(CREATED, nameCaller);
  return {
    url: server.url,
    stop: async () => {
      unsubscribe(CREATED, nameCaller);
      await server.stop();
      agent.destroy();
    },
  };
}

function passThrough(engine: string, agent: Agent, recorder: Recorder): RequestListener {
  const forward = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await readBody(request, LIMIT_BYTES);
    const { [CALLER_HEADER]: caller, ...headers } = request.headers;
    const [functionName, invocationId] = typeof caller === 'string' ? caller.split(' ') : [];
    const target = String(headers['x-amz-target'] ?? '');
    const finish = recorder.record({
      from: 'api',
      to: 'table',
      functionName,
      invocationId,
      method: target.slice(target.indexOf('.') + 1),
      path: request.url ?? '/',
      request: { headers: flatten(headers), body: body.toString('utf8') },
    });
    const outgoing = send(engine, { method: request.method, headers, agent }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', () => response.destroy());
      answer.on('end', () => {
        const content = Buffer.concat(chunks);
        const status = answer.statusCode ?? 502;
        finish({ status, headers: flatten(answer.headers), body: content.toString('utf8') });
        response.writeHead(status, answer.headers);
        response.end(content);
      });
    });
    // The engine is gone or being stopped: the SDK sees what it would see without us.
    outgoing.on('error', () => response.destroy());
    outgoing.end(body);
  };
  return (request, response) => {
    forward(request, response).catch(() => response.destroy());
  };
}

function flatten(headers: IncomingMessage['headers']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')]),
  );
}

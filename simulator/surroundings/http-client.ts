/** HTTP calls to the merchant over real sockets. */
import http from 'node:http';
import https from 'node:https';
import type { HttpClient, OutgoingRequest, OutgoingResult, StartTimer } from './surroundings.ts';

const KEPT = { keepAlive: true, maxSockets: 64 };
const ONCE = { keepAlive: false };

interface Agents {
  readonly http: http.Agent;
  readonly https: https.Agent;
}

export function createHttpClient(startTimer: StartTimer): HttpClient {
  const kept = { http: new http.Agent(KEPT), https: new https.Agent(KEPT) };
  const single = { http: new http.Agent(ONCE), https: new https.Agent(ONCE) };
  return {
    send: async (request) => call(request, request.keepAlive ? kept : single, startTimer),
    close() {
      for (const agent of [kept, single].flatMap((agents) => [agents.http, agents.https])) {
        agent.destroy();
      }
    },
  };
}

async function call(
  outgoing: OutgoingRequest,
  agents: Agents,
  startTimer: StartTimer,
): Promise<OutgoingResult> {
  const { method, headers, body, cut = false, timeoutMs } = outgoing;
  const target = new URL(outgoing.url);
  const secure = target.protocol === 'https:';
  return new Promise((resolve) => {
    const request = (secure ? https : http).request(target, {
      method,
      agent: secure ? agents.https : agents.http,
      headers: { ...headers, 'Content-Length': body.length },
    });
    const finish = (result: OutgoingResult) => {
      cancelTimeout?.();
      resolve(result);
    };
    const giveUp = (kind: 'timeout' | 'too-large' | 'cut') => {
      finish({ kind });
      request.destroy();
    };
    const cancelTimeout =
      timeoutMs === undefined ? undefined : startTimer(timeoutMs, () => giveUp('timeout'));
    request.on('error', (error: NodeJS.ErrnoException) => {
      if (request.reusedSocket && error.code === 'ECONNRESET' && !cut) {
        // The merchant's server closed an idle connection at the very moment of its re-use.
        cancelTimeout?.();
        resolve(call(outgoing, agents, startTimer));
        return;
      }
      finish({ kind: 'unreachable', error: error.code ?? error.message });
    });
    request.on('response', (response) => readAnswer(response, outgoing, finish, giveUp));
    if (cut) {
      request.write(body.subarray(0, body.length / 2), () => giveUp('cut'));
    } else {
      request.end(body);
    }
  });
}

function readAnswer(
  response: http.IncomingMessage,
  { maxAnswerBytes = Number.POSITIVE_INFINITY }: OutgoingRequest,
  finish: (result: OutgoingResult) => void,
  giveUp: (kind: 'too-large') => void,
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  response.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxAnswerBytes) {
      giveUp('too-large');
    }
    chunks.push(chunk);
  });
  response.on('error', (error) => finish({ kind: 'broken', error: error.message }));
  response.on('end', () => {
    const { statusCode: status = 0, headers } = response;
    finish({ kind: 'answered', status, headers, body: Buffer.concat(chunks) });
  });
}

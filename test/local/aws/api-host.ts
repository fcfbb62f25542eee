/** A local API over functions given as source text, for the tests beside this file. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createApi, type RequestLine } from '../../../local/aws/api-server.ts';
import type { ClockReading } from '../../../local/clock/stack-clock.ts';
import { answerControl } from '../../../local/control-api.ts';
import { captureOutput } from '../../../local/aws/function-output.ts';
import { listenOnLoopback } from '../../../local/http-server.ts';
import { loadFunctions } from '../../../local/aws/lambda.ts';
import { parseTemplate } from '../../../local/aws/template.ts';
import { wallClockMs } from '../../../local/record/wall-clock.ts';

export interface Answer {
  status: number;
  headers: Record<string, unknown>;
  body: string;
}

export type ApiHost = Awaited<ReturnType<typeof startApiHost>>;

/** Starts the API; `sources` are the bodies of `functions/<name>.ts`. */
export async function startApiHost(
  template: string,
  sources: Readonly<Record<string, string>>,
  options: {
    gatewayTimeoutMs?: number;
    advanceClock?: (seconds: number) => Promise<ClockReading>;
  } = {},
) {
  const directory = mkdtempSync(path.join(tmpdir(), 'functions-'));
  for (const [name, source] of Object.entries(sources)) {
    writeFileSync(path.join(directory, `${name}.ts`), source);
  }
  const restoreOutput = captureOutput();
  const output: string[] = [];
  const requests: RequestLine[] = [];
  const { service, functions: definitions } = parseTemplate(template);
  const functions = await loadFunctions(service, definitions, directory, (name, line) => {
    output.push(`${name} ${line}`);
  });
  const events = { list: () => [], listOfOrder: () => [] };
  const server = await listenOnLoopback(
    createApi({
      functions,
      answerControl: (received) =>
        answerControl(
          {
            functions,
            advanceClock:
              options.advanceClock ?? (async (seconds) => ({ now: '', offsetSeconds: seconds })),
            describe: async () => ({ service }),
            events: { eventBridge: { events, faults: { fail: 0, slowMs: 0, away: false } } },
          },
          received,
        ),
      realNowMs: wallClockMs,
      onRequest: (line) => requests.push(line),
      ...(options.gatewayTimeoutMs === undefined
        ? {}
        : { gatewayTimeoutMs: options.gatewayTimeoutMs }),
    }),
    { port: 0 },
  );
  return {
    url: server.url,
    output,
    requests,
    send: (
      method: string,
      target: string,
      headers: Record<string, string | string[]> = {},
      body?: string | Buffer,
    ) => send(server.url, method, target, headers, body),
    stop: async () => {
      await server.stop();
      restoreOutput();
      rmSync(directory, { recursive: true });
    },
  };
}

/** A request with exactly these headers: `fetch` would add its own content type. */
function send(
  base: string,
  method: string,
  target: string,
  headers: Record<string, string | string[]> = {},
  body?: string | Buffer,
): Promise<Answer> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { hostname, port, method, path: target, headers, agent: false },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: text });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/**
 * `npm run bench -- bill [--rows 1000000]`: a whole run of `bill` over a generated day, as it is bundled
 * and with the `NODE_OPTIONS` of the template: memory, processor, time. WeChat's file and the
 * pages of the index come from this process, everything else of the table from the embedded engine.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { buffer } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { createGzip } from 'node:zlib';
import { unzipSync } from 'fflate';
import { writeFileSync } from 'node:fs';
import { parse } from 'yaml';
import { bundleFunctions } from '../build/bundle.ts';
import { createTable, startDynamoDb } from '../local/aws/dynamodb.ts';
import { billOf, DATE, MCHID, pageOf } from './bill-day.ts';

const TABLE = 'orders';
/** Orders of the first rows have other numbers in the bill: each is missing on both sides. */
const IN_BILL_ONLY = 3;
/** As many of our rows as DynamoDB puts into its megabyte. */
const MAX_PAGE = 2_500;

interface Measured {
  readonly answer: {
    readonly state: string;
    readonly differenceCount: number;
    readonly payments: object;
  };
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakBytes: number;
}

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: { rows: { type: 'string', default: '1000000' } },
});
const rows = Number(values.rows);
const directory = mkdtempSync(path.join(tmpdir(), 'bench-bill-'));
const engine = await startDynamoDb({ dbPath: path.join(directory, 'table.db') });
const server = http.createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    console.error(error);
    response.destroy();
  });
});
try {
  await createTable(engine.endpoint, TABLE);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { answer: found, wallMs, cpuMs, peakBytes } = await run(await unpack());
  console.log(
    `${rows} rows: ${found.state}, ${found.differenceCount} differences, ${JSON.stringify(found.payments)}`,
  );
  console.log(`peak of resident memory ${Math.round(peakBytes / 2 ** 20)} MB`);
  console.log(`processor ${Math.round(cpuMs / 1_000)} s, wall ${Math.round(wallMs / 1_000)} s`);
  if (found.differenceCount !== 2 * IN_BILL_ONLY) {
    throw new Error(`${2 * IN_BILL_ONLY} differences were planted`);
  }
} finally {
  server.close();
  await engine.stop();
  rmSync(directory, { recursive: true });
}

async function unpack(): Promise<string> {
  const bundles = await bundleFunctions(path.join(directory, 'build'));
  const zip = readFileSync(bundles.find(({ name }) => name === 'bill')?.path ?? '');
  const file = path.join(directory, 'index.mjs');
  writeFileSync(file, unzipSync(zip)['index.mjs'] ?? '');
  return file;
}

/** What the template gives the function besides addresses. */
function nodeOptions(): string {
  const text = readFileSync(new URL('../serverless.yml', import.meta.url), 'utf8');
  const { functions } = parse(text) as {
    functions: { bill: { environment: { NODE_OPTIONS: string } } };
  };
  return functions.bill.environment.NODE_OPTIONS;
}

async function run(bundle: string): Promise<Measured> {
  const address = server.address() as { readonly port: number };
  const url = `http://127.0.0.1:${address.port}`;
  const child = fork(new URL('./bill-run.mjs', import.meta.url), [bundle, DATE], {
    execArgv: [],
    env: {
      PATH: process.env['PATH'],
      TMPDIR: directory,
      NODE_OPTIONS: nodeOptions(),
      STAGE: 'local',
      TABLE_NAME: TABLE,
      MINI_PROGRAM_SECRET_ID: 'mini-program',
      MERCHANT_SECRET_ID: 'merchant',
      PUBLIC_BASE_URL: url,
      WECHAT_PAY_BASE_URLS: url,
      WEIXIN_BASE_URLS: url,
      WECHAT_PAY_API_VERSION: 'v2',
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_ENDPOINT_URL_DYNAMODB: url,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: url,
      POWERTOOLS_LOG_LEVEL: 'SILENT',
      POWERTOOLS_DEV: 'true',
    },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the run ended with ${String(code)}`);
  });
  const [measured] = (await Promise.race([once(child, 'message'), ended])) as [Measured];
  return measured;
}

async function answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  const body = await buffer(request);
  const target = String(request.headers['x-amz-target'] ?? '');
  if (request.url === '/pay/downloadbill') {
    await pipeline(Readable.from(billOf(rows, IN_BILL_ONLY)), createGzip({ level: 1 }), response);
  } else if (target.startsWith('secretsmanager')) {
    sendJson(response, { SecretString: JSON.stringify(secretOf(body)) });
  } else {
    const input = JSON.parse(body.toString()) as Query;
    await (input.IndexName === 'GSI3'
      ? sendPage(response, input)
      : forward(request, body, response));
  }
}

function secretOf(body: Buffer) {
  return /mini-program/.test(body.toString())
    ? {
        appid: 'wx8888888888888888',
        appSecret: '0'.repeat(32),
        sessionKey: 's'.repeat(43),
        quoteKey: 'q'.repeat(43),
      }
    : { mchid: MCHID, apiV2Key: 'k'.repeat(32) };
}

interface Query {
  readonly Limit?: number;
  readonly IndexName?: string;
  readonly ExpressionAttributeValues?: Readonly<Record<string, { readonly S: string }>>;
  readonly ExclusiveStartKey?: { readonly PK: { readonly S: string } };
}

function sendPage(response: http.ServerResponse, query: Query): void {
  const partition = query.ExpressionAttributeValues?.[':partition']?.S ?? '';
  const start = query.ExclusiveStartKey;
  sendJson(response, pageOf(partition, start && Number(start.PK.S), rows, query.Limit ?? MAX_PAGE));
}

function sendJson(response: http.ServerResponse, content: object): void {
  response.setHeader('content-type', 'application/x-amz-json-1.0');
  response.end(JSON.stringify(content));
}

async function forward(request: http.IncomingMessage, body: Buffer, response: http.ServerResponse) {
  const names = ['content-type', 'x-amz-target', 'x-amz-date', 'authorization'];
  const headers = names.map((name) => [name, String(request.headers[name] ?? '')] as const);
  const came = await fetch(engine.endpoint, {
    method: 'POST',
    headers: Object.fromEntries(headers),
    body: new Uint8Array(body),
  });
  response.statusCode = came.status;
  response.setHeader('content-type', came.headers.get('content-type') ?? '');
  response.end(Buffer.from(await came.arrayBuffer()));
}

/**
 * `npm run bench -- reconcile [--orders 600] [--latency 150]`: what a check of `reconcile` costs its
 * processor. The function as it is bundled in a process of its own; DynamoDB, Secrets Manager and
 * WeChat Pay, which answers after so many milliseconds, are this one, over TLS as where it is deployed.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { unzipSync } from 'fflate';
import { bundleFunctions } from '../build/bundle.ts';
import type { ApiVersion } from '../lib/order/parties.ts';
import type { ReconcileSummary } from '../lib/reconcile/run.ts';
import { createCertifiedKey, createTlsCredentials } from '../simulator/book/certificate.ts';
import { machine } from '../simulator/surroundings/machine.ts';
import {
  carriedPerMinute,
  type Cost,
  medianOf,
  printResults,
  type Result,
} from './reconcile-result.ts';
import {
  API_V2_KEY,
  MCHID,
  type Mixture,
  openShop,
  PUBLIC_KEY_ID,
  type Shop,
} from './reconcile-shop.ts';

const MIXTURES: readonly Mixture[] = [
  { name: 'all abandoned', paidOfTen: 0, isExpired: false },
  { name: '30 % abandoned, rest paid', paidOfTen: 7, isExpired: false },
  { name: 'all abandoned, to be closed', paidOfTen: 0, isExpired: true },
];
/** One environment serves minute after minute: the first run of a process is told apart. */
const WARM_RUNS = 2;
/** A busy machine brings answers too late; a run that met that measures something else, and is made again. */
const MAX_DISTURBED = 3;
const { values } = parseArgs({
  args: process.argv.slice(3),
  options: {
    orders: { type: 'string', default: '600' },
    latency: { type: 'string', default: '150' },
  },
});
const orders = Number(values.orders);
const latencyMs = Number(values.latency);
const directory = mkdtempSync(path.join(tmpdir(), 'bench-reconcile-'));
const tls = await createTlsCredentials(machine);
const merchantKey = await createCertifiedKey('bench', machine);
const wechatKey = await machine.createRsaKeyPair();
const merchant = {
  mchid: MCHID,
  apiV2Key: API_V2_KEY,
  apiV3Key: 'k'.repeat(32),
  merchantSerialNo: merchantKey.serialNo,
  merchantPrivateKey: merchantKey.privateKey,
  merchantCertificate: merchantKey.pem,
  wechatpayPublicKeyId: PUBLIC_KEY_ID,
  wechatpayPublicKey: wechatKey.publicKey,
};
try {
  const bundle = await unpack();
  const results: Result[] = [];
  for (const apiVersion of ['v2', 'v3'] as const) {
    for (const mixture of MIXTURES) {
      const result = await measure(bundle, apiVersion, mixture);
      console.error(`${apiVersion}, ${mixture.name}: ${result.cpuMsPerCheck.toFixed(2)} ms`);
      results.push(result);
    }
  }
  printResults(results, { orders, latencyMs });
} finally {
  rmSync(directory, { recursive: true });
}

async function unpack(): Promise<string> {
  const bundles = await bundleFunctions(path.join(directory, 'build'));
  const zip = readFileSync(bundles.find(({ name }) => name === 'reconcile')?.path ?? '');
  const file = path.join(directory, 'index.mjs');
  writeFileSync(file, unzipSync(zip)['index.mjs'] ?? '');
  writeFileSync(path.join(directory, 'authority.pem'), tls.authority);
  return file;
}

async function measure(bundle: string, apiVersion: ApiVersion, mixture: Mixture): Promise<Result> {
  const shop = openShop(apiVersion, wechatKey.privateKey);
  const server = https.createServer({ key: tls.privateKey, cert: tls.certificate }, (...call) => {
    answer(shop, ...call).catch((error: unknown) => {
      console.error(error);
      call[1].destroy();
    });
  });
  server.keepAliveTimeout = 60_000;
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const child = start(bundle, apiVersion, (server.address() as { readonly port: number }).port);
  try {
    const { initCpuMs } = await heard<{ readonly initCpuMs: number }>(child);
    const costs: Cost[] = [];
    for (let run = 0; costs.length <= WARM_RUNS; run += 1) {
      const cost = await runOnce(child, shop, mixture);
      if (cost) {
        costs.push(cost);
      } else if (run >= WARM_RUNS + MAX_DISTURBED) {
        throw new Error('the machine is too busy: checks fail for lack of time');
      }
    }
    const [firstRun, ...warm] = costs as [Cost, ...Cost[]];
    const cost = medianOf(warm);
    return {
      apiVersion,
      mixture: mixture.name,
      ...cost,
      firstRun,
      initCpuMs,
      perMinute: carriedPerMinute(cost),
    };
  } finally {
    child.kill();
    server.closeAllConnections();
    server.close();
  }
}

/** Nothing when the run was disturbed. */
async function runOnce(
  child: ChildProcess,
  shop: Shop,
  mixture: Mixture,
): Promise<Cost | undefined> {
  shop.fill(orders, mixture);
  child.send('run');
  const { summary, cpuMs } = await heard<{
    readonly summary: ReconcileSummary;
    readonly cpuMs: number;
  }>(child);
  if (summary.failed > 0) {
    return undefined;
  }
  const paid = Math.floor((orders * mixture.paidOfTen) / 10);
  const rest = mixture.isExpired ? summary.closed : summary.stillOpen;
  if (summary.due !== orders || summary.paid !== paid || rest !== orders - paid) {
    throw new Error(`the run did not do what was planted: ${JSON.stringify(summary)}`);
  }
  return { cpuMsPerCheck: cpuMs / orders, checksPerSecond: (orders / shop.wallMs()) * 1_000 };
}

function start(bundle: string, apiVersion: ApiVersion, port: number): ChildProcess {
  const url = `https://127.0.0.1:${port}`;
  return fork(new URL('./reconcile-run.mjs', import.meta.url), [bundle], {
    execArgv: [],
    env: {
      PATH: process.env['PATH'],
      NODE_EXTRA_CA_CERTS: path.join(directory, 'authority.pem'),
      STAGE: 'local',
      TABLE_NAME: 'orders',
      MINI_PROGRAM_SECRET_ID: 'mini-program',
      MERCHANT_SECRET_ID: 'merchant',
      PUBLIC_BASE_URL: 'https://pay.example.com',
      WECHAT_PAY_BASE_URLS: url,
      WEIXIN_BASE_URLS: url,
      WECHAT_PAY_API_VERSION: apiVersion,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_ENDPOINT_URL_DYNAMODB: url,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: url,
      POWERTOOLS_LOG_LEVEL: 'INFO',
      POWERTOOLS_SERVICE_NAME: 'bench',
      POWERTOOLS_METRICS_NAMESPACE: 'bench',
    },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}

/** The child's next message. */
async function heard<Message>(child: ChildProcess): Promise<Message> {
  const over = new AbortController();
  const ended = once(child, 'exit', { signal: over.signal }).then(([code]) => {
    throw new Error(`the function's process ended with ${String(code)}`);
  });
  try {
    const [message] = await Promise.race([once(child, 'message'), ended]);
    return message as Message;
  } finally {
    over.abort();
    ended.catch(() => undefined);
  }
}

async function answer(shop: Shop, request: IncomingMessage, response: ServerResponse) {
  const body = await text(request);
  const target = String(request.headers['x-amz-target'] ?? '');
  if (target === '') {
    await sleep(latencyMs);
    const { status, headers, body: content } = shop.wechat(request.url ?? '', body);
    response.writeHead(status, headers).end(content);
    return;
  }
  const answered = target.startsWith('secretsmanager')
    ? { SecretString: JSON.stringify(merchant) }
    : shop.dynamoDb(target.split('.')[1] ?? '', JSON.parse(body));
  response.setHeader('content-type', 'application/x-amz-json-1.0');
  response.end(JSON.stringify(answered));
}

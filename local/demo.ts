/**
 * `npm run demo`: one payment, every hop of it printed, against the running stack or its own.
 * With `--api v2|v3` always its own, with new orders on that API.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ApiVersion } from '../lib/order/parties.ts';
import { payOnce } from './demo-payment.ts';
import { explainFailure } from './explain-failure.ts';
import { readFlags } from './flags.ts';
import { startStack } from './stack.ts';

const TIME_LIMIT_MS = 120_000;

interface Target {
  apiUrl: string;
  simulatorUrl: string;
  appid: string;
  dataDir?: string;
  stop(): Promise<void>;
}

const print = (line: string) => {
  process.stdout.write(`${line}\n`);
};

/** The stack that answers at `PORT`, if it is one of ours. */
async function findRunningStack(): Promise<Target | undefined> {
  const apiUrl = `http://127.0.0.1:${process.env.PORT ?? 3000}`;
  try {
    const answer = await fetch(`${apiUrl}/_local/status`, { signal: AbortSignal.timeout(2000) });
    const status = (await answer.json()) as Partial<Target>;
    const { simulatorUrl, appid, dataDir } = status;
    if (!answer.ok || simulatorUrl === undefined || appid === undefined) {
      return undefined;
    }
    const target = { apiUrl, simulatorUrl, appid, stop: async () => {} };
    return dataDir === undefined ? target : { ...target, dataDir };
  } catch {
    return undefined;
  }
}

async function startOwnStack(apiVersion: ApiVersion | undefined): Promise<Target> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'wechatpay-demo-'));
  process.on('exit', () => rmSync(dataDir, { recursive: true, force: true }));
  const stack = await startStack({
    dataDir,
    port: 0,
    simulatorPort: 0,
    schedule: false,
    apiVersion,
  });
  const { apiUrl, simulatorUrl } = stack;
  return { apiUrl, simulatorUrl, appid: stack.merchant.appid, stop: () => stack.stop() };
}

async function main(): Promise<number> {
  const { api } = readFlags([]);
  const running = api === undefined ? await findRunningStack() : undefined;
  print(
    running === undefined
      ? `Starting a stack for the demo${api === undefined ? '' : ` on API ${api}`} …`
      : `Using the stack that runs at ${running.apiUrl}`,
  );
  const target = running ?? (await startOwnStack(api));
  print(`\n  API                 ${target.apiUrl}\n  WeChat (simulator)  ${target.simulatorUrl}\n`);
  try {
    await payOnce(target, print);
    return 0;
  } finally {
    await target.stop();
  }
}

const limit = setTimeout(() => {
  process.stderr.write(`\nnot paid: no end after ${TIME_LIMIT_MS / 1000} s. Try npm start.\n`);
  process.exit(1);
}, TIME_LIMIT_MS);
process.on('SIGINT', () => process.exit(1));
process.on('SIGTERM', () => process.exit(1));

let exitCode = 1;
try {
  exitCode = await main();
} catch (error) {
  process.stderr.write(`\nnot paid: ${explainFailure(error)}\n`);
}
clearTimeout(limit);
process.exit(exitCode);

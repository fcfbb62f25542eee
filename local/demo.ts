/**
 * `npm run demo`: one payment, every hop of it printed, against the running stack or its own.
 * With `--api v2|v3` always its own, with new orders on that API.
 */
import { rmSync } from 'node:fs';
import type { ApiVersion } from '../lib/order/parties.ts';
import { makeTemporaryDir } from './data/data-dir.ts';
import { type DemoTarget, payOnce } from './demo-payment.ts';
import { explainFailure } from './explain-failure.ts';
import { readFlags } from './flags.ts';
import { keepLoopbackDirect } from './loopback.ts';
import { findRunningStack } from './running-stack.ts';
import { startStack } from './stack.ts';

const TIME_LIMIT_MS = 120_000;

type Target = DemoTarget & { stop?(): Promise<void> };

const print = (line: string) => {
  process.stdout.write(`${line}\n`);
};

async function startOwnStack(apiVersion: ApiVersion | undefined): Promise<Target> {
  const dataDir = makeTemporaryDir('wechatpay-demo-');
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
  const running = api === undefined ? await findRunningStack(process.env) : undefined;
  print(
    running === undefined
      ? `Starting a stack for the demo${api === undefined ? '' : ` on API ${api}`} …`
      : `Using the stack that runs at ${running.apiUrl}`,
  );
  const target: Target = running ?? (await startOwnStack(api));
  print(`\n  API                 ${target.apiUrl}\n  WeChat (simulator)  ${target.simulatorUrl}\n`);
  try {
    await payOnce(target, print);
    return 0;
  } finally {
    await target.stop?.();
  }
}

const limit = setTimeout(() => {
  process.stderr.write(`\nnot paid: no end after ${TIME_LIMIT_MS / 1000} s. Try npm start.\n`);
  process.exit(1);
}, TIME_LIMIT_MS);
process.on('SIGINT', () => process.exit(1));
process.on('SIGTERM', () => process.exit(1));

// A closed pipe (npm run demo | head) must not end a payment half-way.
process.stdout.on('error', () => {});
keepLoopbackDirect();
let exitCode = 1;
try {
  exitCode = await main();
} catch (error) {
  process.stderr.write(`\nnot paid: ${explainFailure(error)}\n`);
}
clearTimeout(limit);
process.exit(exitCode);

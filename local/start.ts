/** `npm start`: the whole stack in one terminal. */
import path from 'node:path';
import type { RequestLine } from './aws/api-server.ts';
import type { StoredEvent } from './aws/event-bridge/event-store.ts';
import { explainFailure } from './explain-failure.ts';
import { readFlags } from './flags.ts';
import { keepLoopbackDirect } from './loopback.ts';
import { watchNpm } from './process/parent-watch.ts';
import { readDataDir } from './settings.ts';
import { describeFirstSteps } from './shell.ts';
import { type Stack, startStack } from './stack.ts';

const STOP_LIMIT_MS = 10_000;
const HELP = `Usage: npm start [-- --fresh --api v3 --verification switching]

Runs the API, DynamoDB, Secrets Manager, EventBridge and WeChat (the simulator) on this machine.

  --fresh             forget the orders, products and keys of earlier starts
  --api v2|v3         WeChat Pay API of new orders (v2)
  --devtools-buyer NAME
                      who logs in with a code of WeChat's developer tools (nobody)
  --verification certificate|switching|public-key
                      with which keys WeChat signs API v3 (as before; public-key at first)
  --help              this text

  PORT                port of the API (3000; 0 takes a free one)
  SIMULATOR_PORT      port of the simulator (3900; 0 takes a free one)
  LOCAL_DATA_DIR      where data is kept (.local)
  DYNAMODB_ENDPOINT   use this DynamoDB and start none
  SEED                makes the simulator's faults repeatable
`;

const print = (line: string) => {
  process.stdout.write(`${line}\n`);
};

function flagsOrExplain() {
  try {
    return readFlags(['fresh', 'help', 'devtools-buyer', 'verification']);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return undefined;
  }
}

async function main(): Promise<void> {
  // A closed pipe (npm start | head) must not end the stack half-way.
  process.stdout.on('error', () => {});
  keepLoopbackDirect();
  const flags = flagsOrExplain();
  if (flags === undefined) {
    process.exitCode = 1;
    return;
  }
  if (flags.help === true) {
    process.stdout.write(HELP);
    return;
  }

  let stack: Stack | undefined;
  let ending = false;
  const end = async (exitCode: number, reason: string) => {
    if (ending) {
      return;
    }
    ending = true;
    print(`\n${reason}`);
    setTimeout(() => process.exit(1), STOP_LIMIT_MS).unref();
    await stack?.stop();
    print('stopped');
    process.exit(exitCode);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => void end(0, `${signal}: stopping …`));
  }
  watchNpm(() => void end(0, 'npm is gone: stopping …'));

  print('wechatpay-serverless: starting the local stack\n');
  const dataDir = readDataDir(process.env);
  try {
    stack = await startStack({
      dataDir,
      fresh: flags.fresh ?? false,
      apiVersion: flags.api,
      devtoolsBuyer: flags['devtools-buyer'],
      verification: flags.verification,
      record: true,
      log: 'pretty',
      print,
      onProgress: (part, where) => print(`  ${part.padEnd(20)}${where}`),
      onRequest: (line) => print(formatRequest(line)),
      onEvent: (event) => print(formatEvent(event)),
      ...(process.env.SEED === undefined ? {} : { seed: process.env.SEED }),
    });
  } catch (error) {
    process.stderr.write(`\nnot started: ${explainFailure(error)}\n`);
    process.exit(1);
  }
  printReady(stack, dataDir);
  await stack.died.catch((error: unknown) =>
    end(1, `${explainFailure(error)}\nOrders and keys are kept in ${dataDir}: run npm start again`),
  );
}

function printReady({ apiUrl, simulatorUrl }: Stack, dataDir: string): void {
  print(`  ${'API'.padEnd(20)}${apiUrl}

Try, in another terminal:
  npm run demo
or step by step:
${describeFirstSteps({ apiUrl, simulatorUrl })}

Or pay in the page, and watch every message:
  ${simulatorUrl}/

Keys for other WeChat Pay clients: ${path.join(dataDir, 'merchant.json')}. The functions' log: ${path.join(dataDir, 'functions.log')}

ready  API ${apiUrl}  WeChat (simulator) ${simulatorUrl}  data ${dataDir}`);
}

/** `event  Order Paid  <outTradeNo>`; an event about no order is named by itself. */
function formatEvent({ detailType, detail }: StoredEvent): string {
  const { outTradeNo, eventId } = detail;
  const about = [outTradeNo, eventId].find((name) => typeof name === 'string');
  return ['event', detailType, ...(about === undefined ? [] : [about])].join('  ');
}

/** `POST /prepay 200 35 ms 0f8d…`, and below it why a signature was refused. */
function formatRequest(line: RequestLine): string {
  const milliseconds = Math.round(line.durationMs);
  const text = `${line.method.padEnd(5)} ${line.path} ${line.statusCode} ${milliseconds} ms ${line.requestId}`;
  return line.refusal === undefined ? text : `${text}\n      ${line.refusal}`;
}

await main();

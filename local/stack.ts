/** Starts everything a payment needs on one machine and wires it together. */
import type { RequestListener } from 'node:http';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createApi, refuseUntilReady, type RequestLine } from './aws/api-server.ts';
import type { ClockReading } from './control-api.ts';
import { type DataDir, openDataDir } from './data/data-dir.ts';
import { startEmulators } from './emulators.ts';
import { type Addresses, type Names, setEnvironment } from './aws/environment.ts';
import { openFunctionLog } from './record/function-log.ts';
import { captureOutput } from './aws/function-output.ts';
import { assertPortFree, listenOnLoopback } from './http-server.ts';
import { type LocalFunction, loadFunctions } from './aws/lambda.ts';
import type { LocalMerchant } from './data/merchant.ts';
import { openOrderReader } from './record/order-record.ts';
import { createRecorder, type Recorder } from './record/recorder.ts';
import { type Scheduler, startScheduler } from './aws/schedule.ts';
import { openStackClock } from './clock/stack-clock.ts';
import { recordTable } from './record/table-recorder.ts';
import { readTemplate, type Template } from './aws/template.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SCHEDULE_STOP_GRACE_MS = 3000;

export interface StackOptions {
  /** Where everything is kept; default `.local`. */
  readonly dataDir?: string;
  /** For tests: a data directory of its own, gone after `stop()`. */
  readonly inMemory?: boolean;
  /** Default `PORT`, else 3000; 0 takes a free one. */
  readonly port?: number;
  /** Default `SIMULATOR_PORT`, else 3900; 0 takes a free one. */
  readonly simulatorPort?: number;
  /** Forget orders, products, secrets, merchant and clock of earlier starts. */
  readonly fresh?: boolean;
  /** Run the scheduled functions by themselves; default true. */
  readonly schedule?: boolean;
  /** Keep every message, for the page; default false. */
  readonly record?: boolean;
  /** Makes the simulator's faults repeatable. */
  readonly seed?: string | number;
  /** The WeChat Pay API of new orders; default `WECHAT_PAY_API_VERSION`, else v2. */
  readonly apiVersion?: 'v2' | 'v3' | undefined;
  /** The functions' own lines: `pretty` to the file and, in short, to `print`; default `file`. */
  readonly log?: 'pretty' | 'file' | 'silent';
  /** Takes the lines meant for a terminal. */
  readonly print?: (line: string) => void;
  readonly onProgress?: (part: string, where: string) => void;
  readonly onRequest?: (line: RequestLine) => void;
  readonly functionsDir?: string;
  readonly templatePath?: string;
  readonly simulatorEntry?: string;
}

export type Stack = Addresses & {
  readonly dataDir: string;
  readonly merchant: LocalMerchant;
  readonly tableName: string;
  /** What makes the simulator's faults of this run repeatable. */
  readonly seed: string;
  /** Runs a function with this event; throws what Lambda would report. */
  invoke(functionName: string, event?: unknown): Promise<unknown>;
  /** Moves the one clock of the stack; the schedule follows before this resolves. */
  advanceClock(seconds: number): Promise<ClockReading>;
  /** Rejects when the DynamoDB engine or the simulator ends by itself. */
  readonly died: Promise<never>;
  /** Ends everything that was started; safe to call twice. */
  stop(): Promise<void>;
};

/**
 * Resolves when a payment can be made. When a part cannot start, the others are ended before this
 * rejects. The functions read their environment once: one stack per process, unless the modules are
 * reset between two.
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const undo: (() => unknown)[] = [];
  let stopping: Promise<void> | undefined;
  const stop = () => (stopping ??= undoAll(undo));
  try {
    return await start(options, undo, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  options: StackOptions,
  undo: (() => unknown)[],
  stop: () => Promise<void>,
): Promise<Stack> {
  const template = readTemplate(options.templatePath ?? path.join(ROOT, 'serverless.yml'));
  const inMemory = options.inMemory ?? false;
  const dataDir = openDataDir(
    inMemory ? undefined : (options.dataDir ?? '.local'),
    options.fresh ?? false,
  );
  undo.push(() => dataDir.close());

  let serve: RequestListener = refuseUntilReady;
  const api = await listenOnLoopback((request, response) => serve(request, response), {
    port: options.port ?? readPort('PORT', 3000),
    portVariable: 'PORT',
  });
  undo.push(() => api.stop());
  const simulatorPort = options.simulatorPort ?? readPort('SIMULATOR_PORT', 3900);
  await assertPortFree({ port: simulatorPort, portVariable: 'SIMULATOR_PORT' });

  const names = nameResources(template.service);
  const emulators = await startEmulators(
    {
      dataDir,
      names,
      apiUrl: api.url,
      simulatorPort,
      inMemoryTable: inMemory,
      seed: options.seed,
      simulatorEntry: options.simulatorEntry,
      onProgress: options.onProgress ?? (() => {}),
    },
    undo,
  );
  const { addresses, merchant, seed, died } = emulators;
  const recorder = (options.record ?? false) ? createRecorder() : undefined;
  const record = recorder && startRecord(recorder, addresses, names, undo);
  undo.push(setEnvironment(template.service, names, addresses, options.apiVersion));
  const host = await startHost(options, template, dataDir, addresses, undo, recorder);
  const facts = { ...addresses, dataDir: dataDir.path, tableName: names.tableName, seed };
  const advanceClock = (seconds: number) => host.clock.advance(seconds);
  serve = createApi({
    functions: host.functions,
    control: {
      functions: host.functions,
      advanceClock,
      describe: () => ({
        service: template.service,
        appid: merchant.appid,
        ...facts,
        ...host.clock.read(),
      }),
      ...(record && { record }),
    },
    ...(options.onRequest === undefined ? {} : { onRequest: options.onRequest }),
  });
  // First of all, so that requests in hand still find everything they need.
  undo.push(() => api.stop());
  return {
    ...facts,
    merchant,
    died,
    stop,
    advanceClock,
    invoke: (functionName, event) => invoke(host.functions, functionName, event),
  };
}

/** What the page sees of the functions and the table. */
function startRecord(
  recorder: Recorder,
  { dynamoDbEndpoint }: Addresses,
  { tableName }: Names,
  undo: (() => unknown)[],
) {
  const orders = openOrderReader(dynamoDbEndpoint, tableName, recorder);
  undo.push(recordTable(dynamoDbEndpoint, recorder), () => orders.close());
  return {
    listMessages: (afterId: number) => recorder.list(afterId),
    readOrder: (outTradeNo: string) => orders.read(outTradeNo),
  };
}

/** Loads the functions, their clock and their schedule. Their environment is set by now. */
async function startHost(
  options: StackOptions,
  template: Template,
  dataDir: DataDir,
  addresses: Addresses,
  undo: (() => unknown)[],
  recorder: Recorder | undefined,
) {
  const mode = options.log ?? 'file';
  const log = openFunctionLog(
    mode === 'silent' ? undefined : dataDir.files.functionLog,
    mode === 'pretty' && options.print !== undefined ? options.print : () => {},
  );
  undo.push(() => log.close(), captureOutput());

  let scheduler: Scheduler | undefined;
  const followClock = async () => scheduler?.catchUp();
  const clock = await openStackClock(dataDir.files.clock, addresses.simulatorUrl, followClock);
  undo.push(() => clock.close());

  const loaded = await loadFunctions(
    template.service,
    template.functions,
    options.functionsDir ?? path.join(ROOT, 'functions'),
    (functionName, line) => {
      log.sink(functionName, line);
      recorder?.addLogLine(line);
    },
  );
  const functions = recorder === undefined ? loaded : recorder.watch(loaded);
  if (options.schedule ?? true) {
    const running = startScheduler(template.functions, async (name, event) => {
      await functions.get(name)?.invoke(event);
    });
    scheduler = running;
    undo.push(() => Promise.race([running.stop(), delay(SCHEDULE_STOP_GRACE_MS)]));
  }
  return { functions, clock };
}

/** Every step is taken, also after one that fails; the first failure is reported at the end. */
async function undoAll(undo: (() => unknown)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const step of undo.splice(0).toReversed()) {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) {
    throw failures[0];
  }
}

async function invoke(
  functions: ReadonlyMap<string, LocalFunction>,
  functionName: string,
  event: unknown = {},
): Promise<unknown> {
  const target = functions.get(functionName);
  if (target === undefined) {
    throw new Error(`no function "${functionName}"`);
  }
  const outcome = await target.invoke(event);
  if (outcome.ok) {
    return outcome.result;
  }
  throw new Error(`${outcome.error.errorType}: ${outcome.error.errorMessage}`);
}

function nameResources(service: string): Names {
  return {
    tableName: `${service}-local`,
    secretIds: {
      miniProgram: `${service}/local/mini-program`,
      merchant: `${service}/local/merchant`,
    },
  };
}

function readPort(variable: string, fallback: number): number {
  const text = process.env[variable];
  if (text === undefined || text === '') {
    return fallback;
  }
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) {
    return port;
  }
  throw new Error(`${variable}=${text} is not a port: give a number from 0 to 65535`);
}

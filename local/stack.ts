/** Starts everything a payment needs on one machine and wires it together. */
import type { RequestListener } from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createApi, refuseUntilReady, type RequestLine } from './aws/api-server.ts';
import { type Addresses, nameResources, setEnvironment } from './aws/environment.ts';
import type { EventBridge } from './aws/event-bridge/event-bridge.ts';
import type { StoredEvent } from './aws/event-bridge/event-store.ts';
import type { LocalFunction } from './aws/lambda.ts';
import { readTemplate } from './aws/template.ts';
import type { ClockReading } from './clock/stack-clock.ts';
import { answerControl, type Control } from './control-api.ts';
import { openDataDir } from './data/data-dir.ts';
import type { LocalMerchant } from './data/merchant.ts';
import type { VerificationMode } from '../simulator/book/wechat-keys.ts';
import { startEmulators } from './emulators.ts';
import {
  type FunctionHost,
  type HostSettings,
  openRecord,
  startFunctionHost,
} from './function-host.ts';
import { assertPortFree, listenOnLoopback } from './http-server.ts';
import { createRecorder } from './record/recorder.ts';
import { wallClockMs } from './record/wall-clock.ts';
import { assertFunctionSettings, type Ports, readPorts } from './settings.ts';
import type { ApiVersion } from '../lib/order/parties.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

export interface StackOptions extends HostSettings {
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
  /** Keep every message, for the page; default false. */
  readonly record?: boolean;
  /** Makes the simulator's faults repeatable. */
  readonly seed?: string | number;
  /** The WeChat Pay API of new orders; default `WECHAT_PAY_API_VERSION`, else v2. */
  readonly apiVersion?: ApiVersion | undefined;
  /** With which keys WeChat signs API v3; default as at the last start, `public-key` at the first. */
  readonly verification?: VerificationMode | undefined;
  readonly onProgress?: (part: string, where: string) => void;
  readonly onRequest?: (line: RequestLine) => void;
  /** Called for every event that was published. */
  readonly onEvent?: (event: StoredEvent) => void;
  readonly templatePath?: string;
  readonly simulatorEntry?: string;
  /** Who logs in with a code of WeChat's developer tools; nobody without it. */
  readonly devtoolsBuyer?: string | undefined;
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
  const { template, dataDir, door, names, emulators } = await openSurroundings(options, undo);
  const { addresses, merchant, eventBridge, seed, died } = emulators;
  const recorder = options.record ? createRecorder() : undefined;
  const record = recorder && openRecord(recorder, addresses, names, eventBridge.events, undo);
  undo.push(setEnvironment(template.service, names, addresses, options.apiVersion));
  const { files, path: directory } = dataDir;
  const host = await startFunctionHost(
    {
      ...options,
      template,
      dynamoDb: emulators.dynamoDb,
      recorder,
      files,
      addresses,
      tableName: names.tableName,
    },
    undo,
  );
  const facts = { ...addresses, dataDir: directory, tableName: names.tableName, seed };
  const about = { service: template.service, appid: merchant.appid, ...facts };
  door.serve(createStackApi(host, about, eventBridge, record, options.onRequest));
  // First of all, so that requests in hand still find everything they need.
  undo.push(() => door.api.stop());
  return {
    ...facts,
    merchant,
    died,
    stop,
    advanceClock: (seconds) => host.clock.advance(seconds),
    invoke: (functionName, event) => invoke(host.functions, functionName, event),
  };
}

/** Everything around the functions: directory, ports, what stands in for AWS and WeChat. */
async function openSurroundings(options: StackOptions, undo: (() => unknown)[]) {
  const template = readTemplate(options.templatePath ?? path.join(ROOT, 'serverless.yml'));
  const ports = readPorts(options, process.env);
  assertFunctionSettings(process.env, options.apiVersion);
  const inMemory = options.inMemory ?? false;
  const dataDir = await openDataDir(
    inMemory ? undefined : (options.dataDir ?? '.local'),
    options.fresh ?? false,
  );
  undo.push(() => dataDir.close());
  const door = await openDoor(ports, undo);
  const names = nameResources(template.service);
  const emulators = await startEmulators(
    {
      dataDir,
      names,
      apiUrl: door.api.url,
      simulatorPort: door.simulatorPort,
      seed: options.seed,
      verification: options.verification,
      simulatorEntry: options.simulatorEntry,
      devtoolsBuyer: options.devtoolsBuyer,
      onProgress: options.onProgress ?? (() => {}),
      onEvent: options.onEvent,
      print: options.print ?? (() => {}),
    },
    undo,
  );
  return { template, dataDir, door, names, emulators };
}

/** The API's port, taken at once, and the simulator's, which must be free. */
async function openDoor({ port, simulatorPort }: Ports, undo: (() => unknown)[]) {
  let listener: RequestListener = refuseUntilReady;
  const api = await listenOnLoopback((request, response) => listener(request, response), {
    port,
    portVariable: 'PORT',
  });
  undo.push(() => api.stop());
  await assertPortFree({ port: simulatorPort, portVariable: 'SIMULATOR_PORT' });
  return {
    api,
    simulatorPort,
    serve: (ready: RequestListener) => {
      listener = ready;
    },
  };
}

function createStackApi(
  { functions, clock, eventSource }: FunctionHost,
  about: object,
  eventBridge: EventBridge,
  record: Control['record'],
  onRequest: StackOptions['onRequest'],
): RequestListener {
  const control: Control = {
    functions,
    advanceClock: (seconds) => clock.advance(seconds),
    events: { eventBridge, eventSource },
    describe: async () => ({
      ...about,
      ...clock.read(),
      ...(eventSource && { stream: await eventSource.readStatus() }),
      eventFaults: { ...eventBridge.faults },
    }),
    ...(record && { record }),
  };
  return createApi({
    functions,
    answerControl: (request) => answerControl(control, request),
    realNowMs: wallClockMs,
    ...(onRequest && { onRequest }),
  });
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

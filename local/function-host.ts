/** The functions of the template in this process, with their log, their clock and their schedule. */
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { LocalDynamoDb } from './aws/dynamodb.ts';
import type { Addresses, Names } from './aws/environment.ts';
import { captureOutput, type OutputSink } from './aws/function-output.ts';
import { type LocalFunction, loadFunctions } from './aws/lambda.ts';
import { type Scheduler, startScheduler } from './aws/schedule.ts';
import type { Template } from './aws/template.ts';
import type { EventStore } from './aws/event-bridge/event-store.ts';
import type { EventSource } from './aws/event-source/event-source.ts';
import { openStackClock, type StackClock } from './clock/stack-clock.ts';
import type { DataDir } from './data/data-dir.ts';
import { withLoginAdvice } from './login-advice.ts';
import { type FunctionLog, openFunctionLog } from './record/function-log.ts';
import { openOrderReader } from './record/order-record.ts';
import type { Recorder } from './record/recorder.ts';
import { recordRequests } from './record/request-recorder.ts';
import { startTableEvents } from './table-events.ts';

const FUNCTIONS_DIR = fileURLToPath(new URL('../functions', import.meta.url));
const SCHEDULE_STOP_GRACE_MS = 3000;

/** How the functions run; a stack's options hold the same. */
export interface HostSettings {
  /** Run the scheduled functions by themselves; default true. */
  readonly schedule?: boolean;
  /** The functions' own lines: `pretty` to the file and, in short, to `print`; default `file`. */
  readonly log?: 'pretty' | 'file' | 'silent';
  /** Takes the lines meant for a terminal. */
  readonly print?: (line: string) => void;
  readonly functionsDir?: string;
}

export interface HostOptions extends HostSettings {
  readonly template: Template;
  readonly files: DataDir['files'];
  readonly addresses: Addresses;
  readonly dynamoDb: Pick<LocalDynamoDb, 'endpoint' | 'trimStream' | 'hasStreamReached'>;
  readonly tableName: string;
  readonly recorder: Recorder | undefined;
}

export interface FunctionHost {
  readonly functions: ReadonlyMap<string, LocalFunction>;
  readonly clock: StackClock;
  /** Absent: no function is on the table's stream. */
  readonly eventSource: EventSource | undefined;
}

/**
 * Loads the functions, their clock, their stream and their schedule. Their environment must be set by now. `undo`
 * gets the way to end each part as soon as it runs.
 */
export async function startFunctionHost(
  options: HostOptions,
  undo: (() => unknown)[],
): Promise<FunctionHost> {
  const { template, files, addresses, dynamoDb, tableName, print = () => {} } = options;
  const log = openLog(options);
  undo.push(() => log.close(), captureOutput());

  let scheduler: Scheduler | undefined;
  const followClock = async () => scheduler?.catchUp();
  const clock = await openStackClock(files.clock, addresses.simulatorUrl, followClock);
  undo.push(() => clock.close());

  const functions = await load(options, log);
  // Before the schedule, so that it ends after it and delivers what the last run wrote.
  const eventSource = await startTableEvents(
    { template, functions, dynamoDb, tableName, files, print },
    undo,
  );
  if (options.schedule ?? true) {
    const running = startScheduler(template.functions, async (name, event) => {
      await functions.get(name)?.invoke(event);
    });
    scheduler = running;
    undo.push(() => Promise.race([running.stop(), delay(SCHEDULE_STOP_GRACE_MS)]));
  }
  return { functions, clock, eventSource };
}

/** What the page sees of the functions, the table and EventBridge. */
export function openRecord(
  recorder: Recorder,
  { dynamoDbEndpoint, eventBridgeEndpoint }: Addresses,
  { tableName }: Names,
  events: Pick<EventStore, 'listOfOrder'>,
  undo: (() => unknown)[],
) {
  const orders = openOrderReader(dynamoDbEndpoint, tableName, recorder, events);
  undo.push(
    recordRequests('table', dynamoDbEndpoint, recorder),
    recordRequests('event-bus', eventBridgeEndpoint, recorder),
    () => orders.close(),
  );
  return {
    listMessages: (afterId: number) => recorder.list(afterId),
    readOrder: (outTradeNo: string) => orders.read(outTradeNo),
  };
}

function openLog({ log = 'file', print, files }: HostOptions): FunctionLog {
  return openFunctionLog(
    log === 'silent' ? undefined : files.functionLog,
    log === 'pretty' && print !== undefined ? print : () => {},
  );
}

async function load(
  { template, functionsDir, recorder, addresses }: HostOptions,
  log: FunctionLog,
): Promise<ReadonlyMap<string, LocalFunction>> {
  const sink: OutputSink = (functionName, line) => {
    log.sink(functionName, line);
    recorder?.addLogLine(line);
  };
  const directory = path.resolve(functionsDir ?? FUNCTIONS_DIR);
  const alone = await loadFunctions(template.service, template.functions, directory, sink);
  const loaded = withLoginAdvice(alone, addresses.simulatorUrl, sink);
  return recorder === undefined ? loaded : recorder.watch(loaded);
}

/** The functions of the template in this process, with their log, their clock and their schedule. */
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Addresses, Names } from './aws/environment.ts';
import { captureOutput, type OutputSink } from './aws/function-output.ts';
import { type LocalFunction, loadFunctions } from './aws/lambda.ts';
import { type Scheduler, startScheduler } from './aws/schedule.ts';
import type { Template } from './aws/template.ts';
import { openStackClock, type StackClock } from './clock/stack-clock.ts';
import { withLoginAdvice } from './login-advice.ts';
import { type FunctionLog, openFunctionLog } from './record/function-log.ts';
import { openOrderReader } from './record/order-record.ts';
import type { Recorder } from './record/recorder.ts';
import { recordTable } from './record/table-recorder.ts';

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
  readonly clockFile: string;
  readonly logFile: string;
  readonly simulatorUrl: string;
  readonly recorder: Recorder | undefined;
}

export interface FunctionHost {
  readonly functions: ReadonlyMap<string, LocalFunction>;
  readonly clock: StackClock;
}

/**
 * Loads the functions, their clock and their schedule. Their environment must be set by now. `undo`
 * gets the way to end each part as soon as it runs.
 */
export async function startFunctionHost(
  options: HostOptions,
  undo: (() => unknown)[],
): Promise<FunctionHost> {
  const log = openLog(options);
  undo.push(() => log.close(), captureOutput());

  let scheduler: Scheduler | undefined;
  const followClock = async () => scheduler?.catchUp();
  const clock = await openStackClock(options.clockFile, options.simulatorUrl, followClock);
  undo.push(() => clock.close());

  const functions = await load(options, log);
  if (options.schedule ?? true) {
    const running = startScheduler(options.template.functions, async (name, event) => {
      await functions.get(name)?.invoke(event);
    });
    scheduler = running;
    undo.push(() => Promise.race([running.stop(), delay(SCHEDULE_STOP_GRACE_MS)]));
  }
  return { functions, clock };
}

/** What the page sees of the functions and the table. */
export function openRecord(
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

function openLog({ log = 'file', print, logFile }: HostOptions): FunctionLog {
  return openFunctionLog(
    log === 'silent' ? undefined : logFile,
    log === 'pretty' && print !== undefined ? print : () => {},
  );
}

async function load(
  { template, functionsDir, recorder, simulatorUrl }: HostOptions,
  log: FunctionLog,
): Promise<ReadonlyMap<string, LocalFunction>> {
  const sink: OutputSink = (functionName, line) => {
    log.sink(functionName, line);
    recorder?.addLogLine(line);
  };
  const directory = path.resolve(functionsDir ?? FUNCTIONS_DIR);
  const alone = await loadFunctions(template.service, template.functions, directory, sink);
  const loaded = withLoginAdvice(alone, simulatorUrl, sink);
  return recorder === undefined ? loaded : recorder.watch(loaded);
}

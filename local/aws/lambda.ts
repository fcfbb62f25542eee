/**
 * Runs the functions as Lambda does: JSON in, JSON out, a context, a timeout. All of them share
 * this process, and a function that ran into its timeout is not ended: its result is dropped, but
 * unlike on Lambda it runs on and keeps its module's state.
 */
import { randomUUID } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import path from 'node:path';
import type { Context } from 'aws-lambda';
import { type OutputSink, withOutputTo } from './function-output.ts';
import type { FunctionDefinition } from './template.ts';

const RESPONSE_LIMIT_BYTES = 6 * 1024 * 1024;

/** Lambda's own form of a failed invocation. */
export interface InvocationError {
  errorType: string;
  errorMessage: string;
  trace?: string[];
}

export type InvocationOutcome =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error: InvocationError };

export interface LocalFunction {
  readonly definition: FunctionDefinition;
  /** Never rejects. The event is copied through JSON first, as on its way to Lambda. */
  invoke(event: unknown): Promise<InvocationOutcome>;
}

type Handler = (event: unknown, context: Context) => unknown;
interface InvokeStore {
  run<T>(context: object, work: () => T): T;
}

/** Loads every function of the template from `functionsDir`; their environment must be set by now. */
export async function loadFunctions(
  service: string,
  definitions: readonly FunctionDefinition[],
  functionsDir: string,
  sink: OutputSink,
): Promise<Map<string, LocalFunction>> {
  const functions = new Map<string, LocalFunction>();
  for (const definition of definitions) {
    const handler = await loadHandler(definition, functionsDir, sink);
    const functionName = `${service}-local-${definition.name}`;
    functions.set(definition.name, {
      definition,
      invoke: (event) => invoke(definition, functionName, handler, event, sink),
    });
  }
  return functions;
}

async function loadHandler(
  definition: FunctionDefinition,
  functionsDir: string,
  sink: OutputSink,
): Promise<Handler> {
  const file = path.resolve(functionsDir, `${definition.name}.ts`);
  let module: Record<string, unknown>;
  try {
    module = await withOutputTo(
      definition.name,
      sink,
      () => import(pathToFileURL(file).href) as Promise<Record<string, unknown>>,
    );
  } catch (error) {
    throw new Error(`function ${definition.name} cannot be loaded from ${file}`, { cause: error });
  }
  const handler = module[definition.exportName];
  if (typeof handler === 'function') {
    return handler as Handler;
  }
  throw new Error(`${file} has no function named ${definition.exportName}`);
}

async function invoke(
  definition: FunctionDefinition,
  functionName: string,
  handler: Handler,
  event: unknown,
  sink: OutputSink,
): Promise<InvocationOutcome> {
  const context = createContext(definition, functionName);
  const copy: unknown = JSON.parse(JSON.stringify(event ?? null));
  const work = async () => handler(copy, context);
  const running = withOutputTo(definition.name, sink, () =>
    runInInvokeStore(context.awsRequestId, work),
  );
  const outcome = await settle(definition, context, running);
  if (!outcome.ok) {
    const { errorType, errorMessage, trace } = outcome.error;
    const report = { level: 'ERROR', message: errorMessage, errorType, trace };
    sink(definition.name, JSON.stringify({ ...report, function_request_id: context.awsRequestId }));
  }
  return outcome;
}

async function settle(
  definition: FunctionDefinition,
  context: Context,
  running: Promise<unknown>,
): Promise<InvocationOutcome> {
  const timeout = Promise.withResolvers<InvocationOutcome>();
  const timer = setTimeout(() => {
    timeout.resolve({ ok: false, error: describeTimeout(definition, context) });
  }, definition.timeoutMs);
  const finished = running.then(serialise, (error: unknown) => ({
    ok: false as const,
    error: describeError(error),
  }));
  try {
    return await Promise.race([finished, timeout.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function serialise(result: unknown): InvocationOutcome {
  let text: string;
  try {
    text = JSON.stringify(result) ?? 'null';
  } catch (error) {
    const errorMessage = `Unable to stringify response body: ${String(error)}`;
    return { ok: false, error: { errorType: 'Runtime.MarshalError', errorMessage } };
  }
  if (Buffer.byteLength(text) > RESPONSE_LIMIT_BYTES) {
    const errorMessage = 'Response payload size exceeded maximum allowed payload size';
    return { ok: false, error: { errorType: 'Function.ResponseSizeTooLarge', errorMessage } };
  }
  return { ok: true, result: JSON.parse(text) as unknown };
}

function describeError(error: unknown): InvocationError {
  if (!(error instanceof Error)) {
    return { errorType: typeof error, errorMessage: String(error), trace: [] };
  }
  const trace = error.stack?.split('\n') ?? [];
  return { errorType: error.name, errorMessage: error.message, trace };
}

function describeTimeout(definition: FunctionDefinition, context: Context): InvocationError {
  const seconds = (definition.timeoutMs / 1000).toFixed(2);
  return {
    errorType: 'Sandbox.Timedout',
    errorMessage: `RequestId: ${context.awsRequestId} Error: Task timed out after ${seconds} seconds`,
  };
}

function createContext(definition: FunctionDefinition, functionName: string): Context {
  const deadline = performance.now() + definition.timeoutMs;
  const unused = () => {};
  return {
    awsRequestId: randomUUID(),
    functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:us-east-1:000000000000:function:${functionName}`,
    memoryLimitInMB: String(definition.memoryMb),
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: 'local',
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, Math.round(deadline - performance.now())),
    done: unused,
    fail: unused,
    succeed: unused,
  };
}

/**
 * Lambda gives one environment one request at a time; here they overlap. Powertools keeps their log
 * keys and metrics apart through this store when `AWS_LAMBDA_MAX_CONCURRENCY` is set.
 */
function runInInvokeStore<T>(requestId: string, work: () => T): T {
  const { awslambda } = globalThis as { awslambda?: { InvokeStore?: InvokeStore } };
  const store = awslambda?.InvokeStore;
  if (store === undefined) {
    return work();
  }
  return store.run({ [Symbol.for('_AWS_LAMBDA_REQUEST_ID')]: requestId }, work);
}

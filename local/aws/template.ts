/** What the local stack needs from `serverless.yml`: functions, routes, timeouts, schedules, streams. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import {
  type EventSourceMapping,
  readMappingResources,
  readStreamEvent,
} from './event-source/mapping.ts';
import { parseYaml, resolveFiles } from './yaml-files.ts';
import { parseSchedule, type Schedule } from './schedule-expression.ts';

/** The Serverless Framework's own defaults. */
const DEFAULT_TIMEOUT_SECONDS = 6;
const DEFAULT_MEMORY_MB = 1024;

export interface Route {
  /** `GET /orders/{outTradeNo}` or `$default`, as API Gateway names it. */
  readonly key: string;
  readonly functionName: string;
  /** Who may call it; absent: anybody. */
  readonly authorizer?: 'AWS_IAM';
}

export interface FunctionDefinition {
  readonly name: string;
  /** Which export of `functions/<name>.ts` is called. */
  readonly exportName: string;
  readonly timeoutMs: number;
  readonly memoryMb: number;
  readonly routes: readonly Route[];
  readonly schedules: readonly Schedule[];
}

export interface Template {
  readonly service: string;
  readonly functions: FunctionDefinition[];
  /** The functions on the table's stream. */
  readonly eventSources: readonly EventSourceMapping[];
}

type Node = Readonly<Record<string, unknown>>;

/** Reads the file; `${…}` where a number is expected counts as not given. */
export function readTemplate(file: string): Template {
  return parseTemplate(readFileSync(file, 'utf8'), path.dirname(file));
}

/**
 * Reads `serverless.yml` from its text; the files that it names are looked for in `directory`.
 *
 * @throws {Error} with the function's or the file's name when something is amiss.
 */
export function parseTemplate(text: string, directory = '.'): Template {
  const root = asNode(parseYaml(text, 'serverless.yml'));
  const provider = asNode(resolveFiles(root.provider, directory));
  // A list of several files, each with some of the functions, is one object to the framework.
  const functions = [resolveFiles(root.functions, directory)]
    .flat()
    .flatMap((part) => Object.entries(asNode(part)))
    .map(([name, definition]) => ({ name, definition: asNode(definition) }));
  const names = functions.map(({ name }) => name);
  return {
    service: readText(root.service, 'service'),
    functions: functions.map(({ name, definition }) => readFunction(name, definition, provider)),
    eventSources: [
      ...functions.flatMap(({ name, definition }) =>
        readEvents(definition).flatMap(({ stream }) => readStreamEvent(name, stream)),
      ),
      ...readMappingResources([resolveFiles(root.resources, directory)].flat(), names),
    ],
  };
}

const readEvents = ({ events }: Node): readonly Node[] =>
  Array.isArray(events) ? events.map(asNode) : [];

function readFunction(name: string, definition: Node, provider: Node): FunctionDefinition {
  const timeout = definition.timeout ?? provider.timeout;
  const memory = definition.memorySize ?? provider.memorySize;
  const events = readEvents(definition);
  return {
    name,
    exportName: readText(definition.handler, 'handler').replace(/^.*\./s, ''),
    timeoutMs: readNumber(timeout, DEFAULT_TIMEOUT_SECONDS) * 1000,
    memoryMb: readNumber(memory, DEFAULT_MEMORY_MB),
    routes: events.flatMap((event) => readRoute(name, event.httpApi)),
    schedules: events.flatMap((event) => readSchedules(name, event.schedule)),
  };
}

function readRoute(functionName: string, event: unknown): Route[] {
  if (event === undefined) {
    return [];
  }
  const text = typeof event === 'string' ? event : readMethodAndPath(asNode(event));
  const [method = '', path] = text.trim().split(/\s+/);
  if (path === undefined || path === '*') {
    return [{ key: '$default', functionName }];
  }
  const verb = method === '*' ? 'ANY' : method.toUpperCase();
  const key = `${verb} ${path.startsWith('/') ? path : `/${path}`}`;
  return [{ key, functionName, ...readAuthorizer(functionName, asNode(event).authorizer) }];
}

/** Of the framework's kinds this one is known here; another must not leave its route open. */
function readAuthorizer(functionName: string, authorizer: unknown): Pick<Route, 'authorizer'> {
  if (authorizer === undefined) {
    return {};
  }
  if (asNode(authorizer).type === 'aws_iam') {
    return { authorizer: 'AWS_IAM' };
  }
  throw new Error(
    `serverless.yml: ${functionName} has an authorizer not known here: ${JSON.stringify(authorizer)}`,
  );
}

function readSchedules(functionName: string, event: unknown): Schedule[] {
  if (event === undefined) {
    return [];
  }
  const rates = typeof event === 'string' ? [event] : [asNode(event).rate].flat();
  if (typeof event !== 'string' && asNode(event).enabled === false) {
    return [];
  }
  return rates.map((rate) => {
    const schedule = parseSchedule(readText(rate, ''));
    if (schedule !== undefined) {
      return schedule;
    }
    throw new Error(
      `serverless.yml: ${functionName} has a schedule not known here: ${String(rate)}`,
    );
  });
}

function readMethodAndPath({ method, path }: Node): string {
  return `${readText(method, '*')} ${readText(path, '')}`;
}

function readText(value: unknown, fallback: string): string {
  return typeof value === 'string' ? value : fallback;
}

function readNumber(value: unknown, fallback: number): number {
  return typeof value === 'number' && value > 0 ? value : fallback;
}

function asNode(value: unknown): Node {
  return typeof value === 'object' && value !== null ? (value as Node) : {};
}

/**
 * The whole system in one process: the real handlers, the simulator and the table's engine, under
 * one clock, one source of randomness and one timer queue, all of them from a seed.
 */
import type {
  APIGatewayProxyEventV2,
  APIGatewayProxyStructuredResultV2,
  Context,
} from 'aws-lambda';
import {
  type GetSecretValueCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-secrets-manager';
import { openClose } from '../../functions/close.ts';
import { openLogin } from '../../functions/login.ts';
import { openNotify } from '../../functions/notify.ts';
import { openPrepay } from '../../functions/prepay.ts';
import { openQuery } from '../../functions/query.ts';
import { openReconcile } from '../../functions/reconcile.ts';
import { openRefund } from '../../functions/refund.ts';
import type { Machine } from '../../lib/deployment.ts';
import type { FunctionLog } from '../../lib/runtime/log.ts';
import type { TableConnection } from '../../lib/table/client.ts';
import type { Host } from '../../lib/transport/host.ts';
import { WechatPayTransportError } from '../../lib/errors.ts';
import type { Credentials } from '../../simulator/book/credentials.ts';
import { type OpenSimulator, openSimulator } from '../../simulator/start.ts';
import type { OutgoingRequest, OutgoingResult } from '../../simulator/surroundings/surroundings.ts';
import { recordedFunction } from './api-event.ts';
import { type Hear, heardClient } from './heard-client.ts';
import { type SeededMachine, seededMachine } from './seeded-machine.ts';

const API_URL = 'http://shop.test';
const WECHAT_URL = 'http://wechat.test';
/** Who calls the routes of refunds, as API Gateway tells it. */
const MERCHANTS_CALLER = 'arn:aws:iam::123456789012:user/desk';
const SECRETS = { miniProgram: 'world/mini-program', merchant: 'world/merchant' };

/** What one part said to another, in the order it was said. */
export type Line = Readonly<Record<string, unknown>>;

export interface World {
  readonly machine: SeededMachine;
  readonly trace: Line[];
  /** A call to the shop's API, answered by the real handler. */
  readonly api: (
    method: string,
    path: string,
    body?: object,
    headers?: Record<string, string>,
  ) => Promise<Reply>;
  /** A call to the simulator's control API. */
  readonly control: (
    method: string,
    path: string,
    body?: object,
  ) => Promise<Record<string, unknown>>;
  reconcile(): Promise<unknown>;
  stop(): Promise<void>;
}

export interface Reply {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

export interface WorldOptions {
  readonly seed: string;
  readonly apiVersion: 'v2' | 'v3';
  readonly credentials: Credentials;
  readonly table: TableConnection;
  /** How long a request is on its way to WeChat; nothing is, unless said so. */
  readonly travelMs?: (path: string) => number;
  /** What the shop has otherwise than WeChat: fields of its secrets, and the time. */
  readonly shop?: {
    readonly merchant?: object;
    readonly miniProgram?: object;
    readonly clockOffMs?: number;
  };
  /** More of the functions' environment, such as what Lambda says at their start. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Hears what each function asks of AWS. */
  readonly onAwsCall?: (functionName: string, operation: string, input: object) => void;
}

type Handler = (
  event: APIGatewayProxyEventV2,
  context: Pick<Context, 'awsRequestId'>,
) => Promise<APIGatewayProxyStructuredResultV2>;

export async function openWorld({
  seed,
  apiVersion,
  credentials,
  table,
  travelMs = () => 0,
  shop: mistakes = {},
  environment = {},
  onAwsCall = () => undefined,
}: WorldOptions): Promise<World> {
  const trace: Line[] = [];
  const engine = takeTurns(table, trace);
  const machine = seededMachine(seed, { settle: engine.settle });
  const shop: { answer?: (request: OutgoingRequest) => Promise<OutgoingResult> } = {};
  const simulator = await openSimulator({
    ...credentials,
    seed,
    surroundings: {
      ...machine,
      createRsaKeyPair: () => Promise.reject(new Error('no key is made in this run')),
      openHttpClient: () => ({
        send: async (request) =>
          shop.answer?.(request) ?? { kind: 'unreachable', error: 'no shop' },
        close: () => undefined,
      }),
    },
  });
  const say = (line: Line) => trace.push({ atMs: machine.nowMs(), ...line });
  const readSecret = secretsOf(credentials, machine, mistakes);
  const ours: Machine = {
    ...machine,
    nowMs: () => machine.nowMs() + (mistakes.clockOffMs ?? 0),
    environment: { ...environmentOf(table.tableName, apiVersion), ...environment },
    openHost: () => {
      const host = hostOf(simulator, say);
      return async (...request) => {
        const delayMs = travelMs(request[0].path);
        if (delayMs > 0) {
          await new Promise<void>((resolve) => {
            machine.startTimer(delayMs, resolve);
          });
        }
        return host(...request);
      };
    },
    openSecretsClient: () => ({ send: readSecret as never }),
    openTableClient: () => engine.client,
    openTemporaryFiles: () => Promise.reject(new Error('no file is made in this run')),
    openLog: (name) => logTo(name, say),
  };
  const hears =
    (name: string): Hear =>
    (operation, input) =>
      onAwsCall(name, operation, input);
  /** The machine that one function runs on. */
  const of = (name: string): Machine => ({
    ...ours,
    openSecretsClient: () => heardClient(ours.openSecretsClient(), hears(name)),
    openTableClient: () => heardClient(ours.openTableClient(), hears(name)),
  });
  const close = await openClose(of('close'));
  const handlers: Readonly<Record<string, Handler>> = {
    login: await openLogin(of('login')),
    prepay: await openPrepay(of('prepay')),
    orders: await openQuery(of('query')),
    notify: await openNotify(of('notify')),
  };
  const refund = await openRefund(of('refund'));
  const runReconcile = await openReconcile(of('reconcile'));

  async function call(method: string, path: string, headers: Record<string, string>, body: string) {
    const [, name = '', outTradeNo, action = '', outRefundNo] = path.split('/');
    const handler = { close, refunds: refund }[action] ?? handlers[name];
    if (!handler) {
      throw new Error(`the shop has no ${path}`);
    }
    const requestId = machine.randomBytes(8).toString('hex');
    const event = {
      version: '2.0',
      rawPath: path,
      rawQueryString: '',
      headers,
      ...(action === 'refunds' && {
        routeKey: `${method} /orders/{outTradeNo}/refunds${outRefundNo ? '/{outRefundNo}' : ''}`,
      }),
      requestContext: {
        requestId,
        http: { method, path, sourceIp: '203.0.113.7' },
        ...(action === 'refunds' && { authorizer: { iam: { userArn: MERCHANTS_CALLER } } }),
      },
      isBase64Encoded: false,
      ...(name === 'orders' && { pathParameters: { outTradeNo, outRefundNo } }),
      body,
    } as unknown as APIGatewayProxyEventV2;
    const answer = await handler(event, { awsRequestId: requestId });
    say({ to: 'shop', method, path, headers, body, answer });
    return answer;
  }

  shop.answer = async ({ url, method, headers, body }) => {
    const lowerCase = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
    const path = new URL(url).pathname;
    const answer = await call(method, path, Object.fromEntries(lowerCase), body.toString('utf8'));
    return {
      kind: 'answered',
      status: answer.statusCode ?? 200,
      headers: answer.headers as Record<string, string>,
      body: Buffer.from(answer.body ?? ''),
    };
  };

  return {
    machine,
    trace,
    api: async (method, path, body, headers = {}) => {
      const answer = await call(
        method,
        path,
        headers,
        body === undefined ? '' : JSON.stringify(body),
      );
      return { status: answer.statusCode ?? 0, body: JSON.parse(answer.body ?? '{}') };
    },
    control: async (method, path, body) => {
      const reply = await simulator.handle({
        method,
        url: `/_simulator${path}`,
        headers: { host: '127.0.0.1' },
        body: Buffer.from(body === undefined ? '' : JSON.stringify(body)),
      });
      say({ control: path, body, reply });
      return typeof reply === 'string' ? {} : JSON.parse(reply.body || '{}');
    },
    reconcile: () =>
      runReconcile({}, { awsRequestId: 'reconcile', getRemainingTimeInMillis: () => 60_000 }),
    async stop() {
      await simulator.stop();
    },
  };
}

const environmentOf = (tableName: string, apiVersion: 'v2' | 'v3') => ({
  STAGE: 'local',
  TABLE_NAME: tableName,
  // The same numbers in every table.
  ORDER_NUMBER_SCOPE: 'world',
  MINI_PROGRAM_SECRET_ID: SECRETS.miniProgram,
  MERCHANT_SECRET_ID: SECRETS.merchant,
  PUBLIC_BASE_URL: API_URL,
  WECHAT_PAY_BASE_URLS: WECHAT_URL,
  WEIXIN_BASE_URLS: WECHAT_URL,
  WECHAT_PAY_API_VERSION: apiVersion,
});

/** WeChat's host: the simulator, asked without a socket. */
function hostOf(simulator: OpenSimulator, say: (line: Line) => void): Host {
  return async ({ method, path, body, contentType, headers }) => {
    const reply = await simulator.handle({
      method,
      url: path,
      headers: {
        accept: '*/*',
        'user-agent': 'wechatpay-serverless',
        ...(contentType !== undefined && { 'content-type': contentType }),
        ...headers,
      },
      body: Buffer.from(body ?? ''),
    });
    say({ to: 'wechat', method, path, headers, body, reply });
    if (typeof reply === 'string') {
      throw new WechatPayTransportError('unknown', reply);
    }
    const lowerCase = Object.entries(reply.headers).map(([name, text]) => [
      name.toLowerCase(),
      text,
    ]);
    return {
      statusCode: reply.status,
      headers: Object.fromEntries(lowerCase),
      body: reply.bytes ?? Buffer.from(reply.body),
    };
  };
}

function secretsOf(
  { merchant }: Credentials,
  machine: SeededMachine,
  mistakes: NonNullable<WorldOptions['shop']>,
) {
  const key = () => machine.randomBytes(24).toString('base64url');
  const { appid, appSecret, ...rest } = merchant;
  const { platformSerialNo: _serial, platformCertificate: _certificate, ...keys } = rest;
  const values: Readonly<Record<string, object>> = {
    [SECRETS.miniProgram]: {
      appid,
      appSecret,
      sessionKey: key(),
      quoteKey: key(),
      ...mistakes.miniProgram,
    },
    [SECRETS.merchant]: { ...keys, ...mistakes.merchant },
  };
  return async ({ input }: GetSecretValueCommand) => {
    const value = input.VersionStage === 'AWSPREVIOUS' ? undefined : values[input.SecretId ?? ''];
    if (!value) {
      throw new ResourceNotFoundException({ message: 'no such version', $metadata: {} });
    }
    return Promise.resolve({ SecretString: JSON.stringify(value) });
  };
}

function logTo(name: string, say: (line: Line) => void): FunctionLog {
  const { log } = recordedFunction();
  return {
    forRequest: (requestId) => ({
      ...log,
      info: (message, fields) => say({ log: name, requestId, message, fields }),
      warn: (message, fields) => say({ log: name, requestId, message, fields }),
      error: (message, fields) => say({ log: name, requestId, message, fields }),
      count: (metric, count = 1) => say({ metric, count, requestId }),
    }),
    flush: () => undefined,
  };
}

interface Command {
  readonly input: object;
  readonly constructor: { readonly name: string };
}

const oneTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/**
 * The engine is a process of its own, whose answers come when they come: so it is asked one call at
 * a time, in the order in which they were made, and what an answer sets off goes before the next.
 */
function takeTurns({ client }: TableConnection, trace: Line[]) {
  let underWay = 0;
  let last: Promise<unknown> = Promise.resolve();
  const send = client.send.bind(client) as (command: Command) => Promise<object>;
  const ask = async (command: Command, turn: Promise<unknown>) => {
    await turn;
    await oneTurn();
    trace.push({ to: 'table', call: command.constructor.name, input: command.input });
    return send(command);
  };
  const inTurn = {
    async send(command: Command) {
      underWay += 1;
      const answer = ask(command, last);
      last = answer.catch(() => undefined);
      try {
        return await answer;
      } finally {
        underWay -= 1;
      }
    },
  };
  return {
    client: inTurn as unknown as TableConnection['client'],
    /** Resolves when nothing goes on any more without time. */
    settle: async () => {
      for (let quietTurns = 0; quietTurns < 3; quietTurns += 1) {
        await oneTurn();
        quietTurns = underWay > 0 ? 0 : quietTurns;
      }
    },
  };
}

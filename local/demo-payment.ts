/** One payment, over HTTP only, as a mini-program and a phone would make it. */
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { curl } from './shell.ts';

const REQUEST_TIMEOUT_MS = 35_000;
const NOTIFICATION_TIMEOUT_MS = 8000;

export interface DemoTarget {
  readonly apiUrl: string;
  readonly simulatorUrl: string;
  readonly appid: string;
  /** Of a stack that goes on running: where its functions.log is. */
  readonly dataDir?: string;
}

type Json = Readonly<Record<string, unknown>>;
type Print = (line: string) => void;

/** Throws with the step that failed, what was answered and what to do about it. */
export async function payOnce(target: DemoTarget, print: Print): Promise<void> {
  const step = createSteps(target, print);
  const { apiUrl, simulatorUrl } = target;

  const login = await step('wx.login() on the phone gives a one-time code', () =>
    post(`${simulatorUrl}/_simulator/login`, { user: 'alice' }),
  );
  print(`     code         ${shorten(login.code)}`);

  const session = await step('POST /login exchanges it for a session token', () =>
    post(`${apiUrl}/login`, { code: login.code }),
  );
  print(`     token        ${shorten(session.token)} (${text(session.expiresIn)} s)`);
  const authorization = `Bearer ${text(session.token)}`;

  const order = await step('POST /prepay makes the order and places it at WeChat', () =>
    post(
      `${apiUrl}/prepay`,
      { items: [{ sku: 'latte', quantity: 1 }] },
      { authorization, 'idempotency-key': randomUUID() },
    ),
  );
  const outTradeNo = text(order.outTradeNo);
  const requestPayment = order.requestPayment as Json;
  print(`     order        ${outTradeNo}  ${text(order.description)}`);
  print(
    `     amount       ${text(order.totalFen)} fen = ¥${(Number(order.totalFen) / 100).toFixed(2)}`,
  );
  print(`     package      ${shorten(requestPayment.package)}`);
  print(`     paySign      ${shorten(requestPayment.paySign)} (${text(requestPayment.signType)})`);

  const paid = await step('wx.requestPayment() on the phone checks the signature and pays', () =>
    post(`${simulatorUrl}/_simulator/request-payment`, {
      user: 'alice',
      appId: target.appid,
      ...requestPayment,
    }),
  );
  print(`     errMsg       ${text(paid.errMsg)}`);
  if (paid.errMsg !== 'requestPayment:ok') {
    throw new Error(`the phone did not pay: ${text(paid.errMsg)}`);
  }

  const notified = await step('WeChat notifies the API, which verifies and records it', () =>
    waitForNotification(target, outTradeNo),
  );
  print(`     to           ${notificationPath(notified)}`);
  print('     answered     received: WeChat will not repeat it');

  const final = await step('GET /orders/{outTradeNo} tells the mini-program', () =>
    call('GET', `${apiUrl}/orders/${outTradeNo}`, undefined, { authorization }),
  );
  print(`     tradeState   ${text(final.tradeState)}`);
  print(`     transaction  ${text(final.transactionId)}  paid at ${text(final.paidAt)}`);
  if (final.tradeState !== 'SUCCESS') {
    throw new Error(`the order is ${text(final.tradeState)} instead of SUCCESS`);
  }
  print('\npaid');
}

function notificationPath(order: Json): string {
  const [first] = order.notifications as { notifyUrl: string }[];
  return first === undefined ? '' : `POST ${new URL(first.notifyUrl).pathname}`;
}

function createSteps(target: DemoTarget, print: Print) {
  let number = 0;
  return async (title: string, work: () => Promise<Json>): Promise<Json> => {
    number += 1;
    const startedAt = performance.now();
    try {
      const result = await work();
      print(`  ${number}. ${title} (${Math.round(performance.now() - startedAt)} ms)`);
      return result;
    } catch (error) {
      const advice = error instanceof Unavailable ? await advise(target) : [];
      const text = [`step ${number} failed (${title})`, ...advice].join('\n  ');
      throw new Error(text, { cause: error });
    }
  };
}

/** Something on the way did not work: a notification nobody acknowledged, a 502, a 503. */
class Unavailable extends Error {}

interface Attempt {
  readonly attempt: number;
  readonly outcome: string;
  readonly fault?: string;
}

async function waitForNotification(
  { apiUrl, simulatorUrl }: DemoTarget,
  outTradeNo: string,
): Promise<Json> {
  const deadline = performance.now() + NOTIFICATION_TIMEOUT_MS;
  let attempts: Attempt[] = [];
  do {
    const order = await call('GET', `${simulatorUrl}/_simulator/orders/${outTradeNo}`);
    attempts = (order.notifications as { attempts: Attempt[] }[]).flatMap((one) => one.attempts);
    if (attempts.some(({ outcome }) => outcome === 'acknowledged')) {
      return order;
    }
    await delay(50);
  } while (performance.now() < deadline);
  throw new Unavailable(
    `WeChat got no acknowledgement within ${NOTIFICATION_TIMEOUT_MS / 1000} s. ` +
      `Its attempts: ${attempts.map(describeAttempt).join('; ') || 'none so far'}. ` +
      'The payment is not lost: WeChat tries again, and reconcile asks for it every minute ' +
      `(now: ${curl()} -X POST ${apiUrl}/_local/invoke/reconcile)`,
  );
}

/** `1 lost (fault lost)` */
function describeAttempt({ attempt, outcome, fault }: Attempt): string {
  return `${attempt} ${outcome}${fault === undefined ? '' : ` (fault ${fault})`}`;
}

/** Where to look, which faults somebody switched on, and how to end them. */
async function advise({ simulatorUrl, dataDir }: DemoTarget): Promise<string[]> {
  const url = `${simulatorUrl}/_simulator/faults`;
  const { faults } = await call('GET', url);
  const names = (faults as { point: string; kind: string }[]).map(
    ({ point, kind }) => `${point}/${kind}`,
  );
  const log = dataDir === undefined ? undefined : path.join(dataDir, 'functions.log');
  return [
    ...(log === undefined ? [] : [`the functions' own lines: ${log}`]),
    ...(names.length === 0
      ? []
      : [`faults are active: ${names.join(', ')}; switch them off: ${curl()} -X DELETE ${url}`]),
  ];
}

function post(url: string, body: Json, headers: Record<string, string> = {}): Promise<Json> {
  return call('POST', url, body, headers);
}

async function call(
  method: string,
  url: string,
  body?: Json,
  headers: Record<string, string> = {},
): Promise<Json> {
  const answer = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const content = await answer.text();
  if (!answer.ok) {
    const Failure = answer.status === 502 || answer.status === 503 ? Unavailable : Error;
    throw new Failure(`${method} ${url} answered ${answer.status}: ${content}`);
  }
  return JSON.parse(content) as Json;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}

function shorten(value: unknown): string {
  const whole = text(value);
  return whole.length <= 36 ? whole : `${whole.slice(0, 24)}…${whole.slice(-8)}`;
}

/** One payment, over HTTP only, as a mini-program and a phone would make it. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

const REQUEST_TIMEOUT_MS = 35_000;
const NOTIFICATION_TIMEOUT_MS = 20_000;

export type DemoTarget = {
  readonly apiUrl: string;
  readonly simulatorUrl: string;
  readonly appid: string;
};

type Json = Readonly<Record<string, unknown>>;
type Print = (line: string) => void;

/** Throws with the step that failed, what was answered and what to do about it. */
export async function payOnce(target: DemoTarget, print: Print): Promise<void> {
  const step = createSteps(print);
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
    waitForNotification(`${simulatorUrl}/_simulator/orders/${outTradeNo}`),
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

function createSteps(print: Print) {
  let number = 0;
  return async (title: string, work: () => Promise<Json>): Promise<Json> => {
    number += 1;
    const startedAt = performance.now();
    try {
      const result = await work();
      print(`  ${number}. ${title} (${Math.round(performance.now() - startedAt)} ms)`);
      return result;
    } catch (error) {
      throw new Error(`step ${number} failed (${title})`, { cause: error });
    }
  };
}

async function waitForNotification(orderUrl: string): Promise<Json> {
  const deadline = performance.now() + NOTIFICATION_TIMEOUT_MS;
  while (performance.now() < deadline) {
    const order = await call('GET', orderUrl);
    if (JSON.stringify(order).includes('acknowledged')) return order;
    await delay(50);
  }
  throw new Error('WeChat got no acknowledgement; see functions.log and the stack in its terminal');
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
  if (!answer.ok) throw new Error(`${method} ${url} answered ${answer.status}: ${content}`);
  return JSON.parse(content) as Json;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}

function shorten(value: unknown): string {
  const whole = text(value);
  return whole.length <= 36 ? whole : `${whole.slice(0, 24)}…${whole.slice(-8)}`;
}

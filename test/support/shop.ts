/** A buyer and a phone that speak to a running stack over HTTP only, as a mini-program would. */
import { randomUUID } from 'node:crypto';

export interface ShopAddresses {
  readonly apiUrl: string;
  readonly simulatorUrl: string;
}

export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

export interface Prepaid {
  readonly outTradeNo: string;
  readonly totalFen: number;
  readonly description: string;
  readonly expiresAt: string;
  readonly requestPayment: Record<string, string>;
}

export interface OrderView {
  readonly outTradeNo: string;
  readonly tradeState: string;
  readonly totalFen: number;
  readonly paidAt?: string;
  readonly transactionId?: string;
}

export interface Failure {
  readonly error: { readonly code: string; readonly message: string; readonly totalFen?: number };
  readonly requestId: string;
}

/** Sends JSON and reads JSON; never throws for a status. */
export async function call<T>(
  url: string,
  method: 'GET' | 'POST' | 'DELETE' = 'GET',
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer<T>> {
  const response = await fetch(url, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: (text === '' ? undefined : JSON.parse(text)) as T,
  };
}

/** A logged-in buyer. */
export async function logIn({ apiUrl, simulatorUrl }: ShopAddresses, user: string) {
  const phone = await call<{ code: string }>(`${simulatorUrl}/_simulator/login`, 'POST', { user });
  const login = await call<{ token: string; expiresIn: number }>(`${apiUrl}/login`, 'POST', {
    code: phone.body.code,
  });
  if (login.status !== 200) {
    throw new Error(`login answered ${login.status}`);
  }
  const authorization = { authorization: `Bearer ${login.body.token}` };
  return {
    user,
    token: login.body.token,
    prepay: <T = Prepaid>(body: unknown, key: string = randomUUID()) =>
      call<T>(`${apiUrl}/prepay`, 'POST', body, { ...authorization, 'idempotency-key': key }),
    order: <T = OrderView>(outTradeNo: string) =>
      call<T>(`${apiUrl}/orders/${outTradeNo}`, 'GET', undefined, authorization),
    /** What the phone does with `wx.requestPayment`. */
    pay: (requestPayment: Record<string, string>, more: Record<string, unknown> = {}) =>
      call<{ errMsg: string }>(`${simulatorUrl}/_simulator/request-payment`, 'POST', {
        user,
        ...requestPayment,
        ...more,
      }),
  };
}

export type Buyer = Awaited<ReturnType<typeof logIn>>;

/** Waits until a condition holds; fails with what was seen last. */
export async function eventually<T>(
  look: () => Promise<T>,
  holds: (seen: T) => boolean,
  timeoutMs = 10_000,
): Promise<T> {
  // Not `Date`: the stack moves that clock.
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const seen = await look();
    if (holds(seen)) {
      return seen;
    }
    if (performance.now() > deadline) {
      throw new Error(`still ${JSON.stringify(seen)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A phone whose network, payment sheet, storage and clock do what a test says. */
import { createPay } from '../../miniprogram/pay/pay.js';
import type { Order, Pay, PayOptions } from '../../miniprogram/pay/pay.js';

const BASE_URL = 'https://pay.example.com';

export const LATTE = { items: [{ sku: 'latte', quantity: 1 }], expectedTotalFen: 2800 };

export const UNPAID: Order = {
  outTradeNo: '0a1b2c3d4e5f60718293a4b5c6d7e8f9',
  tradeState: 'NOTPAY',
  totalFen: 2800,
  description: '拿铁 Latte',
  createdAt: '2026-03-01T02:00:00Z',
  expiresAt: '2026-03-01T02:30:00Z',
};
export const { outTradeNo: OUT_TRADE_NO } = UNPAID;

export const PAID: Order = {
  ...UNPAID,
  tradeState: 'SUCCESS',
  paidAt: '2026-03-01T02:00:09Z',
  transactionId: '4200002026030100000000000001',
};

export const CLOSED: Order = { ...UNPAID, tradeState: 'CLOSED' };

/** Given up, and not closed by WeChat yet. */
export const CLOSING: Order = { ...UNPAID, closing: true };

export const PREPAID = {
  outTradeNo: OUT_TRADE_NO,
  totalFen: 2800,
  description: '拿铁 Latte',
  expiresAt: UNPAID.expiresAt,
  requestPayment: {
    timeStamp: '1772330400',
    nonceStr: '5K8264ILTKCH16CQ2502SI8ZNMTM67VS',
    package: 'prepay_id=wx01100000000000000000000000000000',
    signType: 'HMAC-SHA256',
    paySign: '6A7B8C9D',
  },
};

type Route = 'wx.login' | '/login' | '/prepay' | '/orders' | '/close';

/** What the network brings back. */
export type Answer = { statusCode: number; data: unknown } | { errMsg: string };

/** No answer while this app lives. */
export const NEVER = 'never';

export const LOST: Answer = { errMsg: 'request:fail timeout' };

export const ok = (data: object, statusCode = 200): Answer => ({ statusCode, data });

/** An error as the API words it. */
export const refused = (statusCode: number, code: string, more: object = {}): Answer => ({
  statusCode,
  data: { error: { code, message: `text of ${code}`, ...more }, requestId: 'request-1' },
});

export interface SentRequest {
  readonly method: string;
  readonly path: string;
  readonly data: unknown;
  readonly header: Readonly<Record<string, string>>;
}

interface RequestArguments {
  readonly url: string;
  readonly method: string;
  readonly data: unknown;
  readonly header: Record<string, string>;
  readonly success: (answer: object) => void;
  readonly fail: (answer: object) => void;
}

type SheetArguments = Pick<RequestArguments, 'success' | 'fail'> & Record<string, unknown>;

export interface Phone {
  readonly pay: Pay;
  /** Ends the app and starts it again: only what is in storage is left. */
  restart(changes?: Partial<PayOptions>): Pay;
  /** Answers of a route, one after the other; the last one repeats; undefined: the good one. */
  answer(route: Route, ...answers: readonly (Answer | typeof NEVER | undefined)[]): void;
  /** What the payment sheet reports, one after the other; nothing: it never does. */
  sheet(...errMsgs: readonly (string | undefined)[]): void;
  readonly requests: readonly SentRequest[];
  sentTo(path: string): readonly SentRequest[];
  /** What each call of `wx.requestPayment` got, without the callbacks. */
  readonly sheets: readonly Record<string, unknown>[];
  readonly waits: readonly number[];
  readonly storage: Map<string, string>;
  breakStorage(): void;
  advance(ms: number): void;
}

/** A phone on which everything goes well unless the test says otherwise. */
export function createPhone(
  options: Partial<PayOptions> = {},
  open: typeof createPay = createPay,
): Phone {
  let nowMs = Date.parse('2026-03-01T02:00:00Z');
  let storageWorks = true;
  let logins = 0;
  const storage = new Map<string, string>();
  const requests: SentRequest[] = [];
  const sheets: Record<string, unknown>[] = [];
  const sheetResults: (string | undefined)[] = ['requestPayment:ok'];
  const waits: number[] = [];
  const answers: Record<Route, (Answer | typeof NEVER | undefined)[]> = {
    'wx.login': [],
    '/login': [],
    '/prepay': [],
    '/orders': [],
    '/close': [],
  };
  const good = (route: Route): Answer => {
    if (route === '/prepay') {
      return ok(PREPAID);
    }
    if (route === '/orders') {
      return ok(PAID);
    }
    if (route === '/close') {
      return ok(CLOSED);
    }
    return ok({ token: `token-${logins}`, expiresIn: 7200 });
  };
  const next = <T>(queue: T[]): T | undefined => (queue.length > 1 ? queue.shift() : queue[0]);

  const wx = {
    login({ success, fail }: Pick<RequestArguments, 'success' | 'fail'>) {
      const answer = next(answers['wx.login']);
      if (answer === NEVER) {
        return;
      }
      logins += 1;
      const code = `code-${logins}`;
      setImmediate(() => (answer ? fail(answer) : success({ code, errMsg: 'login:ok' })));
    },
    request({ url, method, data, header, success, fail }: RequestArguments) {
      const path = url.slice(BASE_URL.length);
      requests.push({ method, path, data: structuredClone(data), header });
      const [, order, , action] = /^(\/orders)\/([^/]+)(\/close)?$/.exec(path) ?? [];
      const route = (action ?? order ?? path) as Route;
      const answer = next(answers[route] ?? []) ?? good(route);
      if (answer === NEVER) {
        return;
      }
      setImmediate(() => ('errMsg' in answer ? fail(answer) : success(answer)));
    },
    requestPayment({ success, fail, ...parameters }: SheetArguments) {
      sheets.push(parameters);
      const errMsg = next(sheetResults);
      if (errMsg === undefined) {
        return;
      }
      setImmediate(() => (errMsg.endsWith(':ok') ? success({ errMsg }) : fail({ errMsg })));
    },
    getStorageSync(name: string): unknown {
      if (!storageWorks) {
        throw new Error('getStorageSync:fail');
      }
      const text = storage.get(name);
      return text === undefined ? '' : JSON.parse(text);
    },
    setStorageSync(name: string, value: unknown) {
      if (!storageWorks) {
        throw new Error('setStorageSync:fail exceed storage max size');
      }
      storage.set(name, JSON.stringify(value));
    },
  };

  const start = (changes?: Partial<PayOptions>) =>
    open({
      baseUrl: BASE_URL,
      wx,
      now: () => nowMs,
      wait: async (ms) => {
        waits.push(ms);
        nowMs += ms;
      },
      ...options,
      ...changes,
    });

  return {
    pay: start(),
    restart: start,
    answer: (route, ...list) => answers[route].splice(0, Infinity, ...list),
    sheet: (...list) => sheetResults.splice(0, Infinity, ...list),
    requests,
    sentTo: (path) => requests.filter((request) => request.path.startsWith(path)),
    sheets,
    waits,
    storage,
    breakStorage: () => {
      storageWorks = false;
    },
    advance: (ms) => {
      nowMs += ms;
    },
  };
}

/** Lets everything happen that needs no more time. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 30; turn += 1) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

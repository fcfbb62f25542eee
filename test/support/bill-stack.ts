/** A running stack whose clock goes from a day of sales to the morning on which its bill is there. */
import type { BillAnswer } from '../../lib/daily-bill/answer.ts';
import { type Buyer, call, eventually, logIn, type ShopAddresses } from './shop.ts';

const HOUR = 3_600;
const DAY = 24 * HOUR;

export const LATTE_FEN = 2_800;

/** A day in Beijing, so many days after another. */
const dayAfter = (day: string, days = 1) =>
  new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY * 1_000).toISOString().slice(0, 10);

export interface StoredOrder {
  readonly row: Readonly<Record<string, unknown>>;
  readonly refunds: readonly Readonly<Record<string, unknown>>[];
}

export function openBillStack(stack: ShopAddresses) {
  const control = async <T = Record<string, unknown>>(path: string, body?: object): Promise<T> => {
    const method = body === undefined ? 'GET' : 'POST';
    const answer = await call<T>(`${stack.simulatorUrl}/_simulator/${path}`, method, body);
    if (answer.status !== 200) {
      throw new Error(`${path} answered ${answer.status} ${JSON.stringify(answer.body)}`);
    }
    return answer.body;
  };
  const nowSeconds = async () =>
    Math.floor(Date.parse((await control<{ now: string }>('clock')).now) / 1_000);
  const today = async () =>
    new Date(((await nowSeconds()) + 8 * HOUR) * 1_000).toISOString().slice(0, 10);
  const invoke = async <T>(name: string, event: object): Promise<T> => {
    const answer = await call<T>(`${stack.apiUrl}/_local/invoke/${name}`, 'POST', event);
    if (answer.status !== 200) {
      throw new Error(`${name} answered ${answer.status} ${JSON.stringify(answer.body)}`);
    }
    return answer.body;
  };
  /** Moves the clock on, to so many hours after a day's beginning in Beijing. */
  const advanceTo = async (day: string, hours: number) => {
    const at = Date.parse(`${day}T00:00:00+08:00`) / 1_000 + hours * HOUR;
    const advanceSeconds = Math.max(0, Math.ceil(at - (await nowSeconds())));
    await call(`${stack.apiUrl}/_local/clock`, 'POST', { advanceSeconds });
  };
  const stored = async (outTradeNo: string) => {
    const answer = await call<StoredOrder>(`${stack.apiUrl}/_local/orders/${outTradeNo}`);
    if (answer.status !== 200) {
      throw new Error(`${outTradeNo} answered ${answer.status} ${JSON.stringify(answer.body)}`);
    }
    return answer.body;
  };
  return {
    control,
    invoke,
    stored,
    advanceTo,
    /** Noon of tomorrow, so that nothing of a test happens near midnight; answers which day that is. */
    async beginDay(): Promise<string> {
      const day = dayAfter(await today());
      await advanceTo(day, 12);
      return day;
    },
    /** 11:00 of the day after: every bill of the day is there. */
    endDay: (day: string) => advanceTo(day, 24 + 11),
    bill: (date: string, more: object = {}) => invoke<BillAnswer>('bill', { date, ...more }),
    plant: (date: string, alter: readonly object[], more: object = {}) =>
      control('bill', { date, alter, ...more }),
    forgetFaults: () => call(`${stack.simulatorUrl}/_simulator/faults`, 'DELETE'),
    login: (user: string) => logIn(stack, user),
    /** An order of one latte, paid at WeChat; answers its number. */
    async pay(buyer: Buyer): Promise<string> {
      const { body } = await buyer.prepay({ items: [{ sku: 'latte', quantity: 1 }] });
      const { errMsg } = (await buyer.pay(body.requestPayment)).body;
      if (errMsg !== 'requestPayment:ok') {
        throw new Error(errMsg);
      }
      return body.outTradeNo;
    },
    /** Waits until the table knows that an order is paid. */
    known: (outTradeNo: string) =>
      eventually(
        async () => (await stored(outTradeNo)).row['tradeState'],
        (state) => state === 'SUCCESS',
      ),
  };
}

export type BillStack = ReturnType<typeof openBillStack>;

/** Differences or repairs as short lines, in order. */
export const linesOf = (
  list: readonly { kind: string; outTradeNo: string; outRefundNo?: string | undefined }[],
) =>
  list
    .map(({ kind, outTradeNo, outRefundNo }) =>
      [kind, outTradeNo, outRefundNo ?? ''].join(' ').trim(),
    )
    .toSorted();

export { dayAfter };

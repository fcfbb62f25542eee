/** The merchant's own system: asks a running stack for refunds, signed as the route demands. */
import { wallClockMs } from '../../local/record/wall-clock.ts';
import type { Answer, Failure } from './shop.ts';
import { signHeaders } from './sigv4-client.ts';

export interface RefundAnswer {
  readonly outRefundNo: string;
  readonly refundFen: number;
  readonly status: string;
}

export interface RefundCaller {
  readonly ask: (
    outTradeNo: string,
    wish: { readonly refundFen?: number },
    key: string,
  ) => Promise<Answer<RefundAnswer & Failure>>;
  readonly list: (
    outTradeNo: string,
  ) => Promise<
    Answer<{ readonly refunds: readonly RefundAnswer[]; readonly refundableFen: number }>
  >;
}

export function openRefundCaller(apiUrl: string): RefundCaller {
  async function signed<T>(
    method: 'GET' | 'POST',
    outTradeNo: string,
    content?: object,
    key?: string,
  ): Promise<Answer<T>> {
    const url = `${apiUrl}/orders/${outTradeNo}/refunds`;
    const body = content && JSON.stringify(content);
    const named = key === undefined ? {} : { 'idempotency-key': key };
    const headers = await signHeaders(url, method, body, {
      headers: named,
      // A stack in this process has moved `Date`; signatures are judged by the machine's own clock.
      date: new Date(wallClockMs()),
    });
    const answer = await fetch(url, { method, headers, ...(body && { body }) });
    return {
      status: answer.status,
      headers: answer.headers,
      body: (await answer.json()) as T,
    };
  }
  return {
    ask: (outTradeNo, wish, key) => signed('POST', outTradeNo, wish, key),
    list: (outTradeNo) => signed('GET', outTradeNo),
  };
}

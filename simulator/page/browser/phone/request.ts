/** `wx.request`. Every address of this machine is the API of the local stack, whatever its port. */
import type { Outcome } from './async-api.ts';
import type { Phone, WxOptions } from './globals.ts';

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);
const DEFAULT_TIMEOUT_MS = 60_000;

export async function sendRequest(phone: Phone, options: WxOptions): Promise<Outcome> {
  const { url, method = 'GET', header, data, timeout = DEFAULT_TIMEOUT_MS } = options;
  const target = new URL(String(url));
  if (!LOOPBACK.has(target.hostname)) {
    return { fail: `url not in domain list: ${target.host}` };
  }
  if (!phone.isOnline()) {
    return { fail: 'errcode:-106 cronet_error_code:-106 error_msg:net::ERR_INTERNET_DISCONNECTED' };
  }
  const { body, query } = placeData(String(method), data);
  try {
    const answer = await fetch(`/_page/api${target.pathname}${target.search || query}`, {
      method: String(method),
      headers: { 'content-type': 'application/json', ...(header as Record<string, string>) },
      signal: AbortSignal.timeout(Number(timeout)),
      ...(body === undefined ? {} : { body }),
    });
    const text = await answer.text();
    // The answer came, but the phone has lost the network meanwhile.
    if (!phone.isOnline()) {
      return { fail: 'net::ERR_NETWORK_CHANGED' };
    }
    return {
      ok: {
        statusCode: answer.status,
        header: Object.fromEntries(answer.headers),
        data: parse(text),
      },
    };
  } catch (error) {
    const timedOut = error instanceof DOMException && error.name === 'TimeoutError';
    return { fail: timedOut ? 'timeout' : 'net::ERR_CONNECTION_FAILED' };
  }
}

function placeData(method: string, data: unknown): { body?: string; query: string } {
  if (data === undefined || data === null) {
    return { query: '' };
  }
  if (method === 'GET') {
    const query = new URLSearchParams(data as Record<string, string>).toString();
    return { query: query && `?${query}` };
  }
  return { body: typeof data === 'string' ? data : JSON.stringify(data), query: '' };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

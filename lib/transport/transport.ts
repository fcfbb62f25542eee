/** HTTP to WeChat: kept-alive connections, one time budget, fail-over to the backup host. */
import { WechatPayTransportError } from '../errors.ts';
import type { ClientCertificate } from './client-certificate.ts';
import {
  BrokenConnectionError,
  type Host,
  type HostRequest,
  type OpenHost,
  type OtherAttempts,
  type WechatResponse,
} from './host.ts';

export type { WechatResponse } from './host.ts';

/** How a request is sent. */
export interface Sending {
  /** Budget of the whole call, fail-over included. */
  readonly timeoutMs: number;
  /**
   * Whether the request may be repeated once it may have reached WeChat. Orders carry their own
   * number and may; a login code is burnt by the first use and may not: such a request goes out on
   * a connection of its own, and to a further host only if the one before could not be connected to.
   */
  readonly repeatable: boolean;
}

export interface WechatRequest extends HostRequest, Sending {}

/**
 * Sends one request. An answer that comes from the way to WeChat and not from WeChat (5xx without
 * a signature) makes a repeatable request go to the next host; if none does better, it is the answer.
 *
 * @throws {WechatPayTransportError} `not-sent` when no host could be connected to, else `unknown`.
 */
export type Transport = (request: WechatRequest) => Promise<WechatResponse>;

/** With less time than this, a host could take the request but not answer it. */
const MIN_ATTEMPT_MS = 100;
/**
 * How long a host that failed goes to the end of the line. A login may not be sent twice, so it
 * finds the backup only because an earlier failure is remembered.
 */
const AVOID_HOST_MS = 30_000;

/** What a transport has from outside. */
export interface TransportMachine {
  readonly openHost: OpenHost;
  readonly monotonicMs: () => number;
}

/**
 * A transport over several hosts of the same service, the primary first. State that outlives a
 * call: open connections, and which host was down.
 *
 * @param clientCertificate is shown on each of its connections, which no other transport shares.
 */
export function createTransport(
  baseUrls: readonly string[],
  { openHost, monotonicMs }: TransportMachine,
  clientCertificate?: ClientCertificate,
): Transport {
  const hosts = baseUrls.map((baseUrl) => openHost(baseUrl, clientCertificate));
  const failedAtMs = new Map<Host, number>();

  const isAvoided = (host: Host) =>
    monotonicMs() - (failedAtMs.get(host) ?? Number.NEGATIVE_INFINITY) < AVOID_HOST_MS;

  return async (request) => {
    const deadlineMs = monotonicMs() + request.timeoutMs;
    const inOrder = hosts.toSorted((a, b) => Number(isAvoided(a)) - Number(isAvoided(b)));
    const results: Result[] = [];
    for (const [index, host] of inOrder.entries()) {
      const leftMs = deadlineMs - monotonicMs();
      if (index > 0 && leftMs < MIN_ATTEMPT_MS) {
        break;
      }
      const shareMs = shareOf(leftMs, inOrder.length - index);
      results.push(...(await askHost(host, request, { leftMs, shareMs, monotonicMs })));
      const last = results.at(-1);
      if (last && !isHostFailure(last)) {
        break;
      }
      failedAtMs.set(host, monotonicMs());
      if (!request.repeatable && results.some(mayHaveArrived)) {
        break;
      }
    }
    return conclude(results);
  };
}

/** What came of one attempt. */
type Result = WechatResponse | WechatPayTransportError;

const isFailure = (result: Result): result is WechatPayTransportError =>
  result instanceof WechatPayTransportError;

const isAnswer = (result: Result): result is WechatResponse => !isFailure(result);

const mayHaveArrived = (result: Result) => !isFailure(result) || result.outcome === 'unknown';

/** Whether another host may do better: no answer, or one that did not come from WeChat itself. */
const isHostFailure = (result: Result) =>
  isFailure(result) ||
  (result.statusCode >= 500 && result.headers['wechatpay-signature'] === undefined);

/** What a host may use of the time, so that each of those after it has as much. */
function shareOf(leftMs: number, hostsLeft: number): number {
  const attempts = Math.min(hostsLeft, Math.floor(leftMs / MIN_ATTEMPT_MS));
  return leftMs / Math.max(1, attempts);
}

interface HostTime {
  readonly leftMs: number;
  readonly shareMs: number;
  readonly monotonicMs: () => number;
}

/**
 * One host: one attempt, or two when a kept-alive connection broke under the first. A request that
 * may not be repeated has all the time that is left, once it is connected: nobody comes after it.
 */
async function askHost(
  host: Host,
  request: WechatRequest,
  { leftMs, shareMs, monotonicMs }: HostTime,
): Promise<Result[]> {
  const deadlineMs = monotonicMs() + (request.repeatable ? shareMs : leftMs);
  const attempt = async (isFreshConnection: boolean): Promise<Result> => {
    try {
      const timeoutMs = deadlineMs - monotonicMs();
      return await host(request, { timeoutMs, connectTimeoutMs: shareMs, isFreshConnection });
    } catch (error) {
      if (error instanceof WechatPayTransportError) {
        return error;
      }
      throw error;
    }
  };
  const first = await attempt(!request.repeatable);
  return first instanceof BrokenConnectionError ? [first, await attempt(true)] : [first];
}

/** What the attempts of a call come to: the last answer, or else how the whole of them failed. */
function conclude(results: readonly Result[]): WechatResponse {
  const answer = results.findLast(isAnswer);
  if (answer) {
    const others = results.filter((result) => result !== answer);
    const otherAttempts: OtherAttempts = {
      count: others.length,
      maybeDelivered: others.some(mayHaveArrived),
    };
    return others.length === 0 ? answer : { ...answer, otherAttempts };
  }
  throw wholeFailure(results.filter(isFailure));
}

/** `unknown` if the request may have arrived anywhere, whatever the last host says. */
function wholeFailure(failures: readonly WechatPayTransportError[]): WechatPayTransportError {
  const last = failures.at(-1);
  if (!last) {
    return new WechatPayTransportError('not-sent', 'no host of WeChat is configured');
  }
  const outcome = failures.some(mayHaveArrived) ? 'unknown' : 'not-sent';
  const cause = outcome === last.outcome ? last.cause : last;
  return new WechatPayTransportError(outcome, last.message, cause, failures.length);
}

/** HTTP to WeChat: kept-alive connections, one time budget, fail-over to the backup host. */
import { WechatPayTransportError } from '../errors.ts';
import type { Host, HostRequest, OpenHost, WechatResponse } from './host.ts';

export type { WechatResponse } from './host.ts';

/** How a request is sent. */
export interface Sending {
  /** Budget of the whole call, fail-over included. */
  readonly timeoutMs: number;
  /**
   * Whether the request may be repeated once it may have reached WeChat. Orders carry their own
   * number and may; a login code is burnt by the first use and may not.
   */
  readonly repeatable: boolean;
}

export interface WechatRequest extends HostRequest, Sending {}

/**
 * Sends one request.
 *
 * @throws {WechatPayTransportError} `not-sent` when no host could be connected to, else `unknown`.
 */
export type Transport = (request: WechatRequest) => Promise<WechatResponse>;

/** With less time than this left, a further host could take the request but not answer it. */
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
 */
export function createTransport(
  baseUrls: readonly string[],
  { openHost, monotonicMs }: TransportMachine,
): Transport {
  const hosts = baseUrls.map((baseUrl) => openHost(baseUrl));
  const failedAtMs = new Map<Host, number>();

  const isAvoided = (host: Host) =>
    monotonicMs() - (failedAtMs.get(host) ?? Number.NEGATIVE_INFINITY) < AVOID_HOST_MS;

  return async (request) => {
    const deadlineMs = monotonicMs() + request.timeoutMs;
    const inOrder = hosts.toSorted((a, b) => Number(isAvoided(a)) - Number(isAvoided(b)));
    let failure: WechatPayTransportError | undefined;
    let maybeDelivered = false;
    for (const host of inOrder) {
      if (failure && deadlineMs - monotonicMs() < MIN_ATTEMPT_MS) {
        break;
      }
      try {
        return await host(request, () => deadlineMs - monotonicMs());
      } catch (error) {
        if (!(error instanceof WechatPayTransportError)) {
          throw error;
        }
        failure = error;
        failedAtMs.set(host, monotonicMs());
        if (error.outcome === 'unknown') {
          maybeDelivered = true;
        }
        if (maybeDelivered && !request.repeatable) {
          break;
        }
      }
    }
    if (!failure) {
      throw new WechatPayTransportError('not-sent', 'no host of WeChat is configured');
    }
    if (!maybeDelivered || failure.outcome === 'unknown') {
      throw failure;
    }
    throw new WechatPayTransportError('unknown', failure.message, failure);
  };
}

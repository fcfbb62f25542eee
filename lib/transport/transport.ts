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
    const remainingMs = () => deadlineMs - monotonicMs();
    const inOrder = hosts.toSorted((a, b) => Number(isAvoided(a)) - Number(isAvoided(b)));
    const failures: WechatPayTransportError[] = [];
    for (const host of inOrder) {
      if (failures.length > 0 && remainingMs() < MIN_ATTEMPT_MS) {
        break;
      }
      try {
        return await host(request, remainingMs);
      } catch (error) {
        if (!(error instanceof WechatPayTransportError)) {
          throw error;
        }
        failures.push(error);
        failedAtMs.set(host, monotonicMs());
        if (!request.repeatable && failures.some(mayHaveArrived)) {
          break;
        }
      }
    }
    throw wholeFailure(failures);
  };
}

const mayHaveArrived = ({ outcome }: WechatPayTransportError) => outcome === 'unknown';

/** What the failures of the hosts come to: `unknown` if the request may have arrived anywhere. */
function wholeFailure(failures: readonly WechatPayTransportError[]): WechatPayTransportError {
  const last = failures.at(-1);
  if (!last) {
    return new WechatPayTransportError('not-sent', 'no host of WeChat is configured');
  }
  if (mayHaveArrived(last) || !failures.some(mayHaveArrived)) {
    return last;
  }
  return new WechatPayTransportError('unknown', last.message, last);
}

/**
 * WeChat Pay's platform certificates (平台证书): known by serial number, fetched when one is used
 * that is not known, and never by a timer, because a Lambda environment sleeps between requests.
 */
import type { KeyObject } from 'node:crypto';

export interface PlatformCertificate {
  /** Hexadecimal, upper case; equals `Wechatpay-Serial`. */
  readonly serialNo: string;
  readonly publicKey: KeyObject;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export interface PlatformCertificates {
  /** The key of a certificate that is valid now; nothing when WeChat has none of that number. */
  find(serialNo: string): Promise<KeyObject | undefined>;
  /** The valid one that ends last; nothing when WeChat has none. */
  findNewest(): Promise<{ readonly serial: string; readonly key: KeyObject } | undefined>;
}

/** WeChat asks for a fresh list twice a day; a successor is in it 5 days before its first use. */
const REFRESH_MS = 12 * 3600_000;

/**
 * Made-up serial numbers must not make us hammer WeChat: a few fetches at once, then one in ten
 * seconds. More than one at once, so that a forged message just before a rotation does not cost a
 * genuine one.
 */
const MAX_FETCHES_AT_ONCE = 5;
const FETCH_PAUSE_MS = 10_000;

/** Clocks differ; a certificate is taken this long before and after its time. */
const CLOCK_TOLERANCE_MS = 300_000;

/** State that outlives a call: the certificates, and how many fetches are still allowed. */
export function openPlatformCertificates(
  fetchCertificates: () => Promise<readonly PlatformCertificate[]>,
  nowMs: () => number,
): PlatformCertificates {
  const known = new Map<string, PlatformCertificate>();
  const mayFetch = limitRate(nowMs);
  let fetchedAtMs = Number.NEGATIVE_INFINITY;
  let fetching: Promise<void> | undefined;

  /** At most one fetch is in flight; all who need it wait for the same. */
  function refresh(): Promise<void> | undefined {
    if (!fetching && mayFetch()) {
      fetching = (async () => {
        try {
          // Added to what is there: messages signed before a rotation are still on their way.
          for (const one of await fetchCertificates()) {
            known.set(one.serialNo, one);
          }
          fetchedAtMs = nowMs();
        } finally {
          fetching = undefined;
        }
      })();
    }
    return fetching;
  }

  function valid(serialNo: string): PlatformCertificate | undefined {
    const certificate = known.get(serialNo);
    if (!certificate) {
      return undefined;
    }
    const isValid =
      nowMs() >= certificate.notBeforeMs - CLOCK_TOLERANCE_MS &&
      nowMs() < certificate.notAfterMs + CLOCK_TOLERANCE_MS;
    return isValid ? certificate : undefined;
  }

  /** A clock that was moved back counts as stale, not as fresh for ever. */
  function isFresh(): boolean {
    const ageMs = nowMs() - fetchedAtMs;
    return ageMs >= 0 && ageMs < REFRESH_MS;
  }

  return {
    async findNewest() {
      if (!isFresh()) {
        await refresh();
      }
      const [newest] = [...known.values()]
        .filter(({ serialNo }) => valid(serialNo))
        .toSorted((a, b) => b.notAfterMs - a.notAfterMs);
      return newest && { serial: newest.serialNo, key: newest.publicKey };
    },
    async find(serialNo) {
      if (!/^[0-9A-F]{8,40}$/.test(serialNo)) {
        return undefined;
      }
      // A fetch that is under way may have begun before WeChat listed this certificate; if it does
      // not bring it, the next one may.
      if (!(valid(serialNo) && isFresh())) {
        await fetching?.catch(() => undefined);
      }
      const certificate = valid(serialNo);
      if (certificate && isFresh()) {
        return certificate.publicKey;
      }
      try {
        await refresh();
      } catch (error) {
        if (!certificate) {
          throw error;
        }
      }
      return valid(serialNo)?.publicKey;
    },
  };
}

/** Whether one more is allowed now: a bucket of a few that fills up by one in a while. */
function limitRate(nowMs: () => number): () => boolean {
  let left = MAX_FETCHES_AT_ONCE;
  let filledAtMs = nowMs();
  return () => {
    const elapsedMs = nowMs() - filledAtMs;
    const filled = Math.floor(Math.abs(elapsedMs) / FETCH_PAUSE_MS);
    if (filled > 0) {
      left = Math.min(MAX_FETCHES_AT_ONCE, left + filled);
      filledAtMs = nowMs();
    }
    if (left === 0) {
      return false;
    }
    left -= 1;
    return true;
  };
}

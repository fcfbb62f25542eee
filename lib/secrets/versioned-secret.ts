/** A secret of Secrets Manager with its versions, checked and cached. */
import { ConfigError } from '../errors.ts';
import { readSecret, type SecretsClient } from './client.ts';
import { parseSecret, type SecretSchema, type WantedForms } from './parse-secret.ts';

const CACHE_MS = 5 * 60_000;
/** While Secrets Manager does not answer, the last version serves this long … */
const STALE_MS = 60 * 60_000;
/** … and is asked for again this often. */
const RETRY_MS = 10_000;
/** A flood of forged messages may make us look for a rotated key this often and no more. */
const REFRESH_MS = 2_000;

/** One secret with its rotation: sign with the current version, verify with both. */
export interface VersionedSecret<T> {
  /**
   * The version to sign with (`AWSCURRENT`).
   *
   * @throws {ConfigError} when the secret does not exist or one of its fields is malformed.
   */
  current(): Promise<T>;
  /**
   * Every version a genuine message may be signed with, the likeliest first: the cached current
   * one; then, only if the caller goes on, versions read afresh, at most once in 2 s. So a
   * rotation loses no message in flight, and normal traffic costs no call. Fails instead of ending
   * while they cannot be read: then nobody knows whether a message is genuine.
   *
   * @param options `isGenuine` when the message is proved to be WeChat's already: then versions
   * are read afresh without a limit, because no stranger can ask for it.
   */
  candidates(options?: { readonly isGenuine?: boolean }): AsyncGenerator<T>;
}

/**
 * The current version, read afresh: for whoever was refused with the one at hand. At most once in
 * 2 s; for the rest it is the one that was read then.
 */
export async function readAfresh<T>(secret: VersionedSecret<T>): Promise<T> {
  const versions = secret.candidates();
  while (!(await versions.next()).done) {}
  return secret.current();
}

interface Version<T> {
  readonly text: string;
  readonly value: T;
  readonly fetchedAtMs: number;
}

export interface SecretOptions<T> {
  readonly nowMs: () => number;
  readonly wanted?: WantedForms;
  /** What the previous version must be to be of use; it may lack what the current one needs. */
  readonly previousSchema?: SecretSchema<T>;
}

/**
 * State that outlives a call: the cache of one secret. Concurrent callers share one fetch, and a
 * failed fetch is not kept.
 */
export function openSecret<T>(
  client: SecretsClient,
  secretId: string,
  schema: SecretSchema<T>,
  { nowMs, wanted = {}, previousSchema = schema }: SecretOptions<T>,
): VersionedSecret<T> {
  const versionOf = (text: string, expected: SecretSchema<T>): Version<T> => ({
    text,
    value: parseSecret(secretId, text, expected, wanted),
    fetchedAtMs: nowMs(),
  });

  async function readCurrent(): Promise<Version<T>> {
    const text = await readSecret(client, secretId, 'AWSCURRENT');
    if (text === undefined) {
      throw new ConfigError(`the secret ${secretId} does not exist or has no value yet`);
    }
    return versionOf(text, schema);
  }

  async function readPrevious(): Promise<Version<T> | undefined> {
    const text = await readSecret(client, secretId, 'AWSPREVIOUS');
    try {
      return text === undefined ? undefined : versionOf(text, previousSchema);
    } catch {
      // A version that was never usable cannot have signed anything.
      return undefined;
    }
  }

  return openVersions({ readCurrent, readPrevious, nowMs });
}

interface Source<T> {
  readonly readCurrent: () => Promise<Version<T>>;
  readonly readPrevious: () => Promise<Version<T> | undefined>;
  readonly nowMs: () => number;
}

function openVersions<T>({ readCurrent, readPrevious, nowMs }: Source<T>): VersionedSecret<T> {
  const current = openCurrent(readCurrent, nowMs);
  let previous: Version<T> | undefined;
  let refreshedAtMs = Number.NEGATIVE_INFINITY;
  let refreshFailure: { readonly error: unknown } | undefined;

  /** Whoever comes while it runs waits for it: their message may be signed with the new key too. */
  const refresh = oneAtATime(async () => {
    refreshedAtMs = nowMs();
    refreshFailure = undefined;
    const fetchPrevious = async () => {
      previous = await readPrevious();
    };
    try {
      await Promise.all([current.readAfresh(), fetchPrevious()]);
    } catch (error) {
      refreshFailure = { error };
      throw error;
    }
  });

  /** The versions at hand that a caller has not had yet. */
  function* untried(tried: Set<string>): Generator<T> {
    for (const version of [current.cached(), previous]) {
      if (!version || tried.has(version.text) || !isYoung(nowMs(), version.fetchedAtMs, CACHE_MS)) {
        continue;
      }
      tried.add(version.text);
      yield version.value;
    }
  }

  return {
    current: async () => (await current.version()).value,
    async *candidates({ isGenuine = false } = {}) {
      const first = await current.version();
      const tried = new Set([first.text]);
      yield first.value;
      yield* untried(tried);
      if (isGenuine || refresh.isRunning() || !isYoung(nowMs(), refreshedAtMs, REFRESH_MS)) {
        await refresh.run();
      }
      // Also when another caller's refresh ended meanwhile: what it brought is new to this one.
      yield* untried(tried);
      if (refreshFailure) {
        // Whoever comes in between does not know either whether there is a newer version.
        throw refreshFailure.error;
      }
    },
  };
}

/** The current version, from the cache as long as that may be. */
function openCurrent<T>(read: () => Promise<Version<T>>, nowMs: () => number) {
  let cached: Version<T> | undefined;
  let failedAtMs = Number.NEGATIVE_INFINITY;

  const reading = oneAtATime(async () => {
    cached = await read();
    return cached;
  });

  async function version(): Promise<Version<T>> {
    if (cached && isYoung(nowMs(), cached.fetchedAtMs, CACHE_MS)) {
      return cached;
    }
    const last = cached && isYoung(nowMs(), cached.fetchedAtMs, STALE_MS) ? cached : undefined;
    if (last && isYoung(nowMs(), failedAtMs, RETRY_MS)) {
      return last;
    }
    try {
      return await reading.run();
    } catch (error) {
      // A secret that was made unusable is an error at once; one that cannot be read just now is not.
      if (!last || error instanceof ConfigError) {
        throw error;
      }
      failedAtMs = nowMs();
      return last;
    }
  }

  return { version, readAfresh: reading.run, cached: () => cached };
}

/** A clock that was moved back counts as old, not as young for ever. */
function isYoung(nowMs: number, sinceMs: number, maxAgeMs: number): boolean {
  const ageMs = nowMs - sinceMs;
  return ageMs >= 0 && ageMs < maxAgeMs;
}

/** Whoever asks while it runs gets what comes of that run. */
function oneAtATime<T>(work: () => Promise<T>) {
  let running: Promise<T> | undefined;
  const run = (): Promise<T> => {
    running ??= (async () => {
      try {
        return await work();
      } finally {
        running = undefined;
      }
    })();
    return running;
  };
  return { run, isRunning: () => running !== undefined };
}

/** Keys from Secrets Manager, with their versions, checked and cached. */
import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import * as v from 'valibot';
import type { Config } from '../runtime/config.ts';
import { ConfigError } from '../errors.ts';

/** What the mini-program is: enough to log buyers in and to accept quotes, not to move money. */
export interface MiniProgramSecret {
  readonly appid: string;
  readonly appSecret: string;
  /** Signs session tokens (HS256). */
  readonly sessionKey: string;
  /** The merchant's own backend signs quotes with it (HS256). */
  readonly quoteKey?: string | undefined;
}

/** The merchant's keys. */
export interface MerchantSecret {
  readonly mchid: string;
  /** Service-provider mode (服务商模式): the merchant who is paid; `mchid` is the provider's. */
  readonly subMchid?: string | undefined;
  /** The provider's own appid, when the mini-program belongs to the sub-merchant. */
  readonly spAppid?: string | undefined;
  /** APIv2 key (APIv2 密钥): signs and verifies every v2 message. */
  readonly apiV2Key?: string | undefined;
  /** APIv3 key (APIv3 密钥): decrypts notifications and platform certificates. */
  readonly apiV3Key?: string | undefined;
  /** Serial number of the merchant API certificate (商户API证书序列号), hexadecimal. */
  readonly merchantSerialNo?: string | undefined;
  /** Its private key, PEM: signs every v3 request. */
  readonly merchantPrivateKey?: string | undefined;
  /** The certificate itself, PEM: tells how long it still lives. */
  readonly merchantCertificate?: string | undefined;
  /** `PUB_KEY_ID_…` (微信支付公钥ID). Without it, platform certificates are downloaded. */
  readonly wechatpayPublicKeyId?: string | undefined;
  readonly wechatpayPublicKey?: string | undefined;
}

const mchid = v.pipe(v.string(), v.regex(/^\d{6,32}$/));
const appid = v.pipe(v.string(), v.regex(/^wx[0-9a-zA-Z]{8,30}$/));
const hs256Key = v.pipe(v.string(), v.minLength(32));
const keyOf32 = v.pipe(v.string(), v.regex(/^[0-9A-Za-z]{32}$/));

/** Schema of the secret `<service>/<stage>/mini-program`. */
const miniProgramSecret: SecretSchema<MiniProgramSecret> = v.pipe(
  v.object({
    appid,
    appSecret: v.pipe(v.string(), v.regex(/^[0-9a-zA-Z]{16,64}$/)),
    sessionKey: hs256Key,
    quoteKey: v.optional(hs256Key),
  }),
  // One key for both would let a quote pass as a login and a login as a quote.
  v.forward(
    v.check((secret) => secret.quoteKey !== secret.sessionKey),
    ['quoteKey'],
  ),
);

const pem = (read: (text: string) => unknown) => v.pipe(v.string(), v.check(isRead(read)));

/** Fields of the secret `<service>/<stage>/merchant`, whatever the deployment needs of them. */
const merchantFields = v.object({
  mchid,
  subMchid: v.optional(mchid),
  spAppid: v.optional(appid),
  apiV2Key: v.optional(keyOf32),
  apiV3Key: v.optional(keyOf32),
  merchantSerialNo: v.optional(v.pipe(v.string(), v.regex(/^[0-9A-Fa-f]{8,40}$/))),
  merchantPrivateKey: v.optional(pem((text) => rsa(createPrivateKey(text)))),
  merchantCertificate: v.optional(pem((text) => new X509Certificate(text))),
  wechatpayPublicKeyId: v.optional(v.pipe(v.string(), v.regex(/^PUB_KEY_ID_\w{1,53}$/))),
  wechatpayPublicKey: v.optional(pem((text) => rsa(createPublicKey(text)))),
});

/** The merchant's secret, with every field that the version for new orders needs. */
function merchantSecret(apiVersion: Config['apiVersion']): SecretSchema<MerchantSecret> {
  return v.pipe(
    merchantFields,
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed || dataset.issues) {
        return;
      }
      for (const key of missingFields(dataset.value, apiVersion)) {
        const value = dataset.value[key];
        const path = { type: 'object', origin: 'value', input: dataset.value, key, value } as const;
        addIssue({ path: [path] });
      }
    }),
  );
}

const REQUIRED = {
  v2: ['apiV2Key'],
  v3: ['apiV3Key', 'merchantSerialNo', 'merchantPrivateKey'],
} as const;

/** What is needed and not there, or there without what it belongs to. */
function missingFields(secret: MerchantSecret, apiVersion: Config['apiVersion']) {
  const missing: (keyof MerchantSecret)[] = REQUIRED[apiVersion].filter((name) => !secret[name]);
  const { wechatpayPublicKeyId, wechatpayPublicKey, subMchid, spAppid } = secret;
  if (wechatpayPublicKey && !wechatpayPublicKeyId) {
    missing.push('wechatpayPublicKeyId');
  }
  if (wechatpayPublicKeyId && !wechatpayPublicKey) {
    missing.push('wechatpayPublicKey');
  }
  // WeChat refuses a provider that is its own sub-merchant.
  if ((spAppid && !subMchid) || subMchid === secret.mchid) {
    missing.push('subMchid');
  }
  return missing;
}

/** Whether a PEM text can be read; its error could quote it. */
function isRead(read: (text: string) => unknown) {
  return (text: string): boolean => {
    try {
      read(text);
      return true;
    } catch {
      return false;
    }
  };
}

function rsa(key: KeyObject): KeyObject {
  if (key.asymmetricKeyType !== 'rsa') {
    throw new TypeError('not an RSA key');
  }
  return key;
}

type SecretSchema<T> = v.GenericSchema<unknown, T>;

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
   * rotation loses no message in flight, and normal traffic costs no call.
   *
   * @param options `isGenuine` when the message is proved to be WeChat's already: then versions
   * are read afresh without a limit, because no stranger can ask for it.
   */
  candidates(options?: { readonly isGenuine?: boolean }): AsyncGenerator<T>;
}

interface Version<T> {
  readonly text: string;
  readonly value: T;
  readonly fetchedAtMs: number;
}

/**
 * State that outlives a call: the cache of one secret. Concurrent callers share one fetch, and a
 * failed fetch is not kept.
 *
 * @param previousSchema what the previous version must be to be of use; it may lack what the
 * current one needs.
 */
export function openSecret<T>(
  client: Pick<SecretsManagerClient, 'send'>,
  secretId: string,
  schema: SecretSchema<T>,
  now: () => number = Date.now,
  previousSchema: SecretSchema<T> = schema,
): VersionedSecret<T> {
  let cached: Version<T> | undefined;
  let previous: Version<T> | undefined;
  let refreshedAtMs = Number.NEGATIVE_INFINITY;
  let failedAtMs = Number.NEGATIVE_INFINITY;
  let fetching: Promise<Version<T>> | undefined;
  let refreshing: Promise<void> | undefined;

  function fetchCurrent(): Promise<Version<T>> {
    fetching ??= (async () => {
      try {
        const text = await readSecret(client, secretId, 'AWSCURRENT');
        if (text === undefined) {
          throw new ConfigError(`the secret ${secretId} does not exist or has no value yet`);
        }
        cached = versionOf(text, schema);
        return cached;
      } finally {
        fetching = undefined;
      }
    })();
    return fetching;
  }

  function versionOf(text: string, expected: SecretSchema<T>): Version<T> {
    return { text, value: parseSecret(secretId, text, expected), fetchedAtMs: now() };
  }

  async function currentVersion(): Promise<Version<T>> {
    if (cached && isFresh(cached.fetchedAtMs, CACHE_MS)) {
      return cached;
    }
    const last = cached && isFresh(cached.fetchedAtMs, STALE_MS) ? cached : undefined;
    if (last && isFresh(failedAtMs, RETRY_MS)) {
      return last;
    }
    try {
      return await fetchCurrent();
    } catch (error) {
      // A secret that was made unusable is an error at once; one that cannot be read just now is not.
      if (!last || error instanceof ConfigError) {
        throw error;
      }
      failedAtMs = now();
      return last;
    }
  }

  /** A clock that was moved back counts as stale, not as fresh for ever. */
  function isFresh(fetchedAtMs: number, maxAgeMs: number): boolean {
    const ageMs = now() - fetchedAtMs;
    return ageMs >= 0 && ageMs < maxAgeMs;
  }

  async function fetchPrevious(): Promise<void> {
    const text = await readSecret(client, secretId, 'AWSPREVIOUS');
    try {
      previous = text === undefined ? undefined : versionOf(text, previousSchema);
    } catch {
      // A version that was never usable cannot have signed anything.
      previous = undefined;
    }
  }

  /** Whoever comes while it runs waits for it: their message may be signed with the new key too. */
  function refresh(): Promise<void> {
    refreshing ??= (async () => {
      try {
        refreshedAtMs = now();
        await Promise.all([fetchCurrent(), fetchPrevious()]);
      } finally {
        refreshing = undefined;
      }
    })();
    return refreshing;
  }

  async function current(): Promise<T> {
    return (await currentVersion()).value;
  }

  async function* candidates({ isGenuine = false } = {}): AsyncGenerator<T> {
    const first = await currentVersion();
    const tried = new Set([first.text]);
    yield first.value;
    yield* untried(tried);
    if (isGenuine || refreshing || !isFresh(refreshedAtMs, REFRESH_MS)) {
      await refresh();
    }
    // Also when another caller's refresh ended meanwhile: what it brought is new to this one.
    yield* untried(tried);
  }

  /** The versions at hand that a caller has not had yet. */
  function* untried(tried: Set<string>): Generator<T> {
    for (const version of [cached, previous]) {
      if (!version || tried.has(version.text) || !isFresh(version.fetchedAtMs, CACHE_MS)) {
        continue;
      }
      tried.add(version.text);
      yield version.value;
    }
  }

  return { current, candidates };
}

let sharedClient: SecretsManagerClient | undefined;

/** One connection for both secrets; region, credentials and endpoint come from the SDK's variables. */
function secretsManager(): SecretsManagerClient {
  sharedClient ??= new SecretsManagerClient({
    maxAttempts: 3,
    requestHandler: {
      connectionTimeout: 1_000,
      requestTimeout: 1_500,
      throwOnRequestTimeout: true,
    },
  });
  return sharedClient;
}

export function openMiniProgramSecret(
  config: Pick<Config, 'miniProgramSecretId'>,
): VersionedSecret<MiniProgramSecret> {
  return openSecret(secretsManager(), config.miniProgramSecretId, miniProgramSecret);
}

export function openMerchantSecret(
  config: Pick<Config, 'merchantSecretId' | 'apiVersion'>,
): VersionedSecret<MerchantSecret> {
  const schema = merchantSecret(config.apiVersion);
  return openSecret(secretsManager(), config.merchantSecretId, schema, Date.now, merchantFields);
}

async function readSecret(
  client: Pick<SecretsManagerClient, 'send'>,
  secretId: string,
  stage: 'AWSCURRENT' | 'AWSPREVIOUS',
): Promise<string | undefined> {
  try {
    const answer = await client.send(
      new GetSecretValueCommand({ SecretId: secretId, VersionStage: stage }),
    );
    return answer.SecretString ?? '';
  } catch (error) {
    if (error instanceof ResourceNotFoundException) {
      return undefined;
    }
    throw error;
  }
}

/** The text of a parse error can quote the secret, so it never becomes a cause. */
function parseSecret<T>(secretId: string, text: string, schema: SecretSchema<T>): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new ConfigError(`the secret ${secretId} is not JSON`);
  }
  const parsed = v.safeParse(schema, json);
  if (parsed.success) {
    return parsed.output;
  }
  const fields = new Set(parsed.issues.map((issue) => v.getDotPath(issue) ?? '(the whole)'));
  throw new ConfigError(
    `the secret ${secretId} has a missing or malformed field: ${[...fields].join(', ')}`,
  );
}

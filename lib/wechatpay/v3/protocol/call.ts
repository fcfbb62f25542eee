/** One signed request to a v3 endpoint and the judgement of its answer. */
import * as v from 'valibot';
import {
  WechatPayServiceError,
  WechatPaySignatureError,
  WechatPayTransportError,
} from '../../../errors.ts';
import { assertOurMerchant } from '../../judge.ts';
import type { Sending, WechatResponse } from '../../../transport/transport.ts';
import { decodeJson } from './json.ts';
import { sendSigned, type V3Connection } from './send.ts';
import type { SignedRequest } from './sign.ts';
import { type FindKey, verifySignature } from './verify.ts';

export interface V3Client extends V3Connection {
  readonly findKey: FindKey;
}

/** A verified answer: success with its JSON (nothing for 204), or WeChat's own error. */
export type Answer =
  | { readonly ok: true; readonly statusCode: number; readonly json: unknown }
  | {
      readonly ok: false;
      readonly code: string;
      readonly text: string;
      /** The digits at the end of `Request-ID`: finer than `code`, and not signed. */
      readonly internalCode: string | undefined;
    };

/** Codes after which WeChat may still have carried the request out, or wants it again later. */
const UNKNOWN_OUTCOME = new Set([
  'SYSTEM_ERROR',
  'SYSTEMERROR',
  'BANK_ERROR',
  'BANKERROR',
  'FREQUENCY_LIMITED',
  'RATELIMIT_EXCEEDED',
  'RATELIMIT_EXCEED',
]);

const errorBody = v.object({
  code: v.pipe(v.string(), v.minLength(1)),
  message: v.nullish(v.string(), ''),
  detail: v.nullish(v.looseObject({ field: v.unknown(), issue: v.unknown() })),
});

/**
 * Sends a request and returns what WeChat says, once its signature holds. An answer that is one of
 * WeChat's probes counts as not received: the request is sent once more, in the time that is left.
 *
 * @throws {ConfigError | WechatPayTransportError | WechatPayServiceError | WechatPaySignatureError | WechatPayMalformedMessageError}
 */
export async function call(
  client: V3Client,
  mchid: string,
  request: SignedRequest,
  sending: Sending,
): Promise<Answer> {
  assertOurMerchant(mchid, await client.merchant.current());
  const deadlineMs = client.nowMs() + sending.timeoutMs;
  try {
    return await attempt(client, request, sending);
  } catch (error) {
    const remainingMs = deadlineMs - client.nowMs();
    const isProbe = error instanceof WechatPaySignatureError && error.isProbe;
    if (!isProbe || remainingMs <= 0) {
      throw error;
    }
    const timeoutMs = Math.min(remainingMs, sending.timeoutMs);
    return attempt(client, request, { ...sending, timeoutMs });
  }
}

async function attempt(
  client: V3Client,
  request: SignedRequest,
  sending: Sending,
): Promise<Answer> {
  const response = await sendSigned(client, request, sending);
  return isSuccess(response) ? judgeSuccess(client, response) : judgeError(client, response);
}

const isSuccess = ({ statusCode }: WechatResponse) => statusCode >= 200 && statusCode < 300;

async function judgeSuccess(client: V3Client, response: WechatResponse): Promise<Answer> {
  await verifySignature(response, client.nowMs(), client.findKey);
  const json = response.body.length === 0 ? undefined : decodeJson(response.body);
  // Some answers with a good status carry an error all the same.
  const failure = readError(response, json);
  return failure ? known(failure) : { ok: true, statusCode: response.statusCode, json };
}

/** An error that WeChat did not sign is no evidence of what became of the request. */
async function judgeError(client: V3Client, response: WechatResponse): Promise<Answer> {
  const failure = readError(response, tryJson(response.body));
  if (!failure) {
    throw new WechatPayTransportError('unknown', `HTTP status ${response.statusCode}`);
  }
  try {
    await verifySignature(response, client.nowMs(), client.findKey);
  } catch (error) {
    if (error instanceof WechatPaySignatureError && !error.isProbe) {
      throw unknown(failure);
    }
    throw error;
  }
  if (response.statusCode >= 500 || response.statusCode === 429) {
    throw unknown(failure);
  }
  return known(failure);
}

type Failure = Extract<Answer, { ok: false }>;

function known(failure: Failure): Failure {
  if (UNKNOWN_OUTCOME.has(failure.code)) {
    throw unknown(failure);
  }
  return failure;
}

const unknown = ({ code, text }: Failure) => new WechatPayServiceError('unknown', code, text);

function readError(response: WechatResponse, json: unknown): Failure | undefined {
  const parsed = v.safeParse(errorBody, json);
  if (!parsed.success) {
    return undefined;
  }
  const { code, message, detail } = parsed.output;
  const requestId = response.headers['request-id'];
  // Not `detail.value`: it repeats what was sent.
  const where = [detail?.field, detail?.issue].filter((part) => typeof part === 'string');
  const text = [message, ...where, requestId && `Request-ID ${requestId}`]
    .filter(Boolean)
    .join('; ');
  return { ok: false, code, text, internalCode: /-(\d+)$/.exec(requestId ?? '')?.[1] };
}

function tryJson(bytes: Uint8Array): unknown {
  try {
    return decodeJson(bytes);
  } catch {
    return undefined;
  }
}

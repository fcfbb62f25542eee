/** One signed request to a v2 endpoint and the judgement of its answer. */
import {
  type ServiceError,
  WechatPayMalformedMessageError,
  WechatPaySignatureError,
  WechatPayTransportError,
} from '../../../errors.ts';
import type { SignType } from '../../../order/stored-request.ts';
import type { MerchantSecret } from '../../../secrets/merchant.ts';
import type { VersionedSecret } from '../../../secrets/versioned-secret.ts';
import { findNewerKeys, inTime, type StartTimer } from '../../newer-keys.ts';
import { forTheLog, OWNERS_FAULTS, refusalError } from '../../remedy.ts';
import { secretOf } from '../../secret-of.ts';
import type { HostRequest } from '../../../transport/host.ts';
import type { Sending, Transport, WechatResponse } from '../../../transport/transport.ts';
import { meaningOfCode, meaningOfText } from './refusals.ts';
import { apiV2Keys, signingKey } from './keys.ts';
import { sign, verifySign } from './sign.ts';
import { buildXml, parseXml } from './xml.ts';

export interface V2Client {
  readonly transport: Transport;
  readonly merchant: VersionedSecret<MerchantSecret>;
  /** Algorithm of the deployment; an order keeps the one it was created with. */
  readonly signType: SignType;
  /** At most 32 letters and digits, new for each message. */
  readonly nonce: () => string;
  readonly nowMs: () => number;
  readonly startTimer: StartTimer;
}

/** A verified answer: business success, or WeChat's own error code. */
export type Answer =
  | { readonly ok: true; readonly fields: ReadonlyMap<string, string> }
  | { readonly ok: false; readonly code: string; readonly text: string };

/** A refusal without a signature: no evidence of anything, and the error that it ends in. */
export interface Unsigned {
  readonly ok: 'unsigned';
  readonly error: ServiceError;
  /** Whether another key may be all that it takes. */
  readonly mayBeKey: boolean;
}

/**
 * Sends fields signed with the key of their merchant and returns what WeChat says, once its signature,
 * appid and merchant number hold. When WeChat refuses and the key has changed since it was read,
 * the request is sent once more, in the time that is left: WeChat refuses an old key at once.
 *
 * @throws {ConfigError | WechatPayTransportError | WechatPayServiceError | WechatPaySignatureError | WechatPayMalformedMessageError}
 */
export async function call(
  client: V2Client,
  path: string,
  fields: Readonly<Record<string, string>>,
  sending: Sending,
): Promise<Answer> {
  return withNewerKey(client, fields, sending, (key, remainingMs) =>
    attempt(client, path, fields, key, sending, remainingMs),
  );
}

/**
 * Sends with the merchant's key, and once more with a newer one when WeChat refuses and that may be why.
 *
 * @param fields name the merchant.
 * @throws what the refusal means, when it stays.
 */
export async function withNewerKey<T extends { readonly ok: unknown }>(
  client: V2Client,
  fields: Readonly<Record<string, string>>,
  sending: Sending,
  send: (key: string, remainingMs: () => number) => Promise<T | Unsigned>,
): Promise<T> {
  const deadlineMs = client.nowMs() + sending.timeoutMs;
  // Whoever sets the clock back does not lengthen a call.
  const remainingMs = () => Math.min(deadlineMs - client.nowMs(), sending.timeoutMs);
  const secret = await secretOf(client.merchant, fields['mch_id']);
  let answer = await send(signingKey(secret), remainingMs);
  if (isUnsigned(answer) && answer.mayBeKey) {
    const reading = findNewerKeys(client.merchant, secret, ({ apiV2Key }) => apiV2Key);
    const newer = await inTime(client.startTimer, remainingMs(), reading);
    if (newer?.value && remainingMs() > 0) {
      answer = await send(signingKey(newer.value), remainingMs);
    }
  }
  if (isUnsigned(answer)) {
    throw answer.error;
  }
  return answer;
}

const isUnsigned = (answer: { readonly ok: unknown }): answer is Unsigned =>
  answer.ok === 'unsigned';

async function attempt(
  client: V2Client,
  path: string,
  fields: Readonly<Record<string, string>>,
  key: string,
  sending: Sending,
  remainingMs: () => number,
): Promise<Answer | Unsigned> {
  const signType = agreedSignType(fields, client.signType);
  const response = await sendSigned(client, path, fields, key, {
    ...sending,
    timeoutMs: remainingMs(),
  });
  const answer = parseXml(response.body);
  if (answer.get('return_code') !== 'SUCCESS') {
    return unsigned(answer);
  }
  return judge(client, answer, fields, signType, remainingMs());
}

/** @throws {WechatPayTransportError} also for an answer that is not 200. */
export async function sendSigned(
  { transport, nonce, signType: fallback }: V2Client,
  path: string,
  fields: Readonly<Record<string, string>>,
  key: string,
  sending: Sending & Pick<HostRequest, 'saveTo'>,
): Promise<WechatResponse> {
  const signType = agreedSignType(fields, fallback);
  const response = await transport({
    method: 'POST',
    path,
    body: signedXml({ ...fields, sign_type: signType, nonce_str: nonce() }, key, signType),
    contentType: 'text/xml; charset=utf-8',
    ...sending,
  });
  if (response.statusCode !== 200) {
    throw new WechatPayTransportError('unknown', `HTTP status ${response.statusCode}`);
  }
  return response;
}

/** In the order of their names: a repeat is the same bytes, whatever order the fields come in. */
function signedXml(
  fields: Readonly<Record<string, string>>,
  key: string,
  signType: SignType,
): string {
  const sorted = Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1));
  return buildXml([...sorted, ['sign', sign(sorted, key, signType)]]);
}

/** What `sign_type` of a stored request says, else what the deployment uses. */
export function agreedSignType(
  fields: Readonly<Record<string, string>>,
  fallback: SignType,
): SignType {
  const stored = fields['sign_type'];
  return stored === 'MD5' || stored === 'HMAC-SHA256' ? stored : fallback;
}

/** WeChat does not sign these, so nothing in them is evidence; what it says is told as a reason. */
export function unsigned(answer: ReadonlyMap<string, string>): Unsigned {
  const { code, text } = wordsOf(answer);
  const said = text || forTheLog(answer.get('return_msg') ?? answer.get('retmsg') ?? '');
  const meaning = meaningOfCode(code) ?? meaningOfText(said);
  return {
    ok: 'unsigned',
    error: refusalError({ outcome: 'unknown', code, text: said }, meaning),
    mayBeKey: meaning === undefined || meaning === OWNERS_FAULTS.apiV2Key,
  };
}

const wordsOf = (answer: ReadonlyMap<string, string>) => ({
  code: forTheLog(answer.get('err_code') ?? answer.get('error_code') ?? '', 64),
  text: forTheLog(answer.get('err_code_des') ?? ''),
});

async function judge(
  client: V2Client,
  answer: ReadonlyMap<string, string>,
  request: Readonly<Record<string, string>>,
  signType: SignType,
  remainingMs: number,
): Promise<Answer | Unsigned> {
  try {
    await verifyInTime(client, answer, apiV2Keys(client.merchant, request['mch_id']), {
      signType,
      timeoutMs: remainingMs,
    });
  } catch (error) {
    // Whoever has the wrong key cannot verify that WeChat says so.
    const remedy = meaningOfCode(answer.get('err_code') ?? '')?.remedy;
    if (error instanceof WechatPaySignatureError && remedy === 'owner') {
      return unsigned(answer);
    }
    throw error;
  }
  for (const name of ['appid', 'mch_id', 'sub_mch_id']) {
    if ((answer.get(name) || undefined) !== request[name]) {
      throw new WechatPaySignatureError(`the answer is about another ${name}`);
    }
  }
  if (answer.get('result_code') === 'SUCCESS') {
    return { ok: true, fields: answer };
  }
  const { code, text } = wordsOf(answer);
  const meaning = code === '' ? meaningOfText(text) : meaningOfCode(code);
  if (meaning && meaning.remedy !== 'none') {
    throw refusalError({ outcome: 'rejected', code, text }, meaning);
  }
  return { ok: false, code, text };
}

/** A key may have to be read first. */
async function verifyInTime(
  { startTimer }: V2Client,
  answer: ReadonlyMap<string, string>,
  keys: AsyncIterable<string>,
  { signType, timeoutMs }: { signType: SignType; timeoutMs: number },
): Promise<void> {
  const verifying = verifySign(answer, keys, signType);
  if (!(await inTime(startTimer, timeoutMs, verifying))) {
    throw new WechatPayTransportError('unknown', 'no key to verify the answer with in time');
  }
}

/** @throws {WechatPayMalformedMessageError} when a field that must be there is not. */
export function requiredField(fields: ReadonlyMap<string, string>, name: string): string {
  const value = fields.get(name);
  if (!value) {
    throw new WechatPayMalformedMessageError(`the message has no ${name}`);
  }
  return value;
}

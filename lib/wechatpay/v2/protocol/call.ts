/** One signed request to a v2 endpoint and the judgement of its answer. */
import {
  ConfigError,
  WechatPayMalformedMessageError,
  WechatPayServiceError,
  WechatPaySignatureError,
  WechatPayTransportError,
} from '../../../errors.ts';
import type { SignType } from '../../../order/stored-request.ts';
import type { MerchantSecret } from '../../../secrets/merchant.ts';
import type { VersionedSecret } from '../../../secrets/versioned-secret.ts';
import { assertOurMerchant } from '../../judge.ts';
import type { Sending, Transport } from '../../../transport/transport.ts';
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
}

/** A verified answer: business success, or WeChat's own error code. */
export type Answer =
  | { readonly ok: true; readonly fields: ReadonlyMap<string, string> }
  | { readonly ok: false; readonly code: string; readonly text: string };

/** Codes after which WeChat may still have carried the request out. */
const UNKNOWN_OUTCOME = new Set(['SYSTEMERROR', 'BIZERR_NEED_RETRY']);

/**
 * Sends fields signed with the current key and returns what WeChat says, once its signature,
 * appid and merchant number hold. When WeChat refuses and the key has changed since it was read,
 * the request is sent once more, in the time that is left: WeChat refuses an old key at once.
 *
 * @throws {WechatPayTransportError | WechatPayServiceError | WechatPaySignatureError | WechatPayMalformedMessageError}
 */
export async function call(
  client: V2Client,
  path: string,
  fields: Readonly<Record<string, string>>,
  sending: Sending,
): Promise<Answer> {
  const secret = await client.merchant.current();
  assertOurMerchant(fields['mch_id'], secret);
  const deadlineMs = client.nowMs() + sending.timeoutMs;
  try {
    return await attempt(client, path, fields, signingKey(secret), sending);
  } catch (error) {
    const key = isUnsignedRefusal(error) ? await findNewerKey(client.merchant, secret) : undefined;
    const remainingMs = deadlineMs - client.nowMs();
    if (key === undefined || remainingMs <= 0) {
      throw error;
    }
    const timeoutMs = Math.min(remainingMs, sending.timeoutMs);
    return attempt(client, path, fields, key, { ...sending, timeoutMs });
  }
}

async function attempt(
  client: V2Client,
  path: string,
  fields: Readonly<Record<string, string>>,
  key: string,
  sending: Sending,
): Promise<Answer> {
  const signType = agreedSignType(fields, client.signType);
  const unsigned = { ...fields, sign_type: signType, nonce_str: client.nonce() };
  const body = buildXml([
    ...Object.entries(unsigned),
    ['sign', sign(Object.entries(unsigned), key, signType)],
  ]);
  const response = await client.transport({
    method: 'POST',
    path,
    body,
    contentType: 'text/xml; charset=utf-8',
    ...sending,
  });
  if (response.statusCode !== 200) {
    throw new WechatPayTransportError('unknown', `HTTP status ${response.statusCode}`);
  }
  return judge(client, parseXml(response.body), fields, signType);
}

/** `return_code` `FAIL`: among other things what WeChat answers to a wrong signature (签名错误). */
function isUnsignedRefusal(error: unknown): boolean {
  return error instanceof WechatPayServiceError && error.wechatCode === '';
}

/** The merchant's current key, if it is another than that of `used` once it is read afresh. */
async function findNewerKey(
  merchant: V2Client['merchant'],
  used: MerchantSecret,
): Promise<string | undefined> {
  try {
    const versions = merchant.candidates();
    while (!(await versions.next()).done) {}
    const { mchid, apiV2Key } = await merchant.current();
    return mchid === used.mchid && apiV2Key !== used.apiV2Key ? apiV2Key : undefined;
  } catch {
    // What WeChat answered says more than a secret that cannot be read just now.
    return undefined;
  }
}

/** What `sign_type` of a stored request says, else what the deployment uses. */
export function agreedSignType(
  fields: Readonly<Record<string, string>>,
  fallback: SignType,
): SignType {
  const stored = fields['sign_type'];
  return stored === 'MD5' || stored === 'HMAC-SHA256' ? stored : fallback;
}

async function judge(
  client: V2Client,
  answer: ReadonlyMap<string, string>,
  request: Readonly<Record<string, string>>,
  signType: SignType,
): Promise<Answer> {
  if (answer.get('return_code') !== 'SUCCESS') {
    // WeChat does not sign these, so nothing in them is evidence.
    throw new WechatPayServiceError('unknown', '', answer.get('return_msg') ?? '');
  }
  await verifySign(answer, apiV2Keys(client.merchant), signType);
  for (const name of ['appid', 'mch_id', 'sub_mch_id']) {
    if ((answer.get(name) || undefined) !== request[name]) {
      throw new WechatPaySignatureError(`the answer is about another ${name}`);
    }
  }
  if (answer.get('result_code') === 'SUCCESS') {
    return { ok: true, fields: answer };
  }
  const code = answer.get('err_code') ?? '';
  const text = answer.get('err_code_des') ?? '';
  if (UNKNOWN_OUTCOME.has(code)) {
    throw new WechatPayServiceError('unknown', code, text);
  }
  return { ok: false, code, text };
}

/** The APIv2 key to sign with. @throws {ConfigError} when the secret has none. */
export function signingKey({ apiV2Key }: MerchantSecret): string {
  if (apiV2Key === undefined) {
    throw new ConfigError('the merchant secret has no apiV2Key, which an order of API v2 needs');
  }
  return apiV2Key;
}

/** The APIv2 keys a genuine message may be signed with, the likeliest first. */
async function* apiV2Keys(merchant: VersionedSecret<MerchantSecret>): AsyncGenerator<string> {
  for await (const { apiV2Key } of merchant.candidates()) {
    if (apiV2Key !== undefined) {
      yield apiV2Key;
    }
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

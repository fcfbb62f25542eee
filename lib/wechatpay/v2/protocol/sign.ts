/**
 * The v2 signature (签名): every field but `sign` and the empty ones, sorted by name in byte
 * order, joined as `name=value&…&key=<APIv2 key>`, digested, in upper-case hex.
 *
 * Source: pay.weixin.qq.com/doc/v2/merchant/4011985891.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { WechatPaySignatureError } from '../../../errors.ts';
import type { SignType } from '../../../order/stored-request.ts';

export type Fields = Iterable<readonly [string, string]>;

/**
 * The text that is digested. It ends with the key: never log it.
 *
 * Known answer: `appid=wxd930ea5d5a258f4f&body=test&device_info=1000&mch_id=10000100&nonce_str=ibuaiVcKdpRxkhJA&key=…`.
 */
export function stringToSign(fields: Fields, apiV2Key: string): string {
  const pairs = [...fields]
    .filter(([name, value]) => name !== 'sign' && value !== '')
    .sort(([a], [b]) => (a < b ? -1 : Number(a > b)))
    .map(([name, value]) => `${name}=${value}`);
  return [...pairs, `key=${apiV2Key}`].join('&');
}

/**
 * Signs fields.
 *
 * Known answer (the fields above, key `192006250b4c09247ec02edce69f6a2d`): MD5
 * `9A0A8659F005D6984697E2CA0A9CF3B7`, HMAC-SHA256
 * `6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6`.
 */
export function sign(fields: Fields, apiV2Key: string, signType: SignType): string {
  const text = stringToSign(fields, apiV2Key);
  const digest =
    signType === 'MD5' ? createHash('md5') : createHmac('sha256', Buffer.from(apiV2Key, 'utf8'));
  return digest.update(text, 'utf8').digest('hex').toUpperCase();
}

/**
 * Returns when one of the keys made this signature with the algorithm that was agreed on. What
 * the message itself claims (`sign_type`) is not asked, so nobody can talk us down to MD5.
 *
 * @param keys tried in order, and only as far as needed.
 * @throws {WechatPaySignatureError} whose reason names the likely mistake.
 */
export async function verifySign(
  fields: ReadonlyMap<string, string>,
  keys: AsyncIterable<string> | Iterable<string>,
  signType: SignType,
): Promise<void> {
  const received = fields.get('sign') ?? '';
  if (received === '') {
    throw new WechatPaySignatureError('the message has no sign');
  }
  const tried: string[] = [];
  for await (const key of keys) {
    if (equal(received, sign(fields, key, signType))) {
      return;
    }
    tried.push(key);
  }
  throw new WechatPaySignatureError(explainMismatch(received, fields, tried, signType));
}

function equal(received: string, expected: string): boolean {
  const a = Buffer.from(received, 'utf8');
  const b = Buffer.from(expected, 'utf8');
  return a.length === b.length && timingSafeEqual(a, b);
}

/** For the operator: which mistake makes a signature look like this one. */
function explainMismatch(
  received: string,
  fields: ReadonlyMap<string, string>,
  keys: readonly string[],
  signType: SignType,
): string {
  const other: SignType = signType === 'MD5' ? 'HMAC-SHA256' : 'MD5';
  if (keys.some((key) => equal(received, sign(fields, key, other)))) {
    return `sign is right under ${other}, but this deployment takes ${signType} only (WECHAT_PAY_SIGN_TYPE)`;
  }
  if (keys.some((key) => equal(received.toUpperCase(), sign(fields, key, signType)))) {
    return 'sign is right but in lower case; WeChat Pay sends upper case';
  }
  const expectedLength = signType === 'MD5' ? 32 : 64;
  if (!/^[0-9A-F]+$/.test(received) || received.length !== expectedLength) {
    return `sign is not ${expectedLength} upper-case hex digits, as ${signType} gives`;
  }
  return `sign matches none of ${keys.length} APIv2 key version(s): the message was altered, or the secret's apiV2Key is not the key set in the merchant console`;
}

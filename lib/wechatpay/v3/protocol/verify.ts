/**
 * Signatures of answers and notifications: three lines over the body's exact bytes, signed by
 * WeChat with the key that `Wechatpay-Serial` names. Nothing of a body is read before this passes.
 *
 * Source: pay.weixin.qq.com/doc/v3/merchant/4013053249.
 */
import { type KeyObject, verify } from 'node:crypto';
import { WechatPaySignatureError } from '../../../errors.ts';

/** A message as it came: header names in any case, the body's exact bytes. */
export interface SignedMessage {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
}

/** WeChat's key with exactly this serial number or public key id; nothing when there is none. */
export type FindKey = (serial: string) => Promise<KeyObject | undefined>;

/** How far a message's time may be from ours, either way. */
const WINDOW_SECONDS = 300;

/** WeChat's test of whether wrong signatures are refused (签名探测流量). */
const PROBE = 'WECHATPAY/SIGNTEST/';

/**
 * What the four headers look like. Two headers of one name arrive joined by a comma, which none of
 * these allows.
 */
const HEADERS = {
  'wechatpay-timestamp': /^[1-9]\d{0,9}$/,
  'wechatpay-nonce': /^[\x21-\x2b\x2d-\x7e]{1,128}$/,
  'wechatpay-serial': /^[0-9A-Za-z_]{1,64}$/,
  'wechatpay-signature': /^[0-9A-Za-z+/]{4,1400}={0,2}$/,
} as const;

const SIGNATURE_TYPE = 'WECHATPAY2-SHA256-RSA2048';

/**
 * Returns when WeChat signed these bytes within five minutes of now.
 *
 * @throws {WechatPaySignatureError} whose reason names the likely mistake and quotes nothing.
 */
export async function verifySignature(
  { headers, body }: SignedMessage,
  nowMs: number,
  findKey: FindKey,
): Promise<void> {
  const signature = readHeader(headers, 'wechatpay-signature');
  if (signature.startsWith(PROBE)) {
    throw new WechatPaySignatureError('WeChat probes whether signatures are verified', {
      isProbe: true,
    });
  }
  assertSignatureType(headers);
  const timestamp = readHeader(headers, 'wechatpay-timestamp');
  const nonce = readHeader(headers, 'wechatpay-nonce');
  const serial = readHeader(headers, 'wechatpay-serial');
  assertInWindow(Number(timestamp), nowMs);
  const key = await findKey(serial);
  if (!key) {
    throw new WechatPaySignatureError(
      'Wechatpay-Serial names neither the secret’s wechatpayPublicKeyId nor a platform certificate of this merchant',
    );
  }
  const message = Buffer.concat([Buffer.from(`${timestamp}\n${nonce}\n`), body, LINE_FEED]);
  if (!verify('sha256', message, key, Buffer.from(signature, 'base64'))) {
    throw new WechatPaySignatureError(
      'Wechatpay-Signature does not fit the body: the message was altered, or the key is not the one of its serial',
    );
  }
}

const LINE_FEED = Buffer.from('\n');

function readHeader(headers: SignedMessage['headers'], name: keyof typeof HEADERS): string {
  const [value, ...others] = valuesOf(headers, name);
  if (value === undefined) {
    throw new WechatPaySignatureError(`the message has no ${name}`);
  }
  if (others.length > 0 || !HEADERS[name].test(value)) {
    throw new WechatPaySignatureError(`${name} is there twice or not of its form`);
  }
  return value;
}

/** Old messages have no such header. */
function assertSignatureType(headers: SignedMessage['headers']): void {
  const types = valuesOf(headers, 'wechatpay-signature-type');
  if (types.some((type) => type !== SIGNATURE_TYPE)) {
    throw new WechatPaySignatureError(`wechatpay-signature-type is not ${SIGNATURE_TYPE}`);
  }
}

function valuesOf(headers: SignedMessage['headers'], name: string): string[] {
  return Object.entries(headers)
    .filter(([key, value]) => key.toLowerCase() === name && value !== undefined)
    .map(([, value]) => String(value));
}

function assertInWindow(epochSeconds: number, nowMs: number): void {
  const ageSeconds = Math.floor(nowMs / 1000) - epochSeconds;
  if (Math.abs(ageSeconds) < WINDOW_SECONDS) {
    return;
  }
  throw new WechatPaySignatureError(
    ageSeconds > 0
      ? 'wechatpay-timestamp is 5 minutes old or more: a replay, or our clock is fast'
      : 'wechatpay-timestamp is 5 minutes ahead or more: our clock is slow',
  );
}

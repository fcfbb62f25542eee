/** JWTs put together by hand. */
import { createHmac } from 'node:crypto';

/** A part of a JWT. */
export const encode = (part: object | string) =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');

/** A JWT of RFC 7515 of which any part can be wrong. */
export function jwt(
  claims: object | string,
  key: string,
  header: object = { alg: 'HS256', typ: 'JWT' },
  hash = 'sha256',
): string {
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${createHmac(hash, key).update(input).digest('base64url')}`;
}

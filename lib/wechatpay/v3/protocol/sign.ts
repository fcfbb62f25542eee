/**
 * Signatures of requests (WECHATPAY2-SHA256-RSA2048): five lines, each ended by a line feed, signed
 * with the merchant's private key.
 *
 * Source: pay.weixin.qq.com/doc/v3/merchant/4012365342.
 */
import { type KeyObject, sign } from 'node:crypto';

/** What WeChat takes into a request's signature. `path` is path and query exactly as sent. */
export interface SignedRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body: string;
}

/** Who signs: the merchant (or provider), and which of their certificates. */
export interface Signer {
  readonly mchid: string;
  readonly serialNo: string;
  readonly privateKey: KeyObject;
}

/**
 * The text that is signed; its fifth line is empty when there is no body.
 *
 * Known answer: `GET\n/v3/refund/domestic/refunds/123123123123\n1554208460\n593BEC0C930BF1AFEB40B4A08C8FB242\n\n`.
 */
export function requestMessage(
  { method, path, body }: SignedRequest,
  timestamp: string,
  nonce: string,
): string {
  return `${method}\n${path}\n${timestamp}\n${nonce}\n${body}\n`;
}

/** SHA-256 with RSA (PKCS#1 v1.5) in base64. Known answers: `test/vectors/v3.json`, `request_sign`. */
export function signRsa(message: string, privateKey: KeyObject): string {
  return sign('sha256', Buffer.from(message, 'utf8'), privateKey).toString('base64');
}

/** The `Authorization` header of a request. */
export function authorization(
  request: SignedRequest,
  { mchid, serialNo, privateKey }: Signer,
  { timestamp, nonce }: { readonly timestamp: string; readonly nonce: string },
): string {
  const signature = signRsa(requestMessage(request, timestamp, nonce), privateKey);
  return `WECHATPAY2-SHA256-RSA2048 mchid="${mchid}",nonce_str="${nonce}",timestamp="${timestamp}",serial_no="${serialNo}",signature="${signature}"`;
}

/** What is known about one signature: the verdict, what was signed, and why it may be wrong. */

export interface Cause {
  /** Stable, for tests. */
  readonly code: string;
  readonly en: string;
  readonly zh: string;
}

/** One thing that WeChat looked at, in order. */
export interface Step {
  readonly check: string;
  readonly ok: boolean;
  readonly en: string;
  readonly zh: string;
}

/** Code of the cause "signed by a public key that the request did not name". */
export const UNNAMED_PUBLIC_KEY = 'PUBLIC_KEY_NOT_NAMED';

export interface SignatureReport {
  /** `own`: WeChat's own signature on what it sent. */
  readonly result: 'valid' | 'invalid' | 'own';
  /** What the message said about its algorithm; null when it said nothing. */
  readonly declaredSignType: string | null;
  readonly algorithm: 'MD5' | 'HMAC-SHA256' | 'WECHATPAY2-SHA256-RSA2048' | 'RSA';
  /** The string that is signed; in v2 the key at its end is masked. */
  readonly stringToSign: string;
  /** Null where only the merchant's private key could make it. */
  readonly expected: string | null;
  readonly received: string | null;
  /** One sentence; absent when the signature is right. */
  readonly reason?: string;
  /** Most likely first. */
  readonly likelyCauses?: readonly Cause[];
  /** API v3: the serial that names the key, what that key is, and every check up to the one that failed. */
  readonly serial?: string | null;
  readonly keyName?: string;
  readonly steps?: readonly Step[];
}

/** For people: what verifies a merchant's signature of API v3. */
export const MERCHANT_KEY_NAME = "public key of the merchant's API certificate";

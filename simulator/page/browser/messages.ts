/** Messages as the simulator and the local stack keep them. */

/** How an exchange ended; `refused` by the one who was asked. */
export type Outcome = 'ok' | 'refused' | 'failed' | 'pending';

export interface Part {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface Cause {
  readonly code: string;
  readonly en: string;
  readonly zh: string;
}

export interface SignatureReport {
  readonly result: 'valid' | 'invalid' | 'own';
  readonly declaredSignType: string | null;
  readonly algorithm: 'MD5' | 'HMAC-SHA256' | 'WECHATPAY2-SHA256-RSA2048' | 'RSA';
  /** In v2 the key at its end is masked; in v3 it is lines, the last one the body. */
  readonly stringToSign: string;
  /** Null where only the merchant's private key could make it. */
  readonly expected: string | null;
  readonly received: string | null;
  readonly reason?: string;
  readonly likelyCauses?: readonly Cause[];
  readonly serial?: string | null;
  readonly keyName?: string;
  readonly steps?: readonly Step[];
}

/** One thing of a v3 request that WeChat looked at. */
export interface Step {
  readonly check: string;
  readonly ok: boolean;
  readonly en: string;
  readonly zh: string;
}

/** A message that WeChat took part in (`/_simulator/messages`). */
export interface WechatMessage {
  readonly id: number;
  readonly time: string;
  readonly epochMs: number;
  readonly from: string;
  readonly to: string;
  readonly kind: string;
  readonly method: string;
  readonly path: string;
  readonly request: Part;
  readonly response?: Part & { readonly status: number };
  readonly signature?: SignatureReport;
  readonly answerSignature?: SignatureReport;
  /** What an encrypted notification says. */
  readonly plaintext?: string;
  readonly fault?: string;
  readonly note?: string;
  readonly durationMs?: number;
}

/** A message between the API, its callers and the table (`/_local/messages`). */
export interface LocalMessage {
  readonly id: number;
  readonly time: string;
  readonly epochMs: number;
  readonly from: 'mini-program' | 'wechat' | 'schedule' | 'tool' | 'api';
  readonly to: 'api' | 'table';
  readonly functionName: string;
  readonly invocationId: string;
  readonly method: string;
  readonly path: string;
  readonly request: Part;
  readonly response?: Part & { readonly status: number };
  readonly durationMs?: number;
  readonly log?: readonly LogLine[];
}

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

export interface AnyMessage {
  readonly id: number;
  readonly epochMs: number;
  readonly response?: object;
}

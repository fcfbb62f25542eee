/** Messages as the simulator and the local stack keep them. */
import type { SignatureReport } from '../../explain/report.ts';

export type { SignatureReport } from '../../explain/report.ts';

/** How an exchange ended; `refused` by the one who was asked. */
export type Outcome = 'ok' | 'refused' | 'failed' | 'pending';

export interface Part {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
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

/** A message between the API, its callers, the table and EventBridge (`/_local/messages`). */
export interface LocalMessage {
  readonly id: number;
  readonly time: string;
  readonly epochMs: number;
  readonly from: 'mini-program' | 'wechat' | 'schedule' | 'tool' | 'api';
  readonly to: 'api' | 'table' | 'event-bus';
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

/** What both programs keep. */
export interface Messages {
  readonly wechat: readonly WechatMessage[];
  readonly local: readonly LocalMessage[];
}

export interface AnyMessage {
  readonly id: number;
  readonly epochMs: number;
  readonly response?: object;
}

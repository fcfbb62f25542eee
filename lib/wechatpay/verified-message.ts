/** A message from WeChat as it may be kept: what was verified of it, and nothing that proves or opens anything. */
import { createHash } from 'node:crypto';

export interface VerifiedMessage {
  /** WeChat's own (v3), or a digest of the body. Of `0-9A-Za-z_-`, 64 characters at most. */
  readonly id: string;
  /** JSON, which the version that it came by can read again. */
  readonly content: string;
}

/** The name of a message: WeChat's, if there is one that can stand in a key. */
export function messageId(body: Uint8Array, given?: unknown): string {
  return typeof given === 'string' && /^[\w-]{1,64}$/.test(given)
    ? given
    : createHash('sha256').update(body).digest('hex').slice(0, 32);
}

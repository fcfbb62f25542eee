/**
 * What the simulator has from outside. Time, randomness, timers, keys and calls to the merchant come
 * through here and nowhere else, so that a run can be repeated byte for byte.
 */

export type RandomBytes = (size: number) => Buffer;

/** Runs once after so many milliseconds, unless it is cancelled with the function that comes back. */
export type StartTimer = (delayMs: number, run: () => void) => () => void;

/** PEM texts: SPKI and PKCS#8. */
export interface RsaKeyPair {
  readonly publicKey: string;
  readonly privateKey: string;
}

export interface OutgoingRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** A connection that earlier requests left open may be used. */
  readonly keepAlive: boolean;
  /** Sends half of the body, then cuts the connection. */
  readonly cut?: boolean;
  /** Absent: waits without end. */
  readonly timeoutMs?: number;
  /** Absent: takes an answer of any length. */
  readonly maxAnswerBytes?: number;
}

/** `broken`: the answer began and did not end. */
export type OutgoingResult =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly headers: Record<string, string | string[] | undefined>;
      readonly body: Buffer;
    }
  | { readonly kind: 'unreachable' | 'broken'; readonly error: string }
  | { readonly kind: 'timeout' | 'too-large' | 'cut' };

export interface HttpClient {
  /** @throws {Error} for what is not an address; everything else is a result. */
  send(request: OutgoingRequest): Promise<OutgoingResult>;
  close(): void;
}

export interface Surroundings {
  /** The wall clock: milliseconds since the epoch. */
  readonly nowMs: () => number;
  /** Milliseconds, with fractions, that never step back; only differences count. */
  readonly monotonicMs: () => number;
  readonly randomBytes: RandomBytes;
  readonly startTimer: StartTimer;
  /** 2048 bits. */
  readonly createRsaKeyPair: () => Promise<RsaKeyPair>;
  /** For what goes to the merchant: notifications, and what the page asks of the API. */
  readonly openHttpClient: () => HttpClient;
}

/** Every message between the parties, in order, with secrets masked: what a developer reads to see what happened. */
import type { Answer } from './http.ts';
import { type SignatureReport, UNNAMED_PUBLIC_KEY } from '../explain/report.ts';

const KEPT_MESSAGES = 5000;
const KEPT_CHARACTERS = 16 * 1024;
/** Also a wrong secret is one: it may be the real one of another mini-program. */
const SECRET_IN_QUERY = /([?&]secret=)[^&#]*/g;
const SESSION_KEY = /("session_key"\s*:\s*")[^"]*/g;

type Headers = Record<string, string | string[] | undefined>;

export interface Message {
  readonly id: number;
  /** WeChat's clock, ISO 8601. */
  readonly time: string;
  /** Real milliseconds since the epoch; the order of messages of several programs. */
  readonly epochMs: number;
  readonly from: string;
  readonly to: string;
  /** `unifiedorder`, `notify`, `requestPayment`, … */
  readonly kind: string;
  readonly method: string;
  readonly path: string;
  readonly request: { headers: Headers; body: string };
  /** Absent: no answer was sent or came back. */
  response?: { status: number; headers: Headers; body: string };
  /** Verification of the signature on the request, or on what WeChat sent. */
  signature?: SignatureReport;
  /** WeChat's own signature on its answer. */
  answerSignature?: SignatureReport;
  /** What an encrypted notification says. */
  plaintext?: string;
  fault?: string;
  /** What the developer should know about this message. */
  note?: string;
  durationMs?: number;
}

/** The part of an answer that the receiver gets. */
export function describeAnswer({
  status,
  headers,
  body,
  cut,
}: Answer): Message['response'] & object {
  return { status, headers, body: cut ? body.slice(0, body.length / 2) : body };
}

export interface Messages {
  /** Keeps the message; fields that come later (the answer) may still be set on the returned object. */
  add(message: Omit<Message, 'id' | 'time' | 'epochMs'>): Message;
  list(afterId?: number): Message[];
  clear(): void;
}

/** `listSecrets` is asked each time: keys change. `now` is WeChat's clock, `wallClockMs` real time. */
export function createMessages(
  listSecrets: () => readonly string[],
  now: () => number,
  wallClockMs: () => number,
): Messages {
  let kept: Message[] = [];
  let lastId = 0;

  const mask = (text: string, secrets: readonly string[]) => {
    let masked = text.replaceAll(SECRET_IN_QUERY, '$1***').replaceAll(SESSION_KEY, '$1***');
    for (const secret of secrets) {
      masked = masked.replaceAll(secret, '***');
    }
    return masked;
  };

  return {
    add(message) {
      lastId += 1;
      const time = new Date(now()).toISOString();
      const added: Message = { id: lastId, time, epochMs: wallClockMs(), ...message };
      kept.push(added);
      if (kept.length > KEPT_MESSAGES * 1.1) {
        kept = kept.slice(-KEPT_MESSAGES);
      }
      return added;
    },
    list(afterId = 0) {
      const secrets = listSecrets();
      const shown = kept.slice(-KEPT_MESSAGES).filter((message) => message.id > afterId);
      return shown.map((message) =>
        JSON.parse(JSON.stringify(message), (_, value: unknown) =>
          typeof value === 'string' ? mask(value.slice(0, KEPT_CHARACTERS), secrets) : value,
        ),
      ) as Message[];
    },
    clear() {
      kept = [];
    },
  };
}

const REFUSALS = [
  /<(return|result)_code>(<!\[CDATA\[)?FAIL/,
  /"errcode":-?[1-9]/,
  /"errMsg":"requestPayment:fail(?! cancel)/,
];

/** A signature was wrong or may be good for nothing to its receiver, or the message was refused by the one who got it. */
export function hasFailed({ signature, answerSignature, response, note }: Message): boolean {
  const isForged = [signature, answerSignature].some((report) => report?.result === 'invalid');
  const isUnnamed = answerSignature?.likelyCauses?.some(({ code }) => code === UNNAMED_PUBLIC_KEY);
  const body = response?.body ?? '';
  return (
    isForged ||
    isUnnamed === true ||
    (response?.status ?? 0) >= 400 ||
    REFUSALS.some((refusal) => refusal.test(body)) ||
    /^(refused|bad-answer)/.test(note ?? '')
  );
}

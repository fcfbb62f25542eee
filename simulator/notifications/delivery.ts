/** One HTTP call to the merchant's notify_url, and whether its answer counts as an acknowledgement. */
import type { HttpClient, OutgoingResult, Surroundings } from '../surroundings/surroundings.ts';
import { decodeUtf8, parseXml } from '../v2/wire.ts';

const ANSWER_TIMEOUT_MS = 5000;
const MAX_ANSWER_BYTES = 64 * 1024;
const EXCERPT_CHARACTERS = 300;

/** How one attempt ended. Only `acknowledged` stops the retries. */
export type Outcome =
  | 'acknowledged'
  | 'refused'
  | 'bad-answer'
  | 'timeout'
  | 'connection-failed'
  | 'lost'
  | 'cut'
  | 'acknowledgement-lost';

export interface AttemptDetail {
  httpStatus?: number;
  answer?: string;
  error?: string;
  fault?: string;
  durationMs?: number;
}

export interface Delivery extends AttemptDetail {
  outcome: Outcome;
  answerHeaders?: Record<string, string | string[] | undefined>;
}

/** Whether an answer counts as an acknowledgement. */
export type Judge = (httpStatus: number, body: Buffer) => Delivery;

export interface Parcel {
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly judge: Judge;
}

export interface Courier {
  deliver(url: string, parcel: Parcel, options?: { cut?: boolean }): Promise<Delivery>;
  close(): void;
}

export function createCourier({
  openHttpClient,
  monotonicMs,
}: Pick<Surroundings, 'openHttpClient' | 'monotonicMs'>): Courier {
  const client: HttpClient = openHttpClient();

  return {
    async deliver(url, { headers, body, judge }, { cut = false } = {}) {
      const startedMs = monotonicMs();
      try {
        const result = await client.send({
          url,
          method: 'POST',
          headers,
          body: Buffer.from(body),
          keepAlive: true,
          cut,
          timeoutMs: ANSWER_TIMEOUT_MS,
          maxAnswerBytes: MAX_ANSWER_BYTES,
        });
        return { ...judgeResult(result, judge), durationMs: Math.round(monotonicMs() - startedMs) };
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        return { outcome: 'connection-failed', error: text };
      }
    },
    close: () => client.close(),
  };
}

function judgeResult(result: OutgoingResult, judge: Judge): Delivery {
  switch (result.kind) {
    case 'answered':
      return { ...judge(result.status, result.body), answerHeaders: result.headers };
    case 'timeout':
      return { outcome: 'timeout', error: 'no complete answer within 5 seconds' };
    case 'too-large':
      return { outcome: 'bad-answer', error: 'the answer is larger than 64 kB' };
    case 'cut':
      return { outcome: 'cut', error: 'the connection was cut in the middle of the message' };
    default:
      return { outcome: 'connection-failed', error: result.error };
  }
}

/** Only status 200 with XML whose return_code is SUCCESS stops the retries: no JSON, no bare word, no BOM. */
export function judgeAcknowledgementV2(httpStatus: number, body: Buffer): Delivery {
  const answer = body.toString('utf8').slice(0, EXCERPT_CHARACTERS);
  const bad = (error: string): Delivery => ({ outcome: 'bad-answer', httpStatus, answer, error });
  if (httpStatus !== 200) {
    return bad(`status ${httpStatus} instead of 200`);
  }
  let returnCode: string | undefined;
  try {
    const text = decodeUtf8(body);
    if (!text.trimEnd().startsWith('<')) {
      return bad('the answer does not begin with "<"');
    }
    returnCode = parseXml(text)['return_code'];
  } catch (error) {
    return bad(error instanceof Error ? error.message : 'not XML');
  }
  if (returnCode === 'SUCCESS') {
    return { outcome: 'acknowledged', httpStatus, answer };
  }
  return { outcome: 'refused', httpStatus, answer, error: `return_code is ${returnCode}` };
}

/** In API v3 the status decides: 200 or 204. */
export function judgeAcknowledgementV3(httpStatus: number, body: Buffer): Delivery {
  const answer = body.toString('utf8').slice(0, EXCERPT_CHARACTERS);
  if (httpStatus === 200 || httpStatus === 204) {
    return { outcome: 'acknowledged', httpStatus, answer };
  }
  const outcome = httpStatus >= 400 ? 'refused' : 'bad-answer';
  return { outcome, httpStatus, answer, error: `status ${httpStatus} instead of 200 or 204` };
}

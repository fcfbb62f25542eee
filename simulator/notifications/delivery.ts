/** One HTTP call to the merchant's notify_url, and whether its answer counts as an acknowledgement. */
import http from 'node:http';
import https from 'node:https';
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
  answerHeaders?: http.IncomingHttpHeaders;
}

const AGENTS = { keepAlive: true, maxSockets: 64 };

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

export function createCourier(): Courier {
  const httpAgent = new http.Agent(AGENTS);
  const httpsAgent = new https.Agent(AGENTS);

  async function call(url: string, parcel: Parcel, cut: boolean): Promise<Delivery> {
    const target = new URL(url);
    const body = Buffer.from(parcel.body);
    const secure = target.protocol === 'https:';
    return new Promise((resolve) => {
      const startedMs = performance.now();
      const finish = (delivery: Delivery) => {
        clearTimeout(timer);
        resolve({ ...delivery, durationMs: Math.round(performance.now() - startedMs) });
      };
      const request = (secure ? https : http).request(target, {
        method: 'POST',
        agent: secure ? httpsAgent : httpAgent,
        headers: { ...parcel.headers, 'Content-Length': body.length },
      });
      const timer = setTimeout(() => {
        finish({ outcome: 'timeout', error: 'no complete answer within 5 seconds' });
        request.destroy();
      }, ANSWER_TIMEOUT_MS);
      request.on('error', (error: NodeJS.ErrnoException) => {
        if (request.reusedSocket && error.code === 'ECONNRESET' && !cut) {
          // The merchant's server closed an idle connection at the very moment of its re-use.
          clearTimeout(timer);
          resolve(call(url, parcel, cut));
          return;
        }
        finish({ outcome: 'connection-failed', error: error.code ?? error.message });
      });
      request.on('response', (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > MAX_ANSWER_BYTES) {
            finish({ outcome: 'bad-answer', error: 'the answer is larger than 64 kB' });
            request.destroy();
          }
          chunks.push(chunk);
        });
        response.on('error', (error) => {
          finish({ outcome: 'connection-failed', error: error.message });
        });
        response.on('end', () => {
          const status = response.statusCode ?? 0;
          finish({
            ...parcel.judge(status, Buffer.concat(chunks)),
            answerHeaders: response.headers,
          });
        });
      });
      if (cut) {
        request.write(body.subarray(0, body.length / 2), () => {
          finish({ outcome: 'cut', error: 'the connection was cut in the middle of the message' });
          request.destroy();
        });
      } else {
        request.end(body);
      }
    });
  }

  return {
    async deliver(url, parcel, { cut = false } = {}) {
      try {
        return await call(url, parcel, cut);
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        return { outcome: 'connection-failed', error: text };
      }
    },
    close() {
      httpAgent.destroy();
      httpsAgent.destroy();
    },
  };
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

/**
 * The trade bill: `/v3/bill/tradebill` signs where it is and what its SHA-1 is; the file itself comes
 * without a signature, by a link that is good for a few minutes.
 *
 * Source: pay.weixin.qq.com/doc/v3/merchant/4012791884 and the download's own page.
 */
import * as v from 'valibot';
import {
  WechatPayMalformedMessageError,
  WechatPayServiceError,
  WechatPayTransportError,
} from '../../errors.ts';
import {
  answerFileOf,
  type BillFile,
  type BillReference,
  readBillFile,
  type TradeBillResult,
} from '../bill-file.ts';
import type { Bills, CallOptions } from '../operations.ts';
import { secretOf } from '../secret-of.ts';
import { call, type V3Client } from './protocol/call.ts';
import { readShape, tryJson } from './protocol/json.ts';
import { meaningOf, ownersError, readFailure } from './protocol/refusals.ts';
import { sendSigned } from './protocol/send.ts';

/** The bills of API v3. */
export function openBills(client: V3Client): Bills {
  return {
    async downloadTradeBill(bill, file, options) {
      try {
        return await download(client, bill, file, options);
      } catch (error) {
        if (error instanceof WechatPayServiceError && error.retryable) {
          return { kind: 'not-ready', reason: error.message };
        }
        throw error;
      }
    },
  };
}

/** So long the question where the bill is may take; the rest is for the file. */
const QUESTION_MS = 10_000;
/** A link is good for minutes, and a file that is broken off may need another. */
const MAX_LINKS = 2;

async function download(
  client: V3Client,
  bill: BillReference,
  file: BillFile,
  { timeoutMs }: CallOptions,
): Promise<TradeBillResult> {
  const deadlineMs = client.nowMs() + timeoutMs;
  const remainingMs = () => Math.max(1, Math.min(timeoutMs, deadlineMs - client.nowMs()));
  let refusal = '';
  for (let links = 0; links < MAX_LINKS; links += 1) {
    const found = await askForLink(client, bill, Math.min(QUESTION_MS, remainingMs()));
    if (found.kind !== 'link') {
      return found;
    }
    const fetched = await fetchFile(client, bill, found.path, file, remainingMs());
    if (fetched.ok) {
      return readBillFile(file, fetched.beginning, found.sha1);
    }
    refusal = fetched.text;
  }
  return { kind: 'not-ready', reason: `WeChat refuses its own link to the file: ${refusal}` };
}

const linkAnswer = v.object({
  hash_type: v.pipe(v.string(), v.toUpperCase(), v.literal('SHA1')),
  hash_value: v.pipe(v.string(), v.regex(/^[0-9a-f]{40}$/i)),
  download_url: v.pipe(v.string(), v.url()),
});

interface Link {
  readonly kind: 'link';
  readonly path: string;
  readonly sha1: string;
}

type Asked = Link | Exclude<TradeBillResult, { readonly kind: 'downloaded' }>;

async function askForLink(
  client: V3Client,
  { date, mchid, subMchid }: BillReference,
  timeoutMs: number,
): Promise<Asked> {
  const search = new URLSearchParams({
    bill_date: date,
    bill_type: 'ALL',
    tar_type: 'GZIP',
    ...(subMchid !== undefined && { sub_mchid: subMchid }),
  });
  const request = { method: 'GET', path: `/v3/bill/tradebill?${search}`, body: '' } as const;
  const answer = await call(client, mchid, request, { timeoutMs, repeatable: true });
  if (answer.ok) {
    const { download_url, hash_value } = readShape(answer.json, linkAnswer);
    return { kind: 'link', path: pathOf(download_url), sha1: hash_value };
  }
  switch (answer.code) {
    case 'NO_STATEMENT_EXIST':
      return { kind: 'empty' };
    case 'STATEMENT_CREATING':
      return { kind: 'not-ready', reason: answer.code };
    default:
      throw new WechatPayServiceError('rejected', answer.code, answer.text);
  }
}

/**
 * Of the link only path and query are used: the request with our signature goes to the hosts that
 * every other call goes to, whatever host is in it.
 */
function pathOf(url: string): string {
  const { pathname, search } = new URL(url);
  if (!pathname.startsWith('/v3/bill')) {
    throw new WechatPayMalformedMessageError('the message has no usable download_url');
  }
  return `${pathname}${search}`;
}

type Fetched =
  | { readonly ok: true; readonly beginning: Buffer }
  | { readonly ok: false; readonly text: string };

async function fetchFile(
  client: V3Client,
  { mchid }: BillReference,
  path: string,
  file: BillFile,
  timeoutMs: number,
): Promise<Fetched> {
  const secret = await secretOf(client.merchant, mchid);
  const request = { method: 'GET', path, body: '' } as const;
  const sending = { timeoutMs, repeatable: true, saveTo: answerFileOf(file) };
  const response = await sendSigned(client, secret, request, sending);
  if (response.savedBytes !== undefined) {
    return { ok: true, beginning: response.body };
  }
  const failure = readFailure(response, tryJson(response.body));
  const meaning = meaningOf(response.statusCode, failure?.code);
  if (meaning?.remedy === 'owner') {
    throw ownersError(response, failure, meaning, client.nowMs());
  }
  if (!failure || meaning?.remedy === 'later') {
    throw new WechatPayTransportError('unknown', `HTTP status ${response.statusCode}`);
  }
  return { ok: false, text: `${failure.code}: ${failure.text}` };
}

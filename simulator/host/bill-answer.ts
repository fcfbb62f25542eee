/** A bill on its way: bytes without a signature, and what the message log keeps of them. */
import { gzipSync } from 'node:zlib';
import type { BillFile } from '../book/bills.ts';
import type { Answer } from './http.ts';
import type { Message } from './messages.ts';

/** A bill may be of any length; so much of its beginning stays in the log. */
const LOGGED_BYTES = 2000;

/** `altered`: a digit changes on the way, and nothing else that says so. */
export function answerBill(
  { order, rows, text, sha1, gzip, plan }: BillFile,
  message: Message,
  altered = false,
): Answer {
  const sent = altered ? alterAmount(text) : text;
  const bytes = gzip ? gzipSync(sent) : sent;
  const how = gzip ? `gzip, ${bytes.length} bytes of ${sent.length}` : `${bytes.length} bytes`;
  const planted =
    plan.alter.length > 0 ? `; ${plan.alter.length} rows were altered on request` : '';
  message.note = `the bill of ${order.date}: ${rows.length} rows, ${how}, SHA-1 ${sha1}; without a signature, as WeChat sends it${planted}`;
  return {
    status: 200,
    headers: { 'Content-Type': gzip ? 'application/x-gzip' : 'text/plain;charset=utf-8' },
    body: beginningOf(sent),
    bytes,
  };
}

/** Whole characters only. */
function beginningOf(text: Buffer): string {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const shown = decoder.decode(text.subarray(0, LOGGED_BYTES), { stream: true });
  return text.length > LOGGED_BYTES ? `${shown}…` : shown;
}

const FIRST_AMOUNT = /(?<=\n`.*?,`)\d(?=\.\d\d,)/;

const alterAmount = (text: Buffer) =>
  Buffer.from(
    new TextDecoder('utf-8', { ignoreBOM: true })
      .decode(text)
      .replace(FIRST_AMOUNT, (digit) => (digit === '9' ? '8' : (Number(digit) + 1).toString())),
  );

/** A bill as it is asked for, and as it lies in a file, whatever the API version. */
import { createHash } from 'node:crypto';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Parties } from '../order/parties.ts';
import type { AnswerFile } from '../transport/answer.ts';

/** Which bill: a day in Beijing (`2026-11-24`); a provider's is of one sub-merchant, or of all. */
export interface BillReference extends Omit<Parties, 'subMchid'> {
  readonly date: string;
  readonly subMchid?: string | undefined;
}

/** A file that is written and read. */
export interface BillFile extends Pick<AnswerFile, 'openToWrite'> {
  readonly openToRead: () => Readable;
}

/**
 * What came of asking for a bill. `empty`: WeChat has none, because nothing was sold, or because it
 * is too early. `not-ready`: the same again later, for the reason in words for people.
 */
export type TradeBillResult =
  | {
      readonly kind: 'downloaded';
      /** Over the text, in hex; in v3 it is the one that WeChat signed. */
      readonly sha1: string;
      /** The text from its beginning, decompressed; errors of a stream when the file is damaged. */
      readonly open: () => Readable;
    }
  | { readonly kind: 'empty' }
  | { readonly kind: 'not-ready'; readonly reason: string };

/** Of the file as it comes: a million rows have some 60 MB, compressed. */
const MAX_FILE_BYTES = 512 * 1024 * 1024;
/** Of the text: what takes more is no bill. */
const MAX_TEXT_BYTES = 4 * 1024 * 1024 * 1024;
const MAX_SILENCE_MS = 30_000;

/** The file as the transport takes it. */
export const answerFileOf = ({ openToWrite }: BillFile): AnswerFile => ({
  openToWrite,
  maxBytes: MAX_FILE_BYTES,
  maxSilenceMs: MAX_SILENCE_MS,
});

const isGzip = (beginning: Uint8Array) => beginning[0] === 0x1f && beginning[1] === 0x8b;

/**
 * The bill in a file that was just written: its SHA-1 is taken by reading all of it once.
 *
 * @param beginning of the file; WeChat compresses, or not, whatever it was asked for.
 * @param expectedSha1 in hex, if WeChat said one.
 */
export async function readBillFile(
  file: BillFile,
  beginning: Uint8Array,
  expectedSha1?: string,
  maxTextBytes = MAX_TEXT_BYTES,
): Promise<TradeBillResult> {
  const open = isGzip(beginning) ? () => gunzipped(file.openToRead()) : file.openToRead;
  const digest = createHash('sha1');
  let size = 0;
  try {
    for await (const chunk of open() as AsyncIterable<Buffer>) {
      digest.update(chunk);
      size += chunk.length;
      if (size > maxTextBytes) {
        return { kind: 'not-ready', reason: 'the file is too large' };
      }
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code?.startsWith('Z_')) {
      return { kind: 'not-ready', reason: 'the file is damaged: it cannot be decompressed' };
    }
    throw error;
  }
  const sha1 = digest.digest('hex');
  return expectedSha1 === undefined || expectedSha1.toLowerCase() === sha1
    ? { kind: 'downloaded', sha1, open }
    : {
        kind: 'not-ready',
        reason: 'the file is damaged: its SHA-1 is not the one that WeChat says',
      };
}

function gunzipped(compressed: Readable): Readable {
  // Whoever reads sees the error of either.
  return pipeline(compressed, createGunzip(), () => undefined);
}

/** Files in memory, and answers that are saved into them. */
import { Readable, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { WechatRequest, WechatResponse } from '../../lib/transport/transport.ts';
import type { BillFile, TradeBillResult } from '../../lib/wechatpay/bill-file.ts';

export function memoryFile(): BillFile & { readonly bytes: () => Buffer } {
  let chunks: Buffer[] = [];
  return {
    bytes: () => Buffer.concat(chunks),
    openToWrite: () => {
      chunks = [];
      return new Writable({
        write: (chunk: Buffer, _encoding, done) => {
          chunks.push(chunk);
          done();
        },
      });
    },
    // In pieces, as a disk gives them.
    openToRead: () => Readable.from(piecesOf(Buffer.concat(chunks))),
  };
}

function* piecesOf(bytes: Buffer) {
  for (let from = 0; from < bytes.length; from += 1_000) {
    yield bytes.subarray(from, from + 1_000);
  }
}

/** What the transport answers to a request with `saveTo` when the host says this with status 200. */
export async function saved(
  { saveTo, maxResponseBytes = 65_536 }: Pick<WechatRequest, 'saveTo' | 'maxResponseBytes'>,
  bytes: Buffer,
): Promise<WechatResponse> {
  if (!saveTo) {
    throw new Error('the answer was to be in memory');
  }
  const writable = saveTo.openToWrite();
  await new Promise<void>((resolve) => {
    writable.end(bytes, resolve);
  });
  return {
    statusCode: 200,
    headers: {},
    body: bytes.subarray(0, maxResponseBytes),
    savedBytes: bytes.length,
  };
}

/** The bytes of a bill that was downloaded; fails when it was not. */
export function textOf(result: TradeBillResult): Promise<Buffer> {
  if (result.kind !== 'downloaded') {
    throw new Error(`the bill is ${result.kind}`);
  }
  return buffer(result.open());
}

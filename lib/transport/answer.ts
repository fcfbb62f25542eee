/** The body of an answer: into memory, or past it into a file. */
import type { IncomingMessage } from 'node:http';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Where an answer goes that is too large for memory. */
export interface AnswerFile {
  /** Opens it anew and empty: an answer that broke off is written over by the next attempt's. */
  readonly openToWrite: () => Writable;
  /** A longer answer is an error. */
  readonly maxBytes: number;
  /** An answer that says nothing for so long is given up; its time as a whole has its own limit. */
  readonly maxSilenceMs: number;
}

/** The answer is longer than it may be. */
export class AnswerTooLargeError extends Error {
  constructor() {
    super('the answer is too large');
  }
}

/** The file failed, and not the connection: no host does better. */
export class AnswerFileError extends Error {
  constructor(cause: unknown) {
    super('the answer could not be written to its file', { cause });
  }
}

/**
 * The whole body.
 *
 * @throws {AnswerTooLargeError} when it is longer than that; whatever else ends the connection, as it is.
 */
export async function readAnswer(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) {
      throw new AnswerTooLargeError();
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * Writes the body into the file, at the file's pace, and ends with it: also when it fails nobody
 * writes there any more.
 *
 * @param onChunk is told of each piece as it comes.
 * @returns what the body begins with, `keptBytes` at most, and how long it is.
 * @throws {AnswerTooLargeError | AnswerFileError} and whatever else ends the connection, as it is.
 */
export async function saveAnswer(
  response: IncomingMessage,
  file: AnswerFile,
  keptBytes: number,
  onChunk: () => void,
): Promise<{ readonly body: Buffer; readonly savedBytes: number }> {
  const kept: Buffer[] = [];
  let savedBytes = 0;
  // The end of either is the end of the other: the first to fail is the one that did.
  let failed: 'answer' | 'file' | undefined;
  response.once('error', () => {
    failed ??= 'answer';
  });
  const writable = file.openToWrite();
  writable.once('error', () => {
    failed ??= 'file';
  });
  const isClosed = new Promise<void>((resolve) => {
    writable.once('close', resolve);
  });
  const metered = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      onChunk();
      if (savedBytes < keptBytes) {
        kept.push(Buffer.from(chunk.subarray(0, keptBytes - savedBytes)));
      }
      savedBytes += chunk.length;
      if (savedBytes > file.maxBytes) {
        failed ??= 'answer';
        throw new AnswerTooLargeError();
      }
      yield chunk;
    }
  };
  try {
    await pipeline(response, metered, writable);
  } catch (error) {
    throw failed === 'file' ? new AnswerFileError(error) : error;
  } finally {
    await isClosed;
  }
  return { body: Buffer.concat(kept), savedBytes };
}

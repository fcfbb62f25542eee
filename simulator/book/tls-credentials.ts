/** The simulator's own TLS: made once and kept in the book, so that callers trust it over restarts. */
import type { Book } from './book.ts';
import { createTlsCredentials, type KeyMaker, type TlsCredentials } from './certificate.ts';

const NAME = 'tls';

export async function readTlsCredentials(book: Book, maker: KeyMaker): Promise<TlsCredentials> {
  const kept = book.readMeta(NAME);
  if (kept !== undefined) {
    return JSON.parse(kept) as TlsCredentials;
  }
  const made = await createTlsCredentials(maker);
  book.writeMeta(NAME, JSON.stringify(made));
  return made;
}

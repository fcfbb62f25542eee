/** How a signature is made, as a value that a mistake can change. */
import { createHash, createHmac } from 'node:crypto';
import { compare } from '../compare.ts';
import type { Cause } from '../report.ts';

/** What a message of API v2 may declare. */
export type SignType = 'MD5' | 'HMAC-SHA256';
export type Pair = readonly [name: string, value: string];
export type Digest =
  | SignType
  | 'HMAC-SHA256 without &key='
  | 'SHA256'
  | 'SHA1'
  | 'HMAC-MD5'
  | 'MD5 without key';

/** How somebody may have made the signature. */
export interface Recipe {
  readonly pairs: readonly Pair[];
  readonly order: (a: Pair, b: Pair) => number;
  readonly key: string;
  readonly digest: Digest;
  readonly encode: (text: string) => Buffer;
  readonly write: (digest: Buffer) => string;
}

export interface Guess {
  /** Two guesses of one kind exclude each other. */
  readonly kind: 'algorithm' | 'key' | 'values' | 'fields' | 'order' | 'encoding' | 'output';
  readonly cause: Cause;
  readonly change: (recipe: Recipe) => Recipe;
}

/** What is taken for the API v2 key by mistake. */
export type OtherKey = 'the API v3 key' | 'the appSecret of the mini-program' | 'the mch_id';

export interface GuessContext {
  readonly signType: SignType;
  /** Other secrets of the merchant that may have been taken for the key, by name. */
  readonly otherKeys: Readonly<Partial<Record<OtherKey, string | undefined>>>;
  readonly key: string;
  /** Everything that was received, with empty values and in the order of the document. */
  readonly pairs: readonly Pair[];
  /** The same with the blanks around values, when there are any. */
  readonly untrimmed?: readonly Pair[] | undefined;
}

const byName: Recipe['order'] = ([a], [b]) => compare(a, b);
const upperHex = (digest: Buffer) => digest.toString('hex').toUpperCase();

/** Makes the signature that this recipe gives. */
export function cook({ pairs, order, key, digest, encode, write }: Recipe): string {
  const text = pairs
    .toSorted(order)
    .map((pair) => pair.join('='))
    .join('&');
  const keyed = encode(`${text}&key=${key}`);
  const digests: Record<Digest, () => Buffer> = {
    MD5: () => createHash('md5').update(keyed).digest(),
    'HMAC-SHA256': () => createHmac('sha256', key).update(keyed).digest(),
    'HMAC-SHA256 without &key=': () => createHmac('sha256', key).update(encode(text)).digest(),
    SHA256: () => createHash('sha256').update(keyed).digest(),
    SHA1: () => createHash('sha1').update(keyed).digest(),
    'HMAC-MD5': () => createHmac('md5', key).update(keyed).digest(),
    'MD5 without key': () => createHash('md5').update(encode(text)).digest(),
  };
  return write(digests[digest]());
}

export const present = (pairs: readonly Pair[]) => pairs.filter(([, value]) => value !== '');

/** The recipe of WeChat Pay's documentation. */
export function rightRecipe({ pairs, key, signType }: GuessContext): Recipe {
  return {
    pairs: present(pairs),
    order: byName,
    key,
    digest: signType,
    encode: (text) => Buffer.from(text, 'utf8'),
    write: upperHex,
  };
}

/** Writes a guess: first what went wrong, then the change that makes it. */
export function guess(kind: Guess['kind'], cause: [code: string, en: string, zh: string]) {
  const [code, en, zh] = cause;
  return (change: Guess['change']): Guess => ({ kind, cause: { code, en, zh }, change });
}

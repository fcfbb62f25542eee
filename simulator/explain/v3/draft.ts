/** How somebody may have made a v3 signature: the lines, what stands between them, the bytes that were hashed. */
import { constants, createHash, type KeyObject, publicDecrypt } from 'node:crypto';
import { compare } from '../compare.ts';
import type { Cause } from '../report.ts';

export interface Draft {
  readonly lines: readonly string[];
  readonly separator: string;
  readonly end: string;
  readonly encode: (text: string) => Buffer;
}

export interface DraftGuess {
  /** Two guesses of one kind exclude each other. */
  readonly kind: string;
  readonly cause: Cause;
  readonly change: (draft: Draft) => Draft;
}

export const rightDraft = (lines: readonly string[]): Draft => ({
  lines,
  separator: '\n',
  end: '\n',
  encode: (text) => Buffer.from(text, 'utf8'),
});

const writeDraft = ({ lines, separator, end, encode }: Draft) =>
  encode(lines.join(separator) + end);

export const changeLine =
  (index: number, change: (line: string, draft: Draft) => string): DraftGuess['change'] =>
  (draft) => ({
    ...draft,
    lines: draft.lines.map((line, at) => (at === index ? change(line, draft) : line)),
  });

/** Writes a guess: first what went wrong, then the change that makes it. */
export function draftGuess(kind: string, cause: [code: string, en: string, zh: string]) {
  const [code, en, zh] = cause;
  return (change: DraftGuess['change']): DraftGuess => ({ kind, cause: { code, en, zh }, change });
}

const DIGEST_INFOS = {
  sha256: '3031300d060960864801650304020105000420',
  sha1: '3021300906052b0e03021a05000414',
  md5: '3020300c06082a864886f70d020505000410',
  sha384: '3041300d060960864801650304020205000430',
  sha512: '3051300d060960864801650304020305000440',
} as const;

export interface SignedDigest {
  readonly algorithm: keyof typeof DIGEST_INFOS | undefined;
  readonly digest: string;
}

/** The digest inside a PKCS#1 v1.5 signature; undefined when it was made with another key, or as PSS. */
export function openSignature(signature: Buffer, publicKey: KeyObject): SignedDigest | undefined {
  try {
    const padding = constants.RSA_PKCS1_PADDING;
    const content = publicDecrypt({ key: publicKey, padding }, signature).toString('hex');
    for (const [algorithm, prefix] of Object.entries(DIGEST_INFOS)) {
      if (content.startsWith(prefix)) {
        const name = algorithm as keyof typeof DIGEST_INFOS;
        return { algorithm: name, digest: content.slice(prefix.length) };
      }
    }
    return { algorithm: undefined, digest: content };
  } catch {
    return undefined;
  }
}

/** Above this size only single mistakes are tried. */
const MAX_PAIRED_CHARACTERS = 8192;

/** The mistake, or the two mistakes, that give this digest. */
export function findMistakes(
  draft: Draft,
  guesses: readonly DraftGuess[],
  { algorithm = 'sha256', digest }: SignedDigest,
): Cause[] | undefined {
  const fits = (changed: Draft) =>
    createHash(algorithm).update(writeDraft(changed)).digest('hex') === digest;
  if (fits(draft)) {
    return [];
  }
  const single = guesses.find(({ change }) => fits(change(draft)));
  if (single) {
    return [single.cause];
  }
  const length = draft.lines.reduce((sum, line) => sum + line.length, 0);
  for (const [index, first] of length > MAX_PAIRED_CHARACTERS ? [] : guesses.entries()) {
    const changed = first.change(draft);
    const second = guesses
      .slice(index + 1)
      .find(({ kind, change }) => kind !== first.kind && fits(change(changed)));
    if (second) {
      return [first.cause, second.cause];
    }
  }
  return undefined;
}

/** Every other order of the lines. */
export function listOrders(lines: readonly string[]): number[][] {
  const orders = permute(lines.map((_, index) => index));
  return orders.filter((order) => order.some((from, at) => from !== at));
}

function permute(items: number[]): number[][] {
  if (items.length < 2) {
    return [items];
  }
  const all = items.flatMap((first) =>
    permute(items.filter((item) => item !== first)).map((rest) => [first, ...rest]),
  );
  return all.sort((a, b) => compare(a.join(), b.join()));
}

/** Fields of both secrets, and what was pasted where something else belongs. */
import * as v from 'valibot';

/** What a text is instead of what is wanted; nothing when that cannot be told. */
export type Recognise = (text: string) => string | undefined;

/** A text of this form. Its fault is said without a word of it. */
export const field = (form: RegExp, recognise: Recognise) =>
  v.pipe(
    v.string(),
    v.check(
      (text) => form.test(text),
      ({ input }) => faultOf(input) ?? recognise(input) ?? `has ${input.length} characters`,
    ),
  );

const FAULTS: readonly (readonly [RegExp, string])[] = [
  [/^$/, 'is empty'],
  [/-----BEGIN/, 'is a PEM file'],
  [
    /[\u00a0\u200b-\u200f\u2028\u2029\u2060\ufeff]/,
    'has invisible characters (a byte-order mark?)',
  ],
  [/^\s|\s$/, 'has blanks or line breaks at its ends'],
  [/^["'“”‘’].*["'“”‘’]$/, 'has quotes of its own'],
  [/^<.*>$/, 'is still a placeholder'],
  [/\s/, 'has blanks inside'],
  [/[\u3000\uff01-\uff5e]/, 'has full-width characters'],
  [/[^\x21-\x7e]/, 'has characters that are not ASCII'],
  [/^[\w./\\:-]+\.(pem|p12|key|crt|cer|txt)$/i, 'is the name of a file, not its content'],
];

/** Faults that any pasted text may have. */
const faultOf: Recognise = (text) => FAULTS.find(([form]) => form.test(text))?.[1];

/** What an id of WeChat's is by its look. */
export const recogniseId: Recognise = (text) => {
  if (/^wx/i.test(text)) {
    return text.startsWith('wx') ? 'looks like an appid' : 'does not begin with wx in lower case';
  }
  if (text.startsWith('gh_')) {
    return 'is the original id (原始ID), not the AppID';
  }
  if (text.startsWith('PUB_KEY_ID_')) {
    return "is the id of WeChat Pay's public key";
  }
  return /^\d{8,10}$/.test(text) ? 'looks like a merchant number' : undefined;
};

export const appid = field(/^wx[0-9a-zA-Z]{8,30}$/, (text) =>
  text.startsWith('wx') ? `has ${text.length} characters` : recogniseId(text),
);

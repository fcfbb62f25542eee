/** Judges a signature of API v2 as WeChat does, and says what WeChat never says: why it is wrong. */
import { listGuesses } from './guesses.ts';
import {
  cook,
  type Guess,
  type GuessContext,
  type Recipe,
  rightRecipe,
  type SignType,
} from './recipe.ts';
import type { Cause, SignatureReport } from '../report.ts';

type Fields = Readonly<Record<string, string>>;

export interface SignatureClaim {
  /** Everything that was received but the signature itself. */
  readonly fields: Fields;
  readonly received: string | undefined;
  readonly declaredSignType: string | undefined;
  /** What WeChat computes with; the declared one when it is valid. */
  readonly signType: SignType;
  readonly key: string;
  /** What WeChat computed over these fields with this key. */
  readonly expected: string;
  readonly otherKeys: GuessContext['otherKeys'];
  /** The fields with the blanks that the parser dropped; only asked for when the signature is wrong. */
  readonly readUntrimmed?: () => Fields;
  /** Mistakes that only this kind of message knows, tried before the general ones. */
  readonly ownGuesses?: readonly Guess[];
}

/** Above this size only single mistakes are tried, so that a large body cannot keep the simulator busy. */
const MAX_PAIRED_CHARACTERS = 4096;

/** Judges a signature; when it is wrong, tries the known mistakes, alone and in pairs. */
export function judgeSignature(claim: SignatureClaim): SignatureReport {
  const { fields, received, declaredSignType, signType, expected } = claim;
  const report = {
    declaredSignType: declaredSignType ?? null,
    algorithm: signType,
    stringToSign: describeStringToSign(fields),
    expected,
    received: received ?? null,
  };
  if (received === expected) {
    return { result: 'valid', ...report };
  }
  const likelyCauses = received ? explain(claim, received) : [SIGNATURE_MISSING];
  const reason = likelyCauses.map((cause) => cause.en).join('; and ');
  return { result: 'invalid', reason, likelyCauses, ...report };
}

/** The string that is signed, for people: the key at its end is masked. */
function describeStringToSign(fields: Fields): string {
  const pairs = Object.keys(fields)
    .filter((name) => name !== 'sign' && fields[name] !== '')
    .sort()
    .map((name) => `${name}=${fields[name]}`);
  return `${pairs.join('&')}&key=***`;
}

/** The report that goes with a message which WeChat signed itself. */
export function reportOwnSignature(
  fields: Fields,
  sign: string,
  algorithm: SignType,
): SignatureReport {
  return {
    result: 'own',
    declaredSignType: fields['sign_type'] ?? null,
    algorithm,
    stringToSign: describeStringToSign(fields),
    expected: sign,
    received: sign,
  };
}

const SIGNATURE_MISSING: Cause = {
  code: 'SIGNATURE_MISSING',
  en: 'there is no signature',
  zh: '没有签名',
};

function explain(claim: SignatureClaim, received: string): Cause[] {
  const context: GuessContext = {
    signType: claim.signType,
    otherKeys: claim.otherKeys,
    key: claim.key,
    pairs: Object.entries(claim.fields),
    untrimmed: readUntrimmed(claim),
  };
  const guesses = [...(claim.ownGuesses ?? []), ...listGuesses(context)];
  const right = rightRecipe(context);
  const wanted = received.trim();
  const fits = (recipe: Recipe) => cook(recipe) === wanted;

  const single = guesses.find((guess) => fits(guess.change(right)));
  if (single) {
    return [single.cause];
  }
  const length = right.pairs.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  for (const [index, first] of length > MAX_PAIRED_CHARACTERS ? [] : guesses.entries()) {
    const changed = first.change(right);
    const second = guesses
      .slice(index + 1)
      .find((guess) => guess.kind !== first.kind && fits(guess.change(changed)));
    if (second) {
      return [first.cause, second.cause];
    }
  }
  return explainByShape(received, claim);
}

function readUntrimmed({ fields, readUntrimmed }: SignatureClaim) {
  try {
    const untrimmed = Object.entries(readUntrimmed?.() ?? {}).filter(([name]) => name !== 'sign');
    return untrimmed.some(([name, value]) => fields[name] !== value) ? untrimmed : undefined;
  } catch {
    return undefined;
  }
}

/** No known mistake gives this signature: what its shape still tells. */
function explainByShape(received: string, { signType }: SignatureClaim): Cause[] {
  const digits = signType === 'MD5' ? 32 : 64;
  const causes: Cause[] = [];
  if (!/^[0-9a-fA-F]+$/.test(received)) {
    causes.push({
      code: 'NOT_HEX',
      en: 'the signature is not hexadecimal',
      zh: '签名不是十六进制字符串',
    });
  } else if (received.length !== digits) {
    causes.push({
      code: 'WRONG_LENGTH',
      en: `the signature has ${received.length} digits, ${signType} gives ${digits}`,
      zh: `签名长度为 ${received.length}，${signType} 应为 ${digits} 位`,
    });
  }
  causes.push({
    code: 'OTHER_KEY_OR_VALUES',
    en: 'no known mistake gives this signature with this key: it was made with another key, or a value changed after signing (compare your own string with stringToSign, character by character)',
    zh: '用本商户密钥及常见错误均无法得到该签名：多半是密钥不同，或签名后参数值被改动（请与 stringToSign 逐字符比对）',
  });
  return causes;
}

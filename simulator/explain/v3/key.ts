/** What the key and the form of an RSA signature give away, before any string is compared. */
import type { KeyObject } from 'node:crypto';
import type { Cause } from '../report.ts';
import {
  type Draft,
  type DraftGuess,
  findMistakes,
  openSignature,
  type SignedDigest,
} from './draft.ts';

const SIGNATURE_BYTES = 256;
const HEX = /^[0-9a-fA-F]+$/;

interface Decoded {
  readonly bytes: Buffer;
  readonly cause?: Cause;
}

function decodeSignature(text: string): Decoded {
  if (HEX.test(text) && text.length === SIGNATURE_BYTES * 2) {
    const cause = {
      code: 'HEX',
      en: 'the signature is hexadecimal; it must be Base64',
      zh: '签名用了十六进制；应为 Base64',
    };
    return { bytes: Buffer.from(text, 'hex'), cause };
  }
  const bytes = Buffer.from(text, 'base64');
  const isClean = /^[A-Za-z0-9+/]+={0,2}$/.test(text);
  if (isClean && bytes.length === SIGNATURE_BYTES) {
    return { bytes };
  }
  const cause = {
    code: 'NOT_BASE64',
    en: `the signature is not the Base64 of ${SIGNATURE_BYTES} bytes (URL-safe letters, blanks, or a cut text)`,
    zh: `签名不是 ${SIGNATURE_BYTES} 字节的标准 Base64（用了 URL 安全字符、含空白或被截断）`,
  };
  return { bytes, cause };
}

/** An API certificate (商户API证书) of the merchant. */
export interface MerchantCertificate {
  readonly serialNo: string;
  readonly publicKey: KeyObject;
  readonly revoked: boolean;
}

export interface RsaClaim {
  readonly received: string;
  readonly draft: Draft;
  readonly guesses: readonly DraftGuess[];
  /** Of the certificate that the message names, or of each that may have signed. */
  readonly publicKeys: readonly KeyObject[];
  /** All that the merchant has, revoked ones too: the key may be that of another. */
  readonly certificates: readonly MerchantCertificate[];
}

const OTHER_STRING: Cause = {
  code: 'OTHER_STRING',
  en: 'the key is right, but another string was signed, and by no known mistake: compare your own string with stringToSign, character by character',
  zh: '私钥正确，但被签名的字符串不同，且不是已知的常见错误：请与 stringToSign 逐字符比对',
};

const OTHER_KEY: Cause = {
  code: 'OTHER_KEY',
  en: 'signed with another private key than the one that belongs to this certificate (or not with PKCS#1 v1.5)',
  zh: '签名私钥与该商户证书不匹配（或没有使用 PKCS#1 v1.5 填充）',
};

/** Why a signature that does not verify is wrong, the most certain first. */
export function explainRsa({
  received,
  draft,
  guesses,
  publicKeys,
  certificates,
}: RsaClaim): Cause[] {
  const { bytes, cause } = decodeSignature(received);
  const causes = cause ? [cause] : [];
  const opened = publicKeys
    .map((publicKey) => openSignature(bytes, publicKey))
    .find((digest) => digest !== undefined);
  if (opened) {
    return [...causes, ...explainDigest(opened, draft, guesses)];
  }
  const other = certificates.find(({ publicKey }) => openSignature(bytes, publicKey) !== undefined);
  if (other) {
    return [...causes, describeOtherCertificate(other)];
  }
  return causes.length > 0 && bytes.length !== SIGNATURE_BYTES ? causes : [...causes, OTHER_KEY];
}

const describeOtherCertificate = ({ serialNo, revoked }: MerchantCertificate): Cause => ({
  code: 'OTHER_CERTIFICATE',
  en: `signed with the private key of the merchant's ${revoked ? 'revoked ' : ''}certificate ${serialNo}; key and serial must change together`,
  zh: `签名私钥属于商户证书 ${serialNo}${revoked ? '（已作废）' : ''}；更换证书时私钥与序列号必须同时更换`,
});

function explainDigest(opened: SignedDigest, draft: Draft, guesses: readonly DraftGuess[]) {
  const { algorithm } = opened;
  const causes: Cause[] =
    algorithm === 'sha256'
      ? []
      : [
          {
            code: 'OTHER_DIGEST',
            en: `signed over ${algorithm === undefined ? 'something that is no SHA-256 digest' : algorithm.toUpperCase()}; it must be SHA-256`,
            zh: `摘要算法${algorithm === undefined ? '不是 SHA-256' : `用了 ${algorithm.toUpperCase()}`}；应为 SHA-256`,
          },
        ];
  if (algorithm === undefined) {
    return causes;
  }
  const mistakes = findMistakes(draft, guesses, opened);
  return [...causes, ...(mistakes ?? [OTHER_STRING])];
}

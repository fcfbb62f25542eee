/**
 * API v2 on the wire: XML in and out, and the signature (签名). The digest and the XML parser come
 * from `wechatpay-axios-plugin`, an implementation that shares no code with the product's `lib/`.
 */
import { XMLValidator } from 'fast-xml-parser';
import { Hash, Transformer } from 'wechatpay-axios-plugin';
import type { SignType } from '../book/order-terms.ts';
import type { SignatureReport } from '../explain/report.ts';
import { judgeSignature, type SignatureClaim } from '../explain/v2/signature.ts';

export type Fields = Record<string, string>;

/** The body is not the flat XML that WeChat takes; `detail` is for the developer, not for the wire. */
export class MalformedXmlError extends Error {
  readonly code: 'REQUIRE_POST_METHOD' | 'POST_DATA_EMPTY' | 'NOT_UTF8' | 'XML_FORMAT_ERROR';

  constructor(code: MalformedXmlError['code'], detail: string) {
    super(detail);
    this.name = 'MalformedXmlError';
    this.code = code;
  }
}

const malformed = (detail: string) => new MalformedXmlError('XML_FORMAT_ERROR', detail);
const CDATA = /(<!\[CDATA\[[\s\S]*?\]\]>)/;
const LEAF = /<([A-Za-z_][\w.-]*)[ \t\r\n]*>([^<]*)<\/\1[ \t\r\n]*>/g;

/** Decodes fatally: a GBK body is told apart from a broken one. */
export function decodeUtf8(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    throw new MalformedXmlError('NOT_UTF8', 'the body is not valid UTF-8');
  }
}

/**
 * Reads one flat document with the root `xml` (or `root`): each element once, text only. Accepts
 * CDATA or escapes, a declaration or none, attributes, comments and any order. Refuses DOCTYPE and
 * entities before any parser sees them.
 */
export function parseXml(text: string): Fields {
  if (text.trim() === '') {
    throw new MalformedXmlError('POST_DATA_EMPTY', 'the body is empty');
  }
  const parsed: unknown = parseGuarded(text);
  if (typeof parsed !== 'object' || parsed === null) {
    throw malformed('the root element holds no elements');
  }
  for (const [name, value] of Object.entries(parsed)) {
    if (name === '#text') {
      throw malformed('there is text outside the elements');
    }
    if (Array.isArray(value)) {
      throw malformed(`the element ${name} appears more than once`);
    }
    if (typeof value !== 'string') {
      throw malformed(`the element ${name} has elements inside`);
    }
  }
  return parsed as Fields;
}

/** The same document with blanks around values kept: the parser drops them outside CDATA. */
export function parseXmlKeepingBlanks(text: string): Fields {
  return parseXml(
    text.replaceAll(LEAF, (leaf, name: string, value: string) =>
      value.trim() === value || value.includes('&')
        ? leaf
        : `<${name}><![CDATA[${value}]]></${name}>`,
    ),
  );
}

function parseGuarded(text: string): object {
  const outsideCdata = text.split(CDATA).filter((_, index) => index % 2 === 0);
  for (const piece of outsideCdata) {
    if (/<!(?!--)/.test(piece)) {
      throw malformed('a DOCTYPE or another declaration inside is not allowed');
    }
    if (/&(?!amp;|lt;|gt;|quot;|apos;|#\d{1,7};|#x[0-9a-fA-F]{1,6};)/.test(piece)) {
      throw malformed('an unescaped "&", or an entity that XML does not define itself');
    }
  }
  const root = /^\uFEFF?\s*(?:<\?xml[^>]*\?>)?(?:\s|<!--[\s\S]*?-->)*<([^\s/>]+)/.exec(text)?.[1];
  if (root !== 'xml' && root !== 'root') {
    throw malformed(root ? `the root element is ${root}, not xml` : 'the body is not XML');
  }
  const valid = XMLValidator.validate(text.replace(/^\uFEFF/, ''));
  if (valid !== true) {
    throw malformed(`${valid.err.msg} (line ${valid.err.line})`);
  }
  try {
    return Transformer.toObject(decodeNumericReferences(text));
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : 'the body is not XML');
  }
}

/** The plugin's parser leaves `&#x4e2d;` as it is; inside CDATA it must stay. */
function decodeNumericReferences(text: string): string {
  if (!text.includes('&#')) {
    return text;
  }
  const decode = (reference: string, digits: string) => {
    const codePoint = digits.startsWith('x')
      ? Number.parseInt(digits.slice(1), 16)
      : Number.parseInt(digits, 10);
    if (codePoint === 0 || codePoint > 0x10ffff) {
      throw malformed(`${reference} is not a character`);
    }
    const character = String.fromCodePoint(codePoint);
    return { '&': '&amp;', '<': '&lt;', '>': '&gt;' }[character] ?? character;
  };
  return text
    .split(CDATA)
    .map((piece, index) =>
      index % 2 === 0 ? piece.replaceAll(/&#(x[0-9a-fA-F]+|\d+);/g, decode) : piece,
    )
    .join('');
}

/** WeChat's own way to write: every value in CDATA, one element in a line; `total_fee` is plain. */
export function toXml(fields: Fields, plain: readonly string[] = ['total_fee']): string {
  const lines = Object.entries(fields).map(([name, value]) =>
    plain.includes(name)
      ? `<${name}>${value}</${name}>`
      : `<${name}><![CDATA[${value.replaceAll(']]>', ']]]]><![CDATA[>')}]]></${name}>`,
  );
  return `<xml>${lines.join('\n')}\n</xml>`;
}

/**
 * Upper-case hex digest of the string-to-sign.
 * Known answer: appid=wxd930ea5d5a258f4f, mch_id=10000100, device_info=1000, body=test,
 * nonce_str=ibuaiVcKdpRxkhJA with key 192006250b4c09247ec02edce69f6a2d and MD5 gives
 * 9A0A8659F005D6984697E2CA0A9CF3B7.
 */
export function signFields(fields: Readonly<Fields>, key: string, signType: SignType): string {
  return Hash.sign(signType, fields, key);
}

/** Judges a signature over these fields; `expected` is what this side computes. */
export function judgeFields(claim: Omit<SignatureClaim, 'expected'>): SignatureReport {
  const { fields, key, signType } = claim;
  return judgeSignature({ ...claim, expected: signFields(fields, key, signType) });
}

/**
 * The XML of v2 messages: one root, flat, each name once. `fast-xml-parser` repairs or accepts
 * most malformed input, and two readers that disagree are how signatures get bypassed, so a
 * strict guard stands around it. The signature is computed over the map that comes out of here.
 */
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { WechatPayMalformedMessageError } from '../../../errors.ts';

/** Largest message accepted; WeChat's own stay below 20 kB even with coupons and `detail`. */
export const MAX_XML_BYTES = 64 * 1024;

/** Two for each field; the longest messages, with 50 coupons, have some 350. */
const MAX_TAGS = 1_024;

const parser = new XMLParser({
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  ignoreAttributes: false,
  // Without this, numeric references stay as text. Named ones beyond the five never get here.
  htmlEntities: true,
  ignoreDeclaration: true,
  ignorePiTags: false,
  maxNestedTags: 3,
  strictReservedNames: true,
  processEntities: {
    enabled: true,
    maxTotalExpansions: 10_000,
    maxExpandedLength: 65_536,
    maxEntityCount: 1,
  },
});

/**
 * Reads a message into its fields, in document order. Values keep their white space.
 *
 * @throws {WechatPayMalformedMessageError} naming the broken rule and nothing of the content.
 */
export function parseXml(bytes: Uint8Array): Map<string, string> {
  if (bytes.length > MAX_XML_BYTES) {
    throw malformed('it is larger than 64 KiB');
  }
  const text = decode(bytes);
  assertPlainXml(text);
  if (XMLValidator.validate(text) !== true) {
    throw malformed('it is not well-formed XML');
  }
  return flatFields(parse(text));
}

/**
 * Writes a message. Every value is in CDATA, so its text needs no escaping and reaches WeChat as
 * it was signed.
 */
export function buildXml(fields: Iterable<readonly [string, string]>): string {
  const elements = [...fields].map(
    ([name, value]) =>
      `<${name}><![CDATA[${value.replaceAll(']]>', ']]]]><![CDATA[>')}]]></${name}>`,
  );
  return `<xml>${elements.join('')}</xml>`;
}

function malformed(rule: string): WechatPayMalformedMessageError {
  return new WechatPayMalformedMessageError(`the message is not a v2 message: ${rule}`);
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw malformed('it is not UTF-8');
  }
}

// oxlint-disable-next-line no-control-regex -- finding control characters is the purpose
const FORBIDDEN_CHARACTERS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffe\uffff]/;
const DECLARATION = /^<\?xml\s+version=(["'])1\.[01]\1(\s+encoding=(["'])utf-8\3)?\s*\?>/i;

/** White space may stand around the root; text, written as a reference, slips past the parser. */
const ONE_ROOT = /^[ \t\r\n]*<(xml|root)\s*>[^]*<\/\1\s*>[ \t\r\n]*$/;

/** A name and nothing else: the parser lets some broken attributes pass. */
const TAG = /<(?:\/[A-Za-z]\w{0,63}\s*|[A-Za-z]\w{0,63}\s*\/?)>/g;

/** Refuses what a v2 message never needs and attacks do: DTDs, entities, instructions, comments. */
function assertPlainXml(text: string): void {
  if (FORBIDDEN_CHARACTERS.test(text)) {
    throw malformed('it has a control character');
  }
  const markup = withoutCdata(text.replace(DECLARATION, ''));
  if (markup.split('<', MAX_TAGS + 2).length > MAX_TAGS + 1) {
    throw malformed('it has too many tags');
  }
  if (markup.includes('<!')) {
    throw malformed('it has a DOCTYPE, an entity or a comment');
  }
  if (markup.includes('<?')) {
    throw malformed('it has a processing instruction');
  }
  if (markup.includes(']]>')) {
    throw malformed('it ends a CDATA section that never began');
  }
  if (!ONE_ROOT.test(markup)) {
    throw malformed('its root is not one <xml> element');
  }
  if (markup.replace(TAG, '').includes('<')) {
    throw malformed('it has a tag that is not just a plain name');
  }
  for (const [entity] of markup.matchAll(/&[^;&<]{0,12};?/g)) {
    assertEntity(entity.slice(1));
  }
}

/** The text outside CDATA sections, where markup has a meaning. Inside one, only `]]>` has. */
function withoutCdata(text: string): string {
  const outside: string[] = [];
  let from = 0;
  for (;;) {
    const start = text.indexOf('<![CDATA[', from);
    if (start < 0) {
      break;
    }
    const end = text.indexOf(']]>', start);
    if (end < 0) {
      throw malformed('a CDATA section has no end');
    }
    outside.push(text.slice(from, start));
    from = end + ']]>'.length;
  }
  // A character that cannot be in the text stands for each section, so that its two neighbours
  // neither join into new markup nor pass for a tag with a space in it.
  return [...outside, text.slice(from)].join('\0');
}

function assertEntity(entity: string): void {
  if (/^(lt|gt|amp|apos|quot);$/.test(entity)) {
    return;
  }
  const digits = /^#(?:x([0-9a-fA-F]{1,6})|(\d{1,7}));$/.exec(entity);
  if (!digits) {
    throw malformed('it has an unknown entity');
  }
  const codePoint = digits[1] ? Number.parseInt(digits[1], 16) : Number(digits[2]);
  const isSurrogate = codePoint >= 0xd800 && codePoint <= 0xdfff;
  if (codePoint > 0x10ffff || isSurrogate || isForbidden(codePoint)) {
    throw malformed('it refers to a character that XML does not allow');
  }
}

const isForbidden = (codePoint: number) =>
  FORBIDDEN_CHARACTERS.test(String.fromCodePoint(codePoint));

function parse(text: string): object {
  try {
    return parser.parse(text) as object;
  } catch {
    // The parser's own message can quote the message.
    throw malformed('it is not well-formed XML');
  }
}

/** The one level of elements below the root, whose name the guard has seen. */
function flatFields(document: object): Map<string, string> {
  const [content] = Object.values(document) as unknown[];
  // The parser makes a text of an element without elements.
  if (typeof content !== 'object' || content === null) {
    throw malformed('it has no fields');
  }
  const fields = new Map<string, string>();
  for (const [name, value] of Object.entries(content)) {
    if (name === '#text' && typeof value === 'string' && value.trim() === '') {
      continue;
    }
    if (!/^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(name)) {
      throw malformed('it has an attribute, loose text or a strange name');
    }
    if (typeof value !== 'string') {
      throw malformed('a field is nested or there twice');
    }
    fields.set(name, value);
  }
  return fields;
}

/** Messages for property tests: legal ones, and ones put together from everything XML knows. */
import fc from 'fast-check';

/** Every character that XML 1.0 allows, but for the carriage return, which readers turn into LF. */
const character = fc
  .oneof(
    { weight: 6, arbitrary: fc.integer({ min: 0x20, max: 0x7e }) },
    { weight: 1, arbitrary: fc.constantFrom(0x09, 0x0a) },
    { weight: 2, arbitrary: fc.integer({ min: 0x80, max: 0xd7ff }) },
    { weight: 1, arbitrary: fc.integer({ min: 0xe000, max: 0xfffd }) },
    { weight: 1, arbitrary: fc.integer({ min: 0x1_0000, max: 0x10_ffff }) },
  )
  .map((codePoint) => String.fromCodePoint(codePoint));

/** Pieces that mean something to a reader of XML. */
const markup = fc.constantFrom(
  ']]>',
  ']]',
  ']]]]>',
  '<![CDATA[',
  '<!',
  '<?',
  '?>',
  '<',
  '>',
  '&',
  '&amp;',
  '&lt;',
  '&#60;',
  '</a>',
  '<a>',
  '--',
);

/** Any text that a field may legally have. */
const fieldValue = fc
  .array(fc.oneof({ weight: 4, arbitrary: character }, { weight: 1, arbitrary: markup }), {
    maxLength: 40,
  })
  .map((parts) => parts.join(''));

/** Any name that a field may legally have. */
const fieldName = fc
  .stringMatching(/^[A-Za-z][A-Za-z0-9_]{0,20}$/)
  .filter((name) => !(name in {}) && name !== 'prototype');

/** The fields of a message, at least one, each name once. */
export const messageFields = fc
  .uniqueArray(fc.tuple(fieldName, fieldValue), {
    selector: ([name]) => name,
    minLength: 1,
    maxLength: 12,
  })
  .map((entries) => new Map(entries));

const exoticPiece = fc.constantFrom(
  '<a ==>',
  '<a =',
  '<a b>',
  '<a "">',
  '<a',
  '</a',
  '="',
  '<xml>',
  '</xml>',
  '<root>',
  '</root>',
  '<xml >',
  '</xml >',
  '<a>',
  '</a>',
  '</a >',
  '<a/>',
  '<a />',
  '<b>',
  '</b>',
  '<sign>',
  '</sign>',
  '<a x="1">',
  "<a x='<![CDATA['>",
  '<xml a="]]>">',
  '<!DOCTYPE xml>',
  '<!ENTITY a "b">',
  '<!-- c -->',
  '<!--',
  '-->',
  '<?xml version="1.0"?>',
  '<?xml version="1.0" encoding="UTF-8"?>',
  '<?xml version="1.0" encoding="gbk"?>',
  '<?a b?>',
  '<?',
  '?>',
  '<![CDATA[',
  ']]>',
  '<![CDATA[]]>',
  '<![CDATA[v]]>',
  '<![CDATA[<a>]]>',
  '<![CDATA[</a>]]>',
  '<![CDATA[&amp;]]>',
  '<![cdata[v]]>',
  '<![CDATA [v]]>',
  '<',
  '>',
  '&',
  ';',
  '&amp;',
  '&lt;',
  '&gt;',
  '&quot;',
  '&apos;',
  '&#65;',
  '&#x41;',
  '&#X41;',
  '&#60;',
  '&#x3c;',
  '&#38;lt;',
  '&amp;lt;',
  '&amp;#60;',
  '&copy;',
  '&a;',
  '&#0;',
  '&#55296;',
  ' ',
  '\n',
  '\r\n',
  '\r',
  '\t',
  '\u00a0',
  '\ufeff',
  'text',
  '0',
  '__proto__',
  '<__proto__>1</__proto__>',
  '<constructor>1</constructor>',
  '<toString>1</toString>',
  '<#text>1</#text>',
  '<a:b>1</a:b>',
  '<total_fee>1</total_fee>',
  '<a>1</a>',
  '<a><![CDATA[1]]></a>',
  '\u0000',
  '\ufffe',
);

/** Soup: pieces in any order, mostly inside one root so that some of it is nearly legal. */
export const exoticDocument = fc
  .tuple(fc.array(exoticPiece, { maxLength: 12 }), fc.constantFrom('none', 'root', 'field'))
  .map(([pieces, wrap]) => {
    const soup = pieces.join('');
    if (wrap === 'none') {
      return soup;
    }
    return wrap === 'root' ? `<xml>${soup}</xml>` : `<xml><c>1</c><d>${soup}</d></xml>`;
  });

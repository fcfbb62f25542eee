import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WechatPayMalformedMessageError } from '../../../../lib/errors.ts';
import type { SignType } from '../../../../lib/order/stored-request.ts';
import { sign } from '../../../../lib/wechatpay/v2/protocol/sign.ts';
import { buildXml, MAX_XML_BYTES, parseXml } from '../../../../lib/wechatpay/v2/protocol/xml.ts';
import { exoticDocument, messageFields } from '../../../support/v2-arbitraries.ts';
import { notificationXml } from '../../../support/v2-message.ts';
import { readIndependently } from '../../../support/v2-reader.ts';

const readVectors = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../../vectors/${name}`, import.meta.url), 'utf8'));

interface SignedSample {
  readonly id: string;
  readonly input_xml: string;
  readonly key: string;
  readonly sign_type: SignType;
  readonly expected_sign: string;
}

interface Sample {
  readonly id: string;
  readonly xml: string;
}

const parse = (text: string) => parseXml(Buffer.from(text));
const fieldsIn = (text: string) => Object.fromEntries(parse(text));

/** The rule that a message breaks; fails when the message is read, or fails in any other way. */
function brokenRule(message: string | Uint8Array): string {
  try {
    parseXml(typeof message === 'string' ? Buffer.from(message) : message);
  } catch (error) {
    if (!(error instanceof WechatPayMalformedMessageError)) {
      throw error;
    }
    return error.message.replace('the message is not a v2 message: ', '');
  }
  throw new Error('the message was read');
}

const NOT_PLAIN = 'it has a tag that is not just a plain name';
const NO_ROOT = 'its root is not one <xml> element';
const NO_FIELDS = 'it has no fields';
const TWICE = 'a field is nested or there twice';
const DECLARES = 'it has a DOCTYPE, an entity or a comment';
const INSTRUCTS = 'it has a processing instruction';
const ENTITY = 'it has an unknown entity';
const BAD_CHARACTER = 'it refers to a character that XML does not allow';
const CONTROL = 'it has a control character';
const UNOPENED = 'it ends a CDATA section that never began';
const UNCLOSED = 'a CDATA section has no end';
const NOT_WELL_FORMED = 'it is not well-formed XML';
const LOOSE = 'it has an attribute, loose text or a strange name';
const NOT_UTF8 = 'it is not UTF-8';

describe('a v2 message is read', () => {
  test('field by field, in document order, values as text', () => {
    const fields = parse(
      '<xml>\n  <total_fee>0100</total_fee>\n  <attach><![CDATA[支付 & <测试>]]></attach>\n</xml>\n',
    );

    expect([...fields]).toEqual([
      ['total_fee', '0100'],
      ['attach', '支付 & <测试>'],
    ]);
  });

  test.each([
    ['text', '<xml><a>1</a></xml>', '1'],
    ['CDATA', '<xml><a><![CDATA[1]]></a></xml>', '1'],
    ['several CDATA sections', '<xml><a><![CDATA[1]]><![CDATA[2]]></a></xml>', '12'],
    ['text around CDATA', '<xml><a>1<![CDATA[2]]>3</a></xml>', '123'],
    ['blanks around CDATA, which stay', '<xml><a>\n <![CDATA[1]]> </a></xml>', '\n 1 '],
    ['the five entities', '<xml><a>&lt;&gt;&amp;&apos;&quot;</a></xml>', '<>&\'"'],
    ['numeric references', '<xml><a>&#65;&#x4e2d;&#x1F44D;&#10;</a></xml>', 'A中👍\n'],
    ['an escaped reference, once', '<xml><a>&amp;lt;&#38;amp;</a></xml>', '&lt;&amp;'],
    [
      'a reference in CDATA, as it stands',
      '<xml><a><![CDATA[&amp;&#65;]]></a></xml>',
      '&amp;&#65;',
    ],
    ['markup in CDATA', '<xml><a><![CDATA[</a><b>&x;<!-- ]] >]]></a></xml>', '</a><b>&x;<!-- ]] >'],
    [
      'the beginning of a section in a section',
      '<xml><a><![CDATA[<![CDATA[]]></a></xml>',
      '<![CDATA[',
    ],
    ['a split end of section', '<xml><a><![CDATA[a]]]]><![CDATA[>b]]></a></xml>', 'a]]>b'],
    ['an empty element', '<xml><a/></xml>', ''],
    ['an element with nothing in it', '<xml><a></a></xml>', ''],
    ['an empty section', '<xml><a><![CDATA[]]></a></xml>', ''],
    ['a line end of Windows, as a line feed', '<xml><a>1\r\n2\r3</a></xml>', '1\n2\n3'],
    ['a blank in its tags', '<xml ><a >1</a\n></xml >', '1'],
    ['JSON', '<xml><a>{"b":[1,{"c":"d"}]}</a></xml>', '{"b":[1,{"c":"d"}]}'],
    ['a root of the name root', '<root><a>1</a></root>', '1'],
    ['a declaration', '<?xml version="1.0" encoding="UTF-8"?>\n<xml><a>1</a></xml>', '1'],
    ['a declaration without an encoding', "<?xml version='1.0' ?><xml><a>1</a></xml>", '1'],
  ])('with %s', (_, xml, value) => {
    expect(fieldsIn(xml)).toEqual({ a: value });
  });

  test('up to 64 KiB', () => {
    const around = '<xml><a></a></xml>'.length;
    const longest = `<xml><a>${'x'.repeat(MAX_XML_BYTES - around)}</a></xml>`;

    expect(Buffer.byteLength(longest)).toBe(65_536);
    expect(fieldsIn(longest)['a']).toHaveLength(65_536 - around);
  });

  test('with a field of the same name as the root', () => {
    expect(fieldsIn('<xml><xml>1</xml></xml>')).toEqual({ xml: '1' });
  });

  test('with names that differ in case as different fields', () => {
    expect(fieldsIn('<xml><fee>1</fee><Fee>2</Fee></xml>')).toEqual({ fee: '1', Fee: '2' });
  });
});

describe('a real v2 message is read as another reader reads it', () => {
  const { sign: signVectors, xml: xmlVectors } = readVectors('v2.json') as {
    sign: Partial<SignedSample>[];
    xml: { id: string; xml?: string; expected_xml?: string }[];
  };
  const signedSamples = signVectors.filter(
    (vector): vector is SignedSample => vector.input_xml !== undefined,
  );
  const samples: Sample[] = [
    ...readVectors('v2-xml-samples.json'),
    ...xmlVectors.map(({ id, xml, expected_xml }) => ({ id, xml: xml ?? expected_xml ?? '' })),
    ...signedSamples.map(({ id, input_xml }) => ({ id, xml: input_xml })),
  ];
  // A red packet's list of receivers is nested; this service never asks for one.
  const nested = samples.filter(({ xml }) => xml.includes('<hblist>'));
  const flat = samples.filter((sample) => !nested.includes(sample));

  test.each(flat)('$id', ({ xml }) => {
    expect(readIndependently(xml)?.size).toBeGreaterThan(0);
    expect(parse(xml)).toEqual(readIndependently(xml));
  });

  test.each(nested)('unless it is nested: $id', ({ xml }) => {
    expect(brokenRule(xml)).toBe(TWICE);
  });

  test.each(signedSamples)('and $id keeps its signature', (sample) => {
    const fields = parse(sample.input_xml);

    expect(fields.get('sign')).toBe(sample.expected_sign);
    expect(sign(fields, sample.key, sample.sign_type)).toBe(sample.expected_sign);
  });
});

describe('a v2 message is refused', () => {
  test.each(readVectors('v2-xml-bad.json') as readonly { id: string; text: string }[])(
    'as in the collection of bad ones: $id',
    ({ text }) => {
      expect(brokenRule(text)).toMatch(/^(it|its) /);
    },
  );

  test.each(
    (readVectors('v2.json').negative as { id: string; input: unknown }[]).filter(({ id }) =>
      /doctype|xxe|expansion|nested|proto|duplicate/.test(id),
    ),
  )('as in the vectors: $id', ({ input }) => {
    const text = typeof input === 'string' ? input : (input as { xml: string }).xml;

    expect(brokenRule(text)).toMatch(/^(it|its|a field) /);
  });

  test.each([
    ['with a DOCTYPE', '<!DOCTYPE xml><xml><a>1</a></xml>', DECLARES],
    ['with a DOCTYPE in lower case', '<!doctype xml><xml><a>1</a></xml>', DECLARES],
    [
      'with a DOCTYPE after the declaration',
      '<?xml version="1.0"?><!DOCTYPE xml><xml><a>1</a></xml>',
      DECLARES,
    ],
    ['with an internal entity', '<!DOCTYPE x [<!ENTITY e "1">]><xml><a>&e;</a></xml>', DECLARES],
    [
      'with a file as entity',
      '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><xml><a>&e;</a></xml>',
      DECLARES,
    ],
    [
      'with a parameter entity',
      '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/"> %p;]><xml><a>1</a></xml>',
      DECLARES,
    ],
    ['with an entity inside the root', '<xml><!ENTITY e "1"><a>1</a></xml>', DECLARES],
    ['with a comment', '<xml><!-- 1 --><a>1</a></xml>', DECLARES],
    ['with a comment inside a value', '<xml><a>1<!-- -->2</a></xml>', DECLARES],
    [
      'with a comment around a CDATA section',
      '<xml><!-- <![CDATA[ --><a>1</a><!-- ]]> --></xml>',
      DECLARES,
    ],
    ['with CDATA in lower case', '<xml><a><![cdata[1]]></a></xml>', DECLARES],
    ['with a conditional section', '<xml><a><![INCLUDE[1]]></a></xml>', DECLARES],
    ['with a processing instruction', '<xml><?php echo 1 ?><a>1</a></xml>', INSTRUCTS],
    ['with a style sheet', '<?xml-stylesheet href="x"?><xml><a>1</a></xml>', INSTRUCTS],
    [
      'with two declarations',
      '<?xml version="1.0"?><?xml version="1.0"?><xml><a>1</a></xml>',
      INSTRUCTS,
    ],
    [
      'with a declaration that is not at the start',
      ' <?xml version="1.0"?><xml><a>1</a></xml>',
      INSTRUCTS,
    ],
    [
      'with a declaration of another encoding',
      '<?xml version="1.0" encoding="GBK"?><xml><a>1</a></xml>',
      INSTRUCTS,
    ],
    [
      'with a declaration of UTF-16',
      '<?xml version="1.0" encoding="UTF-16"?><xml><a>1</a></xml>',
      INSTRUCTS,
    ],
    [
      'with a standalone declaration',
      '<?xml version="1.0" standalone="yes"?><xml><a>1</a></xml>',
      INSTRUCTS,
    ],
    ['with an entity of HTML', '<xml><a>&copy;</a></xml>', ENTITY],
    ['with an entity of nobody', '<xml><a>&e;</a></xml>', ENTITY],
    ['with an entity in capitals', '<xml><a>&LT;</a></xml>', ENTITY],
    ['with a bare ampersand', '<xml><a>a&b</a></xml>', ENTITY],
    ['with a bare ampersand at its end', '<xml><a>a&</a></xml>', ENTITY],
    ['with an entity split by a CDATA section', '<xml><a>&am<![CDATA[]]>p;</a></xml>', ENTITY],
    ['with an entity that has a very long name', `<xml><a>&${'e'.repeat(500)};</a></xml>`, ENTITY],
    ['with an entity called like an inherited property', '<xml><a>&toString;</a></xml>', ENTITY],
    ['with an empty reference', '<xml><a>&#;</a></xml>', ENTITY],
    ['with a hexadecimal reference in capitals', '<xml><a>&#X41;</a></xml>', ENTITY],
    ['with a reference to NUL', '<xml><a>&#0;</a></xml>', BAD_CHARACTER],
    ['with a reference to a control character', '<xml><a>&#x1b;</a></xml>', BAD_CHARACTER],
    ['with a reference to a low surrogate', '<xml><a>&#xdc00;</a></xml>', BAD_CHARACTER],
    [
      'with two references that make a pair of surrogates',
      '<xml><a>&#xd83d;&#xdc4d;</a></xml>',
      BAD_CHARACTER,
    ],
    ['with a reference to the non-character U+FFFE', '<xml><a>&#xfffe;</a></xml>', BAD_CHARACTER],
    ['with a reference beyond Unicode', '<xml><a>&#x110000;</a></xml>', BAD_CHARACTER],
    ['with a decimal reference beyond Unicode', '<xml><a>&#9999999;</a></xml>', BAD_CHARACTER],
    ['with a NUL', '<xml><a>1\0</a></xml>', CONTROL],
    ['with a NUL after it', '<xml><a>1</a></xml>\0', CONTROL],
    ['with a control character in CDATA', '<xml><a><![CDATA[\u0008]]></a></xml>', CONTROL],
    ['with DEL', '<xml><a>\u007f</a></xml>', CONTROL],
    ['with the non-character U+FFFF', '<xml><a>\uffff</a></xml>', CONTROL],
    ['with the end of a section in text', '<xml><a>a]]>b</a></xml>', UNOPENED],
    ['with a nested section', '<xml><a><![CDATA[a<![CDATA[b]]>c]]></a></xml>', UNOPENED],
    ['with a section that does not end', '<xml><a><![CDATA[1</a></xml>', UNCLOSED],
    ['with a section that ends one bracket short', '<xml><a><![CDATA[1]></a></xml>', UNCLOSED],
    [
      'with a second section that does not end',
      '<xml><a><![CDATA[1]]><![CDATA[2</a></xml>',
      UNCLOSED,
    ],
    ['with a tag that a section completes', '<xml><<![CDATA[a]]>>1</a></xml>', NOT_PLAIN],
    ['with a tag that joins across a section', '<xml><a>1</<![CDATA[]]>a></xml>', NOT_PLAIN],
    [
      'with a declaration that joins across a section',
      '<xml><a><<![CDATA[]]>!-- --></a></xml>',
      NOT_PLAIN,
    ],
    ['with a section inside a tag', '<xml><a <![CDATA[ ]]>>1</a></xml>', NOT_PLAIN],
    ['with a field twice', '<xml><a>1</a><a>2</a></xml>', TWICE],
    ['with a field twice and equal', '<xml><a>1</a><b>2</b><a>1</a></xml>', TWICE],
    ['with a field twice, once empty', '<xml><a>1</a><a/></xml>', TWICE],
    ['with a nested field', '<xml><a><b>1</b></a></xml>', TWICE],
    ['with a field nested in text', '<xml><a>1<b>2</b>3</a></xml>', TWICE],
    ['with another message inside', '<xml><xml><a>1</a></xml></xml>', TWICE],
    ['with an attribute', '<xml><a b="1">1</a></xml>', NOT_PLAIN],
    ['with an attribute of the root', '<xml xmlns="http://a/"><a>1</a></xml>', NO_ROOT],
    [
      'with an attribute that hides a section',
      '<xml><a b="<![CDATA[">1</a><a c="]]>">2</a></xml>',
      NOT_PLAIN,
    ],
    ['with the remains of an attribute', '<xml><a ====>1</a></xml>', NOT_PLAIN],
    ['with a namespace', '<xml><a:b>1</a:b></xml>', NOT_PLAIN],
    ['with a field __proto__', '<xml><__proto__>1</__proto__></xml>', NOT_PLAIN],
    [
      'with a name of 65 characters',
      `<xml><${'a'.repeat(65)}>1</${'a'.repeat(65)}></xml>`,
      NOT_PLAIN,
    ],
    ['with a name in Chinese', '<xml><金额>1</金额></xml>', NOT_PLAIN],
    ['with a name that begins with a digit', '<xml><1a>1</1a></xml>', NOT_PLAIN],
    ['with a blank before a name', '<xml>< a>1</a></xml>', NOT_PLAIN],
    ['with the parser’s name for text', '<xml><#text>1</#text></xml>', NOT_PLAIN],
    ['with a field constructor', '<xml><constructor>1</constructor></xml>', NOT_WELL_FORMED],
    ['with a field prototype', '<xml><prototype>1</prototype></xml>', NOT_WELL_FORMED],
    ['with a field hasOwnProperty', '<xml><hasOwnProperty>1</hasOwnProperty></xml>', LOOSE],
    ['with a field toString', '<xml><toString>1</toString></xml>', LOOSE],
    ['with a field valueOf', '<xml><valueOf>1</valueOf></xml>', LOOSE],
    ['with loose text', '<xml>1<a>1</a></xml>', LOOSE],
    ['with loose text in a section', '<xml><![CDATA[1]]><a>1</a></xml>', LOOSE],
    ['with 513 fields', `<xml>${'<a></a>'.repeat(513)}</xml>`, 'it has too many tags'],
    ['with tags that cross', '<xml><a><b>1</a></b></xml>', NOT_WELL_FORMED],
    ['with a tag that is not closed', '<xml><a>1</xml>', NOT_WELL_FORMED],
    ['with a tag closed in another case', '<xml><a>1</A></xml>', NOT_WELL_FORMED],
    ['with two roots', '<xml><a>1</a></xml><xml><b>1</b></xml>', NOT_WELL_FORMED],
    ['with two different roots', '<xml><a>1</a></xml><root><b>1</b></root>', NO_ROOT],
    ['with text after it', '<xml><a>1</a></xml>1', NO_ROOT],
    ['with text before it', '1<xml><a>1</a></xml>', NO_ROOT],
    ['with a reference after it', '<xml><a>1</a></xml>&#65;', NO_ROOT],
    ['with a section after it', '<xml><a>1</a></xml><![CDATA[1]]>', NO_ROOT],
    ['with a byte order mark', '\ufeff<xml><a>1</a></xml>', NO_ROOT],
    ['with a byte order mark at its end', '<xml><a>1</a></xml>\ufeff', NO_ROOT],
    ['with another root', '<doc><a>1</a></doc>', NO_ROOT],
    ['with its root in capitals', '<XML><a>1</a></XML>', NO_ROOT],
    ['with no root', '<a>1</a>', NO_ROOT],
    ['when it is empty', '', NO_ROOT],
    ['when it is blank', ' \n ', NO_ROOT],
    ['when it is JSON', '{"return_code":"SUCCESS"}', NO_ROOT],
    ['when its root is an empty tag', '<xml/>', NO_ROOT],
    ['when its root is empty', '<xml></xml>', NO_FIELDS],
    ['when its root has only blanks', '<xml> \n </xml>', NO_FIELDS],
    ['when its root has only text', '<xml>1</xml>', NO_FIELDS],
  ])('%s', (_, xml, rule) => {
    expect(brokenRule(xml)).toBe(rule);
  });

  test('when entities would multiply (billion laughs)', () => {
    const entities = Array.from(
      { length: 20 },
      (_, n) => `<!ENTITY e${n + 1} "${`&e${n};`.repeat(10)}">`,
    );

    expect(
      brokenRule(`<!DOCTYPE x [<!ENTITY e0 "ha">${entities.join('')}]><xml><a>&e20;</a></xml>`),
    ).toBe(DECLARES);
  });

  test('when it has more than 10,000 references', () => {
    expect(brokenRule(`<xml><a>${'&lt;'.repeat(10_001)}</a></xml>`)).toBe(NOT_WELL_FORMED);
  });

  test('when it is a byte larger than 64 KiB, before it is decoded', () => {
    expect(brokenRule(Buffer.alloc(65_537, 0xff))).toBe('it is larger than 64 KiB');
    expect(brokenRule(Buffer.alloc(65_536, 0xff))).toBe(NOT_UTF8);
  });

  test.each([
    [
      'in GBK',
      Buffer.concat([
        Buffer.from('<xml><a>'),
        Buffer.from('d6a7b8b6', 'hex'),
        Buffer.from('</a></xml>'),
      ]),
      NOT_UTF8,
    ],
    ['in UTF-16 with its mark', Buffer.from('\ufeff<xml><a>1</a></xml>', 'utf16le'), NOT_UTF8],
    ['in UTF-16 without a mark', Buffer.from('<xml><a>1</a></xml>', 'utf16le'), CONTROL],
    [
      'with an overlong slash',
      Buffer.from([...Buffer.from('<xml><a>'), 0xc0, 0xaf, ...Buffer.from('</a></xml>')]),
      NOT_UTF8,
    ],
    [
      'with a surrogate in UTF-8',
      Buffer.from([...Buffer.from('<xml><a>'), 0xed, 0xa0, 0xbd, ...Buffer.from('</a></xml>')]),
      NOT_UTF8,
    ],
    [
      'that ends within a character',
      Buffer.from('<xml><a>支付</a></xml>').subarray(0, 12),
      NOT_UTF8,
    ],
  ])('%s', (_, bytes, rule) => {
    expect(brokenRule(bytes)).toBe(rule);
  });

  test('with a stable code, as an outcome that nobody can tell', () => {
    expect(() => parse('<xml>')).toThrow(
      expect.objectContaining({
        name: 'WechatPayMalformedMessageError',
        code: 'MALFORMED_MESSAGE',
        outcome: 'unknown',
        retryable: false,
        cause: undefined,
      }),
    );
  });

  test('without quoting it', () => {
    const secret = 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o';

    for (const xml of [
      `<xml><a>${secret}</a`,
      `<xml>${secret}<a>1</a></xml>`,
      `<${secret}>`,
      `&${secret};`,
    ]) {
      expect(brokenRule(xml)).not.toContain(secret);
    }
  });

  test('and leaves the prototype of objects as it was', () => {
    const before = Object.getOwnPropertyNames(Object.prototype);

    for (const name of ['__proto__', 'constructor', 'prototype', 'toString', '__defineGetter__']) {
      brokenRule(`<xml><${name}>1</${name}></xml>`);
      brokenRule(`<xml><a><${name}>1</${name}></a></xml>`);
    }

    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
  });
});

describe('a v2 message is written', () => {
  test('with every value in CDATA, in the given order', () => {
    const xml = buildXml([
      ['b', '1'],
      ['a', '<&>'],
    ]);

    expect(xml).toBe('<xml><b><![CDATA[1]]></b><a><![CDATA[<&>]]></a></xml>');
  });

  test('with the end of a section inside a value split over two sections', () => {
    const xml = buildXml([['a', 'a]]>b']]);

    expect(xml).toBe('<xml><a><![CDATA[a]]]]><![CDATA[>b]]></a></xml>');
    expect(fieldsIn(xml)).toEqual({ a: 'a]]>b' });
  });

  test('so that another reader reads the same fields', () => {
    fc.assert(
      fc.property(messageFields, (fields) => {
        expect(readIndependently(buildXml(fields))).toEqual(fields);
      }),
    );
  });
});

describe('any v2 message', () => {
  test('comes back as it was written', () => {
    fc.assert(
      fc.property(messageFields, (fields) => {
        const back = parse(buildXml(fields));

        expect([...back]).toEqual([...fields]);
      }),
      { numRuns: 500 },
    );
  });

  test('put together from all that XML knows is refused, or read as another reader reads it', () => {
    let read = 0;
    fc.assert(
      fc.property(exoticDocument, (text) => {
        const fields = readOrRefuse(Buffer.from(text));
        if (!fields) {
          return;
        }
        read += 1;

        expect([...fields]).toEqual([...(readIndependently(text) ?? [])]);
      }),
      { numRuns: 10_000 },
    );

    expect(read).toBeGreaterThan(100);
  });

  test('with bytes changed, removed or added is refused, or read as another reader reads it', () => {
    const original = Buffer.from(notificationXml({ attach: '支付 & <测试>' }));
    const change = fc.tuple(
      fc.nat({ max: original.length - 1 }),
      fc.constantFrom(0, 1),
      fc.oneof(
        fc.uint8Array({ maxLength: 3 }),
        fc
          .constantFrom('<', '>', '&', ']', '[', '!', '/', ' ', 'A')
          .map((text) => Buffer.from(text)),
      ),
    );
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        let bytes: Uint8Array = original;
        for (const [at, removed, added] of changes) {
          bytes = Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + removed)]);
        }
        const fields = readOrRefuse(bytes);
        if (!fields) {
          return;
        }

        expect([...fields]).toEqual([...(readIndependently(Buffer.from(bytes).toString()) ?? [])]);
      }),
      { numRuns: 5_000 },
    );
  });

  test.each([
    ['ampersands', '&'],
    ['references', '&#65;'],
    ['tags', '<a>'],
    ['closing tags', '</xml>'],
    ['half tags', '<a '],
    ['beginnings of sections', '<![CDATA['],
    ['empty sections', '<![CDATA[]]>'],
    ['comments', '<!--'],
    ['brackets', ']]'],
    ['blanks', ' '],
    ['attributes', ' a="1"'],
    ['quotes', '"'],
    ['line ends', '\r'],
    ['equal fields', '<a>1</a>'],
  ])('of 64 KiB of %s takes no time to speak of', (_, piece) => {
    const room = MAX_XML_BYTES - '<xml><b></b></xml>'.length;
    const filling = piece.repeat(Math.floor(room / piece.length));
    const startedAt = performance.now();

    for (const text of [filling, `<xml>${filling}</xml>`, `<xml><b>${filling}</b></xml>`]) {
      readOrRefuse(Buffer.from(text));
    }

    // WeChat waits 5 seconds for one message; these are three, on a machine that may be busy.
    expect(performance.now() - startedAt).toBeLessThan(1_500);
  });
});

/** The fields, or nothing when the message is refused the proper way. */
function readOrRefuse(bytes: Uint8Array): ReadonlyMap<string, string> | undefined {
  try {
    return parseXml(bytes);
  } catch (error) {
    if (error instanceof WechatPayMalformedMessageError) {
      return undefined;
    }
    throw error;
  }
}

/** The mistakes that make a signature fail, each as a change to the right recipe of a signature. */
import { createHash, createHmac } from 'node:crypto';
import { encodeGbk } from './gbk.ts';
import type { SignType } from './wire.ts';

export interface Cause {
  /** Stable, for tests. */
  readonly code: string;
  readonly en: string;
  readonly zh: string;
}

type Pair = readonly [name: string, value: string];
type Digest =
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

export interface GuessContext {
  readonly signType: SignType;
  /** Other secrets of the merchant that may have been taken for the key, by name. */
  readonly otherKeys: Readonly<Record<string, string | undefined>>;
  readonly key: string;
  /** Everything that was received, with empty values and in the order of the document. */
  readonly pairs: readonly Pair[];
  /** The same with the blanks around values, when there are any. */
  readonly untrimmed?: readonly Pair[] | undefined;
}

const compare = (a: string, b: string) => (a < b ? -1 : Number(a > b));
export const byName: Recipe['order'] = ([a], [b]) => compare(a, b);
export const upperHex = (digest: Buffer) => digest.toString('hex').toUpperCase();

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

const present = (pairs: readonly Pair[]) => pairs.filter(([, value]) => value !== '');

function mapValues(change: (value: string, name: string) => string): Guess['change'] {
  return (recipe) => ({
    ...recipe,
    pairs: recipe.pairs.map(([name, value]) => [name, change(value, name)] as const),
  });
}

const mapJson = (write: (value: unknown) => string) =>
  mapValues((value) => {
    if (!/^\s*[[{]/.test(value)) {
      return value;
    }
    try {
      return write(JSON.parse(value));
    } catch {
      return value;
    }
  });

const escapeUnicode = (text: string) =>
  text.replaceAll(/[\u0080-\uFFFF]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

const escapeXml = (value: string) =>
  value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&apos;');

function guess(kind: Guess['kind'], cause: [code: string, en: string, zh: string]) {
  const [code, en, zh] = cause;
  return (change: Guess['change']): Guess => ({ kind, cause: { code, en, zh }, change });
}

function algorithmGuesses(signType: SignType): Guess[] {
  const other: SignType = signType === 'MD5' ? 'HMAC-SHA256' : 'MD5';
  const using =
    (digest: Digest): Guess['change'] =>
    (recipe) => ({ ...recipe, digest });
  return [
    guess('algorithm', [
      'OTHER_ALGORITHM',
      `signed with ${other}, but sign_type says ${signType} (an absent or empty sign_type means MD5)`,
      `签名用的是 ${other}，而 sign_type 声明为 ${signType}（缺省或为空即 MD5）`,
    ])(using(other)),
    guess('algorithm', [
      'HMAC_WITHOUT_KEY_SUFFIX',
      'HMAC-SHA256 was computed without the "&key=" end; the key belongs into the string too',
      'HMAC-SHA256 的待签名字符串末尾缺少 "&key="；密钥除作 HMAC 密钥外也要拼接在串尾',
    ])(using('HMAC-SHA256 without &key=')),
    guess('algorithm', [
      'SHA256_NOT_HMAC',
      'plain SHA-256 instead of HMAC-SHA256',
      '用了普通 SHA-256，而不是 HMAC-SHA256',
    ])(using('SHA256')),
    guess('algorithm', ['SHA1', 'SHA-1 instead of MD5', '用了 SHA-1'])(using('SHA1')),
    guess('algorithm', ['HMAC_MD5', 'HMAC-MD5 instead of MD5', '用了 HMAC-MD5'])(using('HMAC-MD5')),
    guess('algorithm', [
      'MD5_WITHOUT_KEY',
      'MD5 was computed without "&key=<API key>" at the end',
      'MD5 时待签名字符串末尾没有拼接 "&key=<API密钥>"',
    ])(using('MD5 without key')),
  ];
}

function keyGuesses({ key, otherKeys }: GuessContext): Guess[] {
  const wrongKeys: [code: string, en: string, zh: string, key: string | undefined][] = [
    ...Object.entries(otherKeys).map(
      ([name, value]): [string, string, string, string | undefined] => [
        'OTHER_SECRET_AS_KEY',
        `signed with ${name} instead of the API v2 key`,
        `用了 ${name} 作密钥，应使用 APIv2 密钥`,
        value,
      ],
    ),
    ['KEY_WITH_NEWLINE', 'the key has a line break at its end', '密钥末尾多了换行符', `${key}\n`],
    ['KEY_WITH_BLANK', 'the key has a blank at its end', '密钥末尾多了空格', `${key} `],
    ['KEY_WITH_BLANK', 'the key has a blank at its start', '密钥开头多了空格', ` ${key}`],
    ['KEY_IN_QUOTES', 'the key was used with its quotes', '密钥带上了引号', `"${key}"`],
    ['KEY_CASE', 'the key was turned to upper case', '密钥被转成了大写', key.toUpperCase()],
    ['KEY_CASE', 'the key was turned to lower case', '密钥被转成了小写', key.toLowerCase()],
    ['KEY_CUT', 'the last character of the key is missing', '密钥少了最后一位', key.slice(0, -1)],
    ['KEY_CUT', 'the first character of the key is missing', '密钥少了第一位', key.slice(1)],
    ['KEY_UNSET', 'the key was empty', '密钥为空', ''],
    [
      'KEY_UNSET',
      'the key was the word "undefined"',
      '密钥是 "undefined"（未读到配置）',
      'undefined',
    ],
    ['KEY_UNSET', 'the key was the word "null"', '密钥是 "null"（未读到配置）', 'null'],
  ];
  return wrongKeys
    .filter(([, , , value]) => value !== undefined && value !== key)
    .map(([code, en, zh, value]) =>
      guess('key', [code, en, zh])((recipe) => ({ ...recipe, key: value as string })),
    );
}

function valueGuesses({ untrimmed }: GuessContext): Guess[] {
  const blanks: Guess[] = untrimmed
    ? [
        guess('values', [
          'BLANKS_SIGNED',
          'signed with blanks around values, which do not survive XML outside CDATA; never send any',
          '签名时参数值首尾带有空白，而 XML（CDATA 之外）会丢失空白；请去掉首尾空白',
        ])((recipe) => ({ ...recipe, pairs: present(untrimmed) })),
      ]
    : [];
  return [
    ...blanks,
    guess('values', [
      'VALUES_TRIMMED',
      'signed over trimmed values, but values with blanks around them were sent',
      '签名时去掉了参数值首尾空白，发送时却没有去掉',
    ])(mapValues((value) => value.trim())),
    guess('values', [
      'VALUES_URL_ENCODED',
      'values were URL-encoded before signing; sign the raw values',
      '签名前对参数值做了 URL 编码；应使用原始值签名',
    ])(mapValues(encodeURIComponent)),
    guess('values', [
      'VALUES_URL_ENCODED',
      'values were form-encoded before signing; sign the raw values',
      '签名前对参数值做了表单编码；应使用原始值签名',
    ])(mapValues((value) => new URLSearchParams({ v: value }).toString().slice(2))),
    guess('values', [
      'VALUES_XML_ESCAPED',
      'values were XML-escaped before signing; sign the raw values, then escape',
      '签名前对参数值做了 XML 转义；应先用原始值签名，再转义',
    ])(mapValues(escapeXml)),
    guess('values', [
      'CDATA_SIGNED',
      'the CDATA marks were signed with the values',
      '把 <![CDATA[ ]]> 也当作参数值参与了签名',
    ])(mapValues((value) => `<![CDATA[${value}]]>`)),
    guess('values', [
      'JSON_SERIALISED_AGAIN',
      'a JSON value (detail, scene_info) was serialised once for signing and once more, differently, for sending',
      'JSON 参数（detail、scene_info）签名与发送时分别序列化，结果不一致；应只序列化一次',
    ])(mapJson((value) => JSON.stringify(value))),
    guess('values', [
      'JSON_SERIALISED_AGAIN',
      'a JSON value was signed with \\u escapes and "\\/" (PHP json_encode without flags)',
      'JSON 参数签名时带有 \\u 转义与 "\\/"（PHP json_encode 默认行为）',
    ])(mapJson((value) => escapeUnicode(JSON.stringify(value)).replaceAll('/', '\\/'))),
    guess('values', [
      'JSON_SERIALISED_AGAIN',
      'a JSON value was signed with \\u escapes',
      'JSON 参数签名时带有 \\u 转义',
    ])(mapJson((value) => escapeUnicode(JSON.stringify(value)))),
    guess('values', [
      'AMOUNT_UNIT',
      'total_fee was signed in yuan and sent in fen',
      '签名时 total_fee 用了元，发送时用了分',
    ])(
      mapValues((value, name) => (name === 'total_fee' ? (Number(value) / 100).toString() : value)),
    ),
    guess('values', [
      'AMOUNT_UNIT',
      'total_fee was signed with decimals',
      '签名时 total_fee 带有小数',
    ])(
      mapValues((value, name) => (name === 'total_fee' ? (Number(value) / 100).toFixed(2) : value)),
    ),
  ];
}

function fieldGuesses({ pairs, key }: GuessContext): Guess[] {
  const names = new Set(pairs.map(([name]) => name));
  const empties = pairs.filter(([, value]) => value === '').map(([name]) => name);
  const add = (...added: Pair[]): Guess['change'] => {
    return (recipe) => ({ ...recipe, pairs: [...recipe.pairs, ...added] });
  };
  const guesses: Guess[] = [];
  if (empties.length > 0) {
    guesses.push(
      guess('fields', [
        'EMPTY_FIELDS_SIGNED',
        `empty fields were signed (${empties.join(', ')}); they take no part`,
        `空值参数参与了签名（${empties.join('、')}）；空值不参与签名`,
      ])(add(...empties.map((name): Pair => [name, '']))),
    );
  }
  for (const [name] of present(pairs).slice(0, 40)) {
    guesses.push(
      guess('fields', [
        'FIELD_NOT_SIGNED',
        `${name} was sent but not signed; every non-empty field takes part${name === 'sign_type' ? ', sign_type too' : ''}`,
        `${name} 已发送但未参与签名；所有非空参数都要参与签名`,
      ])((recipe) => ({ ...recipe, pairs: recipe.pairs.filter(([other]) => other !== name) })),
    );
  }
  if (!names.has('sign_type') && !names.has('signType')) {
    for (const signType of ['MD5', 'HMAC-SHA256']) {
      guesses.push(
        guess('fields', [
          'FIELD_NOT_SENT',
          `sign_type=${signType} was signed but not sent`,
          `sign_type=${signType} 参与了签名但没有发送`,
        ])(add(['sign_type', signType])),
      );
    }
  }
  guesses.push(
    guess('fields', [
      'KEY_SORTED_IN',
      'the key was sorted in among the fields instead of standing at the end',
      '密钥作为普通参数参与了排序；应固定拼接在末尾',
    ])((recipe) => ({ ...add(['key', key])(recipe), digest: 'MD5 without key' })),
    guess('fields', [
      'NAMES_CHANGED',
      'field names were turned to lower case for signing',
      '签名时参数名被转成了小写',
    ])((recipe) => ({
      ...recipe,
      pairs: recipe.pairs.map(([name, value]) => [name.toLowerCase(), value] as const),
    })),
  );
  return guesses;
}

function formGuesses(): Guess[] {
  const order = (compareNames: Recipe['order']): Guess['change'] => {
    return (recipe) => ({ ...recipe, order: compareNames });
  };
  return [
    guess('order', [
      'NOT_SORTED',
      'the fields were not sorted, they were signed in the order of the document',
      '参数没有按参数名 ASCII 码排序，而是按报文顺序签名',
    ])(order(() => 0)),
    guess('order', [
      'WRONG_SORT_ORDER',
      'the fields were sorted without regard to case; the order is that of the bytes',
      '排序时忽略了大小写；应按 ASCII 码从小到大排序',
    ])(order(([a], [b]) => compare(a.toLowerCase(), b.toLowerCase()))),
    guess('order', [
      'WRONG_SORT_ORDER',
      'the fields were sorted by the rules of a language; the order is that of the bytes',
      '按语言规则排序了；应按 ASCII 码从小到大排序',
    ])(order(([a], [b]) => a.localeCompare(b, 'en'))),
    guess('order', [
      'WRONG_SORT_ORDER',
      'the fields were sorted from z to a',
      '参数按从大到小排序了',
    ])(order(([a], [b]) => compare(b, a))),
    guess('order', [
      'WRONG_SORT_ORDER',
      'the fields were sorted by value instead of by name',
      '按参数值排序了；应按参数名排序',
    ])(order(([, a], [, b]) => compare(a, b))),
    guess('encoding', [
      'GBK',
      'the string was signed as GBK bytes; use UTF-8',
      '待签名字符串按 GBK 编码签名；应使用 UTF-8',
    ])((recipe) => ({ ...recipe, encode: encodeGbk })),
    guess('encoding', [
      'LATIN1',
      'the string was signed as Latin-1 ("binary") bytes; use UTF-8',
      '待签名字符串按 Latin-1（"binary"）编码签名；应使用 UTF-8',
    ])((recipe) => ({ ...recipe, encode: (text) => Buffer.from(text, 'latin1') })),
    guess('output', [
      'LOWER_CASE',
      'the signature is in lower case; WeChat Pay wants upper case',
      '签名是小写；应转换为大写',
    ])((recipe) => ({ ...recipe, write: (digest) => digest.toString('hex') })),
    guess('output', [
      'BASE64',
      'the signature is Base64; WeChat Pay wants upper-case hex',
      '签名是 Base64；应为大写十六进制',
    ])((recipe) => ({ ...recipe, write: (digest) => digest.toString('base64') })),
  ];
}

/** Every single mistake that is worth trying, the common ones first. */
export function listGuesses(context: GuessContext): Guess[] {
  return [
    ...algorithmGuesses(context.signType),
    ...formGuesses(),
    ...fieldGuesses(context),
    ...valueGuesses(context),
    ...keyGuesses(context),
  ];
}

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

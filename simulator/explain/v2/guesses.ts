/** The mistakes that make a signature fail, each as a change to the right recipe of a signature. */
import { compare } from '../compare.ts';
import { encodeGbk } from '../gbk.ts';
import { guessFields, guessValues } from './contents.ts';
import {
  type Digest,
  type Guess,
  type GuessContext,
  guess,
  type OtherKey,
  type Recipe,
  type SignType,
} from './recipe.ts';

function guessAlgorithms(signType: SignType): Guess[] {
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
      'MD5 was computed without "&key=<APIv2 key>" at the end',
      'MD5 时待签名字符串末尾没有拼接 "&key=<APIv2密钥>"',
    ])(using('MD5 without key')),
  ];
}

/** Each name that `otherKeys` uses. */
const CHINESE_NAMES: Readonly<Record<OtherKey, string>> = {
  'the API v3 key': ' APIv3 密钥',
  'the appSecret of the mini-program': '小程序的 AppSecret',
  'the mch_id': '商户号',
};

function guessKeys({ key, otherKeys }: GuessContext): Guess[] {
  const wrongKeys: [code: string, en: string, zh: string, key: string | undefined][] = [
    ...Object.entries(otherKeys).map(
      ([name, value]): [string, string, string, string | undefined] => [
        'OTHER_SECRET_AS_KEY',
        `signed with ${name} instead of the API v2 key`,
        `误用了${CHINESE_NAMES[name as OtherKey]}，应使用 APIv2 密钥`,
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

function guessForms(): Guess[] {
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
    ...guessAlgorithms(context.signType),
    ...guessForms(),
    ...guessFields(context),
    ...guessValues(context),
    ...guessKeys(context),
  ];
}

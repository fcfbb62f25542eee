/** Mistakes in what is signed: values that were changed, fields that are missing or too many. */
import { type Guess, type GuessContext, guess, type Pair, present } from './recipe.ts';

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

export function guessValues({ untrimmed }: GuessContext): Guess[] {
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

export function guessFields({ pairs, key }: GuessContext): Guess[] {
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

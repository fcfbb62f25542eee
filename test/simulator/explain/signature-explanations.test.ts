/** A developer's mistakes, each made on purpose with tenpay's pieces: WeChat's answer stays short, the log says which. */
import { createHash, createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bench, type Fields, sign, startBench, tenpayUtil } from '../support.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(async () => bench.stop());

const order = async (changes: Fields = {}): Promise<Fields> =>
  (await bench.orderFields('explained', {
    appid: bench.merchant.appid,
    mch_id: bench.merchant.mchid,
    nonce_str: 'Nonce',
    body: '茶 & 点心',
    ...changes,
  })) as Fields;

interface Report {
  result: string;
  algorithm: string;
  declaredSignType: string | null;
  stringToSign: string;
  expected: string;
  received: string | null;
  reason?: string;
  likelyCauses?: { code: string; en: string; zh: string }[];
}

async function send(fields: Fields, signature: string, xml?: string) {
  const response = await fetch(`${bench.simulator.url}/pay/unifiedorder`, {
    method: 'POST',
    body: xml ?? tenpayUtil.buildXML({ ...fields, sign: signature }),
  });
  const answer = await tenpayUtil.parseXML(await response.text());
  const { body } = await bench.control('GET', '/messages');
  const messages = body['messages'] as unknown as { kind: string; signature: Report }[];
  const message = messages.findLast(({ kind }) => kind === 'unifiedorder');
  return { answer, report: message?.signature as Report };
}

/** The string of the documentation, for mistakes that begin from it. */
const stringOf = (fields: Fields) => tenpayUtil.toQueryString(fields);
const md5 = (data: string | Buffer) => createHash('md5').update(data).digest('hex').toUpperCase();
const key = () => bench.merchant.apiV2Key;

type Mistake = (fields: Fields) => string;

const MISTAKES: [title: string, codes: string[], changes: Fields, mistake: Mistake][] = [
  [
    'HMAC-SHA256 without saying so',
    ['OTHER_ALGORITHM'],
    {},
    (fields) => sign(fields, key(), 'HMAC-SHA256'),
  ],
  [
    'MD5 although HMAC-SHA256 is declared',
    ['OTHER_ALGORITHM'],
    { sign_type: 'HMAC-SHA256' },
    (fields) => sign(fields, key(), 'MD5'),
  ],
  [
    'HMAC without &key=',
    ['HMAC_WITHOUT_KEY_SUFFIX'],
    { sign_type: 'HMAC-SHA256' },
    (fields) => createHmac('sha256', key()).update(stringOf(fields)).digest('hex').toUpperCase(),
  ],
  [
    'plain SHA-256',
    ['SHA256_NOT_HMAC'],
    { sign_type: 'HMAC-SHA256' },
    (fields) =>
      createHash('sha256')
        .update(`${stringOf(fields)}&key=${key()}`)
        .digest('hex')
        .toUpperCase(),
  ],
  ['MD5 without the key', ['MD5_WITHOUT_KEY'], {}, (fields) => md5(stringOf(fields))],
  ['lower case', ['LOWER_CASE'], {}, (fields) => sign(fields, key()).toLowerCase()],
  [
    'Base64',
    ['BASE64'],
    {},
    (fields) => Buffer.from(sign(fields, key()), 'hex').toString('base64'),
  ],
  [
    'the API v3 key',
    ['OTHER_SECRET_AS_KEY'],
    {},
    (fields) => sign(fields, bench.merchant.apiV3Key),
  ],
  [
    'the appSecret',
    ['OTHER_SECRET_AS_KEY'],
    {},
    (fields) => sign(fields, bench.merchant.appSecret),
  ],
  ['a key with a line break', ['KEY_WITH_NEWLINE'], {}, (fields) => sign(fields, `${key()}\n`)],
  ['a key that is cut short', ['KEY_CUT'], {}, (fields) => sign(fields, key().slice(0, 31))],
  ['a key that was never read', ['KEY_UNSET'], {}, (fields) => sign(fields, 'undefined')],
  [
    'empty fields signed',
    ['EMPTY_FIELDS_SIGNED'],
    { attach: '', device_info: '' },
    (fields) => {
      const sorted = Object.keys(fields).sort();
      return md5(`${sorted.map((name) => `${name}=${fields[name]}`).join('&')}&key=${key()}`);
    },
  ],
  [
    'sign_type left out',
    ['FIELD_NOT_SIGNED'],
    { sign_type: 'MD5' },
    (fields) => sign({ ...fields, sign_type: '' }, key()),
  ],
  [
    'attach left out',
    ['FIELD_NOT_SIGNED'],
    { attach: 'x' },
    (fields) => sign({ ...fields, attach: '' }, key()),
  ],
  [
    'sign_type signed but not sent',
    ['FIELD_NOT_SENT'],
    {},
    (fields) => sign({ ...fields, sign_type: 'MD5' }, key()),
  ],
  [
    'the key sorted in among the fields',
    ['KEY_SORTED_IN'],
    {},
    (fields) => md5(stringOf({ ...fields, key: key() })),
  ],
  [
    'the order of the document',
    ['NOT_SORTED'],
    {},
    (fields) => {
      const pairs = Object.entries(fields).map((pair) => pair.join('='));
      return md5(`${pairs.join('&')}&key=${key()}`);
    },
  ],
  [
    'names sorted without regard to case',
    ['WRONG_SORT_ORDER'],
    { Zone: 'x' },
    (fields) => {
      const names = Object.keys(fields).sort((a, b) =>
        a.toLowerCase() < b.toLowerCase() ? -1 : 1,
      );
      return md5(`${names.map((name) => `${name}=${fields[name]}`).join('&')}&key=${key()}`);
    },
  ],
  [
    'URL-encoded values',
    ['VALUES_URL_ENCODED'],
    {},
    (fields) => {
      const encoded = Object.entries(fields).map(([name, value]) => [
        name,
        encodeURIComponent(value),
      ]);
      return sign(Object.fromEntries(encoded) as Fields, key());
    },
  ],
  [
    'XML-escaped values',
    ['VALUES_XML_ESCAPED'],
    {},
    (fields) => sign({ ...fields, body: '茶 &amp; 点心' }, key()),
  ],
  [
    'values trimmed for signing only',
    ['VALUES_TRIMMED'],
    { body: ' 茶 & 点心 ' },
    (fields) => sign({ ...fields, body: '茶 & 点心' }, key()),
  ],
  [
    'an amount in yuan',
    ['AMOUNT_UNIT'],
    { total_fee: '2850' },
    (fields) => sign({ ...fields, total_fee: '28.5' }, key()),
  ],
  [
    'JSON with blanks sent, without signed',
    ['JSON_SERIALISED_AGAIN'],
    { detail: '{ "goods_detail": [ { "goods_id": "1", "quantity": 1, "price": 1 } ] }' },
    (fields) =>
      sign(
        { ...fields, detail: '{"goods_detail":[{"goods_id":"1","quantity":1,"price":1}]}' },
        key(),
      ),
  ],
  [
    'JSON as PHP writes it',
    ['JSON_SERIALISED_AGAIN'],
    { detail: '{"goods_detail":[{"goods_id":"茶/1","quantity":1,"price":1}]}' },
    (fields) =>
      sign(
        {
          ...fields,
          detail: '{"goods_detail":[{"goods_id":"\\u8336\\/1","quantity":1,"price":1}]}',
        },
        key(),
      ),
  ],
  [
    'GBK bytes',
    ['GBK'],
    {},
    (fields) => {
      // 茶 is B2E8, 点 is B5E3, 心 is D0C4 in GBK.
      const [before = '', after = ''] = `${stringOf(fields)}&key=${key()}`.split('茶 & 点心');
      const gbk = Buffer.from('b2e8202620b5e3d0c4', 'hex');
      return md5(Buffer.concat([Buffer.from(before), gbk, Buffer.from(after)]));
    },
  ],
  [
    'Latin-1 bytes',
    ['LATIN1'],
    {},
    (fields) => md5(Buffer.from(`${stringOf(fields)}&key=${key()}`, 'latin1')),
  ],
  [
    'two mistakes: another algorithm and lower case',
    ['OTHER_ALGORITHM', 'LOWER_CASE'],
    {},
    (fields) => sign(fields, key(), 'HMAC-SHA256').toLowerCase(),
  ],
  [
    'two mistakes: unsorted, with the API v3 key',
    ['NOT_SORTED', 'OTHER_SECRET_AS_KEY'],
    {},
    (fields) => {
      const pairs = Object.entries(fields).map((pair) => pair.join('='));
      return md5(`${pairs.join('&')}&key=${bench.merchant.apiV3Key}`);
    },
  ],
  [
    'the key of somebody else',
    ['OTHER_KEY_OR_VALUES'],
    {},
    (fields) => sign(fields, '192006250b4c09247ec02edce69f6a2d'),
  ],
  [
    'a value that changed after signing',
    ['OTHER_KEY_OR_VALUES'],
    {},
    (fields) => sign({ ...fields, body: 'something else' }, key()),
  ],
  [
    'the key of somebody else, 64 digits for MD5',
    ['WRONG_LENGTH', 'OTHER_KEY_OR_VALUES'],
    {},
    (fields) => sign(fields, '192006250b4c09247ec02edce69f6a2d', 'HMAC-SHA256'),
  ],
  ['a placeholder', ['NOT_HEX', 'OTHER_KEY_OR_VALUES'], {}, () => 'sign'],
];

describe('a wrong signature', () => {
  test.each(MISTAKES)('made with %s is explained as %j', async (_, codes, changes, mistake) => {
    const fields = await order(changes);
    const { answer, report } = await send(fields, mistake(fields));
    expect(answer).toEqual({ return_code: 'FAIL', return_msg: '签名错误' });
    expect(report.result).toBe('invalid');
    expect(report.likelyCauses?.map(({ code }) => code)).toEqual(codes);
    expect(report.reason).toBe(report.likelyCauses?.map(({ en }) => en).join('; and '));
    expect(report.likelyCauses?.every(({ zh }) => /[\u4E00-\u9FFF]/.test(zh))).toBe(true);
    expect(report.likelyCauses?.some(({ zh }) => /\bthe\b/.test(zh))).toBe(false);
  });

  test('names the field that was not signed', async () => {
    const fields = await order({ attach: 'x' });
    const { report } = await send(fields, sign({ ...fields, attach: '' }, key()));
    expect(report.reason).toBe('attach was sent but not signed; every non-empty field takes part');
  });

  test('is missing', async () => {
    const { answer, report } = await send(await order(), '');
    expect(answer['return_msg']).toBe('签名错误');
    expect(report).toMatchObject({ received: '', likelyCauses: [{ code: 'SIGNATURE_MISSING' }] });
  });

  test('over blanks that XML does not keep is told apart', async () => {
    const fields = await order({ body: ' tea ' });
    const signature = sign(fields, key());
    const elements = Object.entries({ ...fields, sign: signature }).map(
      ([name, value]) => `<${name}>${value}</${name}>`,
    );
    const { report } = await send(fields, signature, `<xml>${elements.join('')}</xml>`);
    expect(report.likelyCauses?.map(({ code }) => code)).toEqual(['BLANKS_SIGNED']);
  });

  test('over a body of 60 kB is explained in less than a second', async () => {
    const fields = await order({ attach: 'x'.repeat(60_000) });
    const startedAt = performance.now();
    const { report } = await send(fields, sign(fields, 'other'));
    expect(performance.now() - startedAt).toBeLessThan(1000);
    expect(report.likelyCauses?.map(({ code }) => code)).toEqual(['OTHER_KEY_OR_VALUES']);
  });
});

test('a right signature is reported with the string that was signed, the key masked', async () => {
  const fields = { ...(await order()), sign_type: 'HMAC-SHA256' };
  const signature = sign(fields, key(), 'HMAC-SHA256');
  const { report } = await send(fields, signature);
  expect(report).toEqual({
    result: 'valid',
    declaredSignType: 'HMAC-SHA256',
    algorithm: 'HMAC-SHA256',
    stringToSign: `${stringOf(fields)}&key=***`,
    expected: signature,
    received: signature,
  });
});

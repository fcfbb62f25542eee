/** What API v3 says to a wrong signature, and what its message log explains. */
import { createHash, generateKeyPairSync, publicEncrypt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rightDraft } from '../../../simulator/explain/v3/draft.ts';
import { parseAuthorization } from '../../../simulator/v3/authorization.ts';
import type { SignatureReport } from '../../../simulator/explain/report.ts';
import { type Bench, startBench } from '../support.ts';
import {
  callV3,
  JSAPI,
  nowSeconds,
  orderBody,
  paymentOf,
  placeV3,
  rsaSign,
  stringOf,
  type StringParts,
  type V3Options,
} from '../v3-support.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(async () => bench.stop());

interface Logged {
  readonly kind: string;
  readonly note?: string;
  readonly signature: SignatureReport;
}

async function lastMessage(kind: string): Promise<Logged> {
  const { body } = await bench.control('GET', '/messages');
  const messages = body['messages'] as unknown as Logged[];
  return messages.findLast((message) => message.kind === kind) as Logged;
}

const codesOf = ({ signature }: Logged) => signature.likelyCauses?.map(({ code }) => code);

async function order(options: V3Options, content?: unknown) {
  const body = content ?? (await orderBody(bench, 'v3-signed', { description: '茶 & 点心/<1>' }));
  const answer = await callV3(bench, 'POST', JSAPI, body, options);
  return { answer, message: await lastMessage('unifiedorder') };
}

describe('a request with a wrong signature', () => {
  test('is answered with what WeChat signs, cut short', async () => {
    const body = JSON.stringify(await orderBody(bench, 'v3-signed'));
    const timestamp = nowSeconds();
    const { answer } = await order({ timestamp, stringToSign: () => 'something' }, body);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('request-id')).toMatch(/-268443699$/);
    const nonce = expect.stringMatching(/^[0-9A-F]{32}$/) as string;
    const detail = answer.json['detail'] as { sign_information: Record<string, string> };
    expect(answer.json).toEqual({
      code: 'SIGN_ERROR',
      message: '错误的签名，验签失败',
      detail: {
        detail: { issue: 'sign not match' },
        field: 'signature',
        location: 'authorization',
        sign_information: {
          method: 'POST',
          sign_message_length: Buffer.byteLength(
            stringOf({ method: 'POST', url: JSAPI, timestamp, nonce: '0'.repeat(32), body }),
          ),
          truncated_sign_message: expect.stringMatching(
            new RegExp(`^POST\\n${JSAPI}\\n${timestamp}\\n[0-9A-F]{32}\\n\\{"appid"\\n$`),
          ),
          url: JSAPI,
        },
      },
    });
    expect(detail.sign_information['truncated_sign_message']?.split('\n')[3]).toEqual(nonce);
  });

  const change = (changes: Partial<StringParts>) => (parts: StringParts) =>
    stringOf({ ...parts, ...changes });
  const withBody = (write: (body: string) => string) => (parts: StringParts) =>
    stringOf({ ...parts, body: write(parts.body) });
  const pretty = (indent: number) => (body: string) =>
    JSON.stringify(JSON.parse(body), undefined, indent);
  const python = (body: string) =>
    body
      .replaceAll(/("|\}|\d),"/g, '$1, "')
      .replaceAll(/"(\w+)":/g, '"$1": ')
      .replaceAll('茶', '\\u8336')
      .replaceAll('点心', '\\u70b9\\u5fc3');

  const php = (body: string) =>
    body.replaceAll('/', '\\/').replaceAll('茶', '\\u8336').replaceAll('点心', '\\u70b9\\u5fc3');

  test.each<[string, string[], (parts: StringParts) => string]>([
    [
      'without the last line feed',
      ['LAST_NEWLINE_MISSING'],
      (parts) => stringOf(parts).slice(0, -1),
    ],
    ['with CR LF', ['CRLF'], (parts) => stringOf(parts).replaceAll('\n', '\r\n')],
    [
      'with \\n written out',
      ['NEWLINE_ESCAPED'],
      (parts) => stringOf(parts).replaceAll('\n', '\\n'),
    ],
    [
      'with timestamp and nonce first',
      ['LINES_IN_OTHER_ORDER'],
      ({ method, url, timestamp, nonce, body }) =>
        `${timestamp}\n${nonce}\n${method}\n${url}\n${body}\n`,
    ],
    ['with the host', ['URL_WITH_HOST'], change({ url: `https://api.mch.weixin.qq.com${JSAPI}` })],
    ['without /v3', ['URL_INCOMPLETE'], change({ url: JSAPI.slice(3) })],
    ['over an empty body', ['BODY_NOT_SIGNED'], change({ body: '' })],
    ['over an indented body', ['BODY_SERIALISED_AGAIN'], withBody(pretty(2))],
    ['over a body as Python writes it', ['BODY_SERIALISED_AGAIN'], withBody(python)],
    ['over a body as PHP writes it', ['BODY_SERIALISED_AGAIN'], withBody(php)],
    [
      'over a body as Go writes it',
      ['BODY_SERIALISED_AGAIN'],
      withBody((body) =>
        body.replaceAll('<', '\\u003c').replaceAll('>', '\\u003e').replaceAll('&', '\\u0026'),
      ),
    ],
    ['over JSON of the JSON', ['BODY_ENCODED_TWICE'], withBody((body) => JSON.stringify(body))],
    ['over [object Object]', ['BODY_NOT_TEXT'], change({ body: '[object Object]' })],
    ['with a lower-case method', ['METHOD_LOWER_CASE'], change({ method: 'post' })],
    ['for GET', ['OTHER_METHOD'], change({ method: 'GET' })],
    [
      'with another second',
      ['OTHER_TIMESTAMP'],
      (parts) => stringOf({ ...parts, timestamp: (Number(parts.timestamp) + 1).toString() }),
    ],
    [
      'with two mistakes',
      ['LAST_NEWLINE_MISSING', 'BODY_NOT_SIGNED'],
      (parts) => stringOf({ ...parts, body: '' }).slice(0, -1),
    ],
    ['over another amount', ['OTHER_STRING'], withBody((body) => body.replace('2800', '28'))],
  ])('made %s is explained as %j', async (_, codes, stringToSign) => {
    const { answer, message } = await order({ stringToSign });
    expect(answer.status).toBe(401);
    expect(codesOf(message)).toEqual(codes);
    expect(message.signature).toMatchObject({ result: 'invalid', expected: null });
    expect(message.signature.likelyCauses?.every(({ zh }) => /\p{Script=Han}/u.test(zh))).toBe(
      true,
    );
    expect(message.signature.steps?.map(({ check, ok }) => `${check} ${ok}`)).toEqual([
      'authorization true',
      'mchid true',
      'timestamp true',
      'serial_no true',
      'signature false',
    ]);
  });

  const other = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });

  test.each<[string, string[], V3Options]>([
    ['another key', ['OTHER_KEY'], { privateKey: other.privateKey }],
    ['SHA-1', ['OTHER_DIGEST'], { signature: (message, key) => rsaSign(message, key, 'sha1') }],
    [
      'hexadecimal digits',
      ['HEX'],
      {
        signature: (message, key) => Buffer.from(rsaSign(message, key), 'base64').toString('hex'),
      },
    ],
    [
      'the digest in hexadecimal, signed',
      ['OTHER_STRING'],
      {
        signature: (message, key) =>
          rsaSign(createHash('sha256').update(message).digest('hex'), key),
      },
    ],
    ['a placeholder', ['NOT_BASE64'], { signature: () => 'signature' }],
    [
      'encryption instead of a signature',
      ['OTHER_KEY'],
      {
        signature: (message) =>
          publicEncrypt(other.publicKey, Buffer.from(message.slice(0, 100))).toString('base64'),
      },
    ],
  ])('made with %s is explained as %j', async (_, codes, options) => {
    const { answer, message } = await order(options);
    expect(answer.status).toBe(401);
    expect(codesOf(message)).toEqual(codes);
  });

  test.each<[string, string[], string, (parts: StringParts) => string]>([
    [
      'without its query',
      ['QUERY_NOT_SIGNED'],
      '?mchid=1&note=%E8%8C%B6',
      (parts) => stringOf({ ...parts, url: parts.url.split('?')[0] ?? '' }),
    ],
    [
      'decoded',
      ['QUERY_DECODED'],
      '?mchid=1&note=%E8%8C%B6',
      (parts) => stringOf({ ...parts, url: decodeURIComponent(parts.url) }),
    ],
    [
      'with the placeholder',
      ['PLACEHOLDER_SIGNED'],
      '?mchid=1',
      (parts) => stringOf({ ...parts, url: parts.url.replace('v3-signed', '{out_trade_no}') }),
    ],
    [
      'with the word undefined for its body',
      ['BODY_SIGNED_BUT_NOT_SENT'],
      '?mchid=1',
      (parts) => stringOf({ ...parts, body: 'undefined' }),
    ],
  ])('of a GET, signed %s, is explained as %j', async (_, codes, query, stringToSign) => {
    const url = `/v3/pay/transactions/out-trade-no/v3-signed${query}`;
    const { status } = await callV3(bench, 'GET', url, undefined, { stringToSign });
    expect(status).toBe(401);
    expect(codesOf(await lastMessage('orderquery'))).toEqual(codes);
  });
});

describe('a request is refused before its signature is looked at', () => {
  const seconds = Math.floor(Date.now() / 1000);
  test.each<[string, () => V3Options, string, RegExp]>([
    [
      'six minutes late',
      () => ({ timestamp: (seconds - 360).toString() }),
      'timestamp',
      /^the clock is 3\d\d s behind WeChat's$/,
    ],
    ['six minutes early', () => ({ timestamp: (seconds + 360).toString() }), 'timestamp', /ahead/],
    ['in milliseconds', () => ({ timestamp: Date.now().toString() }), 'timestamp', /milliseconds/],
    ['of an unknown merchant', () => ({ mchid: '1900000109' }), 'mchid', /knows only merchant/],
    ['with an unknown serial', () => ({ serialNo: 'ABC' }), 'serial_no', /no API certificate ABC/],
    [
      "with the platform certificate's serial",
      () => ({ serialNo: bench.merchant.platformSerialNo }),
      'serial_no',
      /names WeChat Pay's key/,
    ],
    [
      'with the id of the public key as serial',
      () => ({ serialNo: bench.merchant.wechatpayPublicKeyId }),
      'serial_no',
      /names WeChat Pay's key/,
    ],
    [
      'without Authorization',
      () => ({ headers: { authorization: undefined } }),
      'authorization',
      /no Authorization header/,
    ],
    [
      'with another scheme',
      () => ({ headers: { authorization: 'Bearer x' } }),
      'authorization',
      /the scheme is "Bearer"/,
    ],
  ])('%s', async (_, options, check, reason) => {
    const { answer, message } = await order(options());
    expect([answer.status, answer.json['code']]).toEqual([401, 'SIGN_ERROR']);
    expect(message.signature.steps?.at(-1)).toMatchObject({ check, ok: false });
    expect(message.signature.reason).toMatch(reason);
    expect(message.note).toMatch(/^SIGN_ERROR: /);
  });
});

test('a right signature is reported with its string, serial and steps', async () => {
  const { message } = await order({});
  expect(message.signature).toMatchObject({
    result: 'valid',
    declaredSignType: 'WECHATPAY2-SHA256-RSA2048',
    algorithm: 'WECHATPAY2-SHA256-RSA2048',
    stringToSign: expect.stringMatching(
      /^POST\n\/v3\/pay\/transactions\/jsapi\n\d{10}\n/,
    ) as string,
    serial: bench.merchant.merchantSerialNo,
    keyName: "public key of the merchant's API certificate",
  });
  expect(message.signature.expected).toBe(message.signature.received);
});

test('the serial of the certificate may be in lower case, as wechatpay-node-v3 sends it', async () => {
  const { answer } = await order({ serialNo: bench.merchant.merchantSerialNo.toLowerCase() });
  expect(answer.status).toBe(200);
});

interface Vector {
  readonly id: string;
  readonly message: string;
  readonly authorization_header: string;
  readonly expected_signature: string;
}
const VECTORS = JSON.parse(readFileSync('test/vectors/v3.json', 'utf8')) as { vectors: Vector[] };
const REQUESTS = VECTORS.vectors.filter(({ authorization_header: header }) => header);

test.each(REQUESTS)('the official example $id is read', (vector) => {
  const parsed = parseAuthorization(vector.authorization_header);
  expect(parsed).toMatchObject({ ok: true, value: { signature: vector.expected_signature } });
  const [method = '', url = '', timestamp = '', nonce = '', ...rest] = vector.message.split('\n');
  const draft = rightDraft([method, url, timestamp, nonce, rest.slice(0, -1).join('\n')]);
  expect(draft.lines.join(draft.separator) + draft.end).toBe(vector.message);
});

test.each([
  ['blanks after commas', 'WECHATPAY2-SHA256-RSA2048 mchid="1", nonce_str="2"', /nonce_str/],
  ['no quotes', 'WECHATPAY2-SHA256-RSA2048 mchid=1,nonce_str=2', /is not name="value"/],
  ['two blanks', 'WECHATPAY2-SHA256-RSA2048  mchid="1"', /one blank after the scheme/],
  ['a field twice', 'WECHATPAY2-SHA256-RSA2048 mchid="1",mchid="1"', /mchid is unknown or appears/],
  ['a field too few', 'WECHATPAY2-SHA256-RSA2048 mchid="1"', /^nonce_str, timestamp, serial_no,/],
])('an Authorization with %s is refused', (_, header, reason) => {
  expect(parseAuthorization(header)).toMatchObject({
    ok: false,
    en: expect.stringMatching(reason) as string,
  });
});

describe('the second signature', () => {
  const payWith = async (changes: Record<string, unknown>) => {
    const { json } = await placeV3(bench, 'v3-paysign');
    const payment = paymentOf(bench, json['prepay_id']);
    const { appid, merchantPrivateKey } = bench.merchant;
    const { timeStamp, nonceStr, package: pack } = payment;
    const lines = { appid, timeStamp, nonceStr, pack, key: merchantPrivateKey };
    const made = Object.fromEntries(
      Object.entries(changes).map(([name, change]) => [
        name,
        typeof change === 'function' ? (change as (input: typeof lines) => unknown)(lines) : change,
      ]),
    );
    const input = { user: 'alice', cancel: true, ...payment, ...made };
    return (await bench.control('POST', '/request-payment', input)).body as Record<string, unknown>;
  };

  interface Lines {
    readonly appid: string;
    readonly timeStamp: string;
    readonly nonceStr: string;
    readonly pack: string;
    readonly key: string;
  }
  const signing =
    (write: (lines: Lines) => string) =>
    (lines: Lines): string =>
      rsaSign(write(lines), lines.key);

  test.each<[string, string, (lines: Lines) => string]>([
    [
      'over the bare prepay_id',
      'PACKAGE_WITHOUT_PREFIX',
      ({ appid, timeStamp, nonceStr, pack }) =>
        `${appid}\n${timeStamp}\n${nonceStr}\n${pack.slice(10)}\n`,
    ],
    [
      'with the nonce before the time',
      'LINES_IN_OTHER_ORDER',
      ({ appid, timeStamp, nonceStr, pack }) => `${appid}\n${nonceStr}\n${timeStamp}\n${pack}\n`,
    ],
    [
      'without the last line feed',
      'LAST_NEWLINE_MISSING',
      ({ appid, timeStamp, nonceStr, pack }) => `${appid}\n${timeStamp}\n${nonceStr}\n${pack}`,
    ],
    [
      'without an appId',
      'APPID_UNSET',
      ({ timeStamp, nonceStr, pack }) => `undefined\n${timeStamp}\n${nonceStr}\n${pack}\n`,
    ],
    [
      'like v2',
      'SIGNED_LIKE_V2',
      ({ appid, timeStamp, nonceStr, pack }) =>
        `appId=${appid}&nonceStr=${nonceStr}&package=${pack}&signType=RSA&timeStamp=${timeStamp}`,
    ],
  ])('made %s is explained as %s', async (_, code, write) => {
    const result = await payWith({ paySign: signing(write) });
    expect(result).toMatchObject({
      errMsg: 'requestPayment:fail 支付验证签名失败',
      reason: 'SIGNATURE_INVALID',
      likelyCauses: [{ code }],
    });
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['signType MD5', { signType: 'MD5' }, 'SIGN_TYPE_DIFFERS'],
    ['no signType', { signType: undefined }, 'SIGN_TYPE_INVALID'],
    ['a number as timeStamp', { timeStamp: 1_700_000_000 }, 'PARAMETER_TYPE'],
    ['another appId', { appId: 'wx0000000000000000' }, 'APPID_DIFFERS'],
    ['a package without prefix', { package: 'wx20' }, 'PACKAGE_INVALID'],
  ])('with %s is refused', async (_, changes, reason) => {
    expect(await payWith(changes)).toMatchObject({ reason });
  });

  test('of another key is told apart', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const paySign = ({ appid, timeStamp, nonceStr, pack }: Lines) =>
      rsaSign(`${appid}\n${timeStamp}\n${nonceStr}\n${pack}\n`, key);
    expect(await payWith({ paySign })).toMatchObject({ likelyCauses: [{ code: 'OTHER_KEY' }] });
  });
});

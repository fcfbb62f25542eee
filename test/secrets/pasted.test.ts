/** Keys and ids that were pasted wrongly into the merchant's secret, each with its fault. */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  X509Certificate,
} from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../lib/errors.ts';
import { openMerchantSecret } from '../../lib/secrets/merchant.ts';
import { newCertifiedKey } from '../support/rsa-keys.ts';
import { STORED_ID, storedSecret } from '../support/stored-secret.ts';

const ours = newCertifiedKey(Date.now());
const other = newCertifiedKey(Date.now());
const publicOf = (privateKey: string) =>
  createPublicKey(createPrivateKey(privateKey)).export({ type: 'spki', format: 'pem' }).toString();
const wechatKey = publicOf(other.privateKey);

const good = {
  mchid: '1900000109',
  apiV3Key: 'a'.repeat(32),
  merchantSerialNo: ours.serialNo,
  merchantPrivateKey: ours.privateKey,
  merchantCertificate: ours.certificate,
  wechatpayPublicKeyId: 'PUB_KEY_ID_0119000001092024000000000000000000',
  wechatpayPublicKey: wechatKey,
};

const read = (change: object, apiVersion: 'v2' | 'v3' = 'v3') =>
  openMerchantSecret(
    storedSecret({ ...good, ...change }),
    { merchantSecretId: STORED_ID, apiVersion },
    () => 0,
  ).current();

/** The whole of the fault, without the form that is wanted. */
async function faultOf(change: Record<string, unknown>, apiVersion: 'v2' | 'v3' = 'v3') {
  const error = await read(change, apiVersion).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (!(error instanceof ConfigError)) {
    throw new Error('the secret was taken');
  }
  const everything = `${error.stack} ${JSON.stringify(error.parameters)}`;
  // The longest line of each value: the names of fields and kinds are shorter.
  const lines = [...Object.values(good), ...Object.values(change)]
    .flatMap((value) => String(value).split(/\\n|\s/))
    .filter((line) => line.length > 20 && !line.startsWith('-----'));
  expect(lines.filter((line) => everything.includes(line))).toEqual([]);
  return /\((\w+ .*?); wanted: .+\)$/.exec(error.message)?.[1];
}

const der = (pem: string) => pem.replaceAll(/-----[A-Z ]+-----|\s/g, '');
const literal = (pem: string) => pem.trim().replaceAll('\n', '\\n');
const oneLine = (pem: string) => pem.trim().replaceAll('\n', ' ');
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ecPrivate = ec.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const ecPublic = ec.publicKey.export({ type: 'spki', format: 'pem' }).toString();
const sec1 = ec.privateKey.export({ type: 'sec1', format: 'pem' }).toString();
const protectedBy = (type: 'pkcs8' | 'pkcs1') =>
  createPrivateKey(ours.privateKey)
    .export({ type, format: 'pem', cipher: 'aes-256-cbc', passphrase: 'p' } as never)
    .toString();

const FIELDS = {
  merchantPrivateKey: { right: ours.privateKey, kind: 'private key' },
  merchantCertificate: { right: ours.certificate, kind: 'certificate' },
  wechatpayPublicKey: { right: wechatKey, kind: 'public key' },
} as const;
const names = Object.keys(FIELDS) as (keyof typeof FIELDS)[];

test('what is right is taken, by either version', async () => {
  expect(await read({})).toEqual(good);
  expect(await read({ apiV2Key: 'k'.repeat(32) }, 'v2')).toMatchObject(good);
});

describe.each(names)('%s', (name) => {
  const { right, kind } = FIELDS[name];

  test.each(names.filter((each) => each !== name).map((each) => FIELDS[each]))(
    'is refused when it is a $kind',
    async (wrong) => {
      expect(await faultOf({ [name]: wrong.right })).toBe(`${name} is a ${wrong.kind}`);
      expect(await faultOf({ [name]: literal(wrong.right) })).toBe(`${name} is a ${wrong.kind}`);
    },
  );

  test.each<[string, string, string]>([
    [
      '\\n as two characters',
      literal(right),
      'has \\n as two characters where line breaks belong (in JSON: one backslash)',
    ],
    [
      'all in one line',
      oneLine(right),
      'is all in one line: keep the line breaks of the file (in JSON: \\n)',
    ],
    [
      'one line without a blank',
      right.replaceAll('\n', ''),
      'is all in one line: keep the line breaks of the file (in JSON: \\n)',
    ],
    ['Base64 alone', der(right), `is the bare Base64 of a ${kind}, without BEGIN and END lines`],
    [
      'Base64 in lines',
      right.split('\n').slice(1, -2).join('\n'),
      `is the bare Base64 of a ${kind}, without BEGIN and END lines`,
    ],
    ['Base64 of something else', 'QUJD'.repeat(30), 'is bare Base64, without BEGIN and END lines'],
    ['cut off', right.slice(0, 300), 'is cut off: it has no END line'],
    [
      'an invisible character',
      right.replace(/\n(.)/, '\n\u200b$1'),
      'has full-width or invisible characters (a byte-order mark?)',
    ],
    [
      'full-width dashes',
      right.replaceAll('-', '－'),
      'has full-width or invisible characters (a byte-order mark?)',
    ],
    ['a letter lost', right.replace(/\n(.)/, '\n'), `is damaged: no ${kind} can be read from it`],
    ['a file name', 'certs/apiclient_key.pem', 'is the name of a file, not its content'],
    ['nothing', ' ', 'is empty'],
    ['a word', 'secret-word', 'is no PEM: it has no BEGIN line'],
    [
      'another PEM',
      right.replaceAll(/(BEGIN|END) [A-Z ]+-/g, '$1 CERTIFICATE REQUEST-'),
      'is a certificate request',
    ],
    [
      'something unheard of',
      right.replaceAll(/(BEGIN|END) [A-Z ]+-/g, '$1 PKCS7-'),
      'is a PEM of another kind',
    ],
  ])('is refused with its fault: %s', async (_, text, fault) => {
    expect(await faultOf({ [name]: text })).toBe(`${name} ${fault}`);
  });

  test.each<[string, string]>([
    ['blank lines at its ends', `\n\n${right}\n\n`],
    ['line breaks of Windows', right.replaceAll('\n', '\r\n')],
    ['no line break at its end', right.trimEnd()],
    ['a byte-order mark at its front', `\ufeff${right}`],
  ])('is taken with %s, as OpenSSL takes it', async (_, text) => {
    expect(await read({ [name]: text })).toMatchObject({ [name]: text });
  });
});

describe('a key that is no RSA key, or has a password', () => {
  test.each<[string, string, string]>([
    ['merchantPrivateKey', ecPrivate, 'is an EC key, not RSA'],
    ['merchantPrivateKey', sec1, 'is an EC private key'],
    [
      'merchantPrivateKey',
      protectedBy('pkcs8'),
      'is an encrypted private key: take the password off with openssl pkey',
    ],
    [
      'merchantPrivateKey',
      protectedBy('pkcs1'),
      'is an encrypted private key: take the password off with openssl pkey',
    ],
    ['wechatpayPublicKey', ecPublic, 'is an EC key, not RSA'],
  ])('%s is refused', async (name, text, fault) => {
    expect(await faultOf({ [name]: text })).toBe(`${name} ${fault}`);
  });

  test('in the older form of OpenSSL is taken', async () => {
    const pkcs1 = createPrivateKey(ours.privateKey).export({ type: 'pkcs1', format: 'pem' });

    expect(await read({ merchantPrivateKey: pkcs1 })).toMatchObject({ merchantPrivateKey: pkcs1 });
  });
});

describe('keys that do not belong together', () => {
  test('are named by the one that the certificate does not know', async () => {
    expect(
      await faultOf({
        merchantPrivateKey: other.privateKey,
        wechatpayPublicKey: publicOf(newCertifiedKey(Date.now()).privateKey),
      }),
    ).toBe('merchantPrivateKey is not the key of merchantCertificate');
    expect(await faultOf({ merchantSerialNo: other.serialNo })).toBe(
      'merchantSerialNo is not the serial number of merchantCertificate',
    );
    expect(await faultOf({ wechatpayPublicKey: publicOf(ours.privateKey) })).toBe(
      "wechatpayPublicKey is the merchant's own public key",
    );
  });

  test('are taken when only the certificate is another one: nothing but its watch needs it', async () => {
    expect(await read({ merchantCertificate: other.certificate })).toMatchObject({
      merchantSerialNo: ours.serialNo,
    });
  });

  test('stop no payment of API v2, which does not use them', async () => {
    const change = { apiV2Key: 'k'.repeat(32), merchantSerialNo: other.serialNo };

    expect(await read(change, 'v2')).toMatchObject(change);
  });

  test.each([
    ['in lower case', (serialNo: string) => serialNo.toLowerCase()],
    ['with zeros at the front', (serialNo: string) => `00${serialNo}`.slice(-40)],
  ])('are not those whose serial number is written %s', async (_, write) => {
    const merchantSerialNo = write(new X509Certificate(ours.certificate).serialNumber);

    expect(await read({ merchantSerialNo })).toMatchObject({ merchantSerialNo });
  });
});

describe('ids and keys that are no PEM', () => {
  test.each<[string, unknown, string]>([
    ['mchid', 'wx8888888888888888', 'looks like an appid'],
    ['mchid', 1900000109, 'is a number, not a text in quotes'],
    ['mchid', '1900000109 ', 'has blanks or line breaks at its ends'],
    ['mchid', '１９００００１０９', 'has full-width characters'],
    ['subMchid', '1900000109', 'is mchid itself'],
    ['apiV3Key', 'a'.repeat(31), 'has 31 characters'],
    ['apiV3Key', 'a'.repeat(33), 'has 33 characters'],
    ['apiV3Key', `${'a'.repeat(31)}-`, 'has other characters than letters and digits'],
    ['apiV2Key', 'k'.repeat(16), 'has 16 characters'],
    ['apiV2Key', `${'k'.repeat(32)}\n`, 'has blanks or line breaks at its ends'],
    ['merchantSerialNo', 'PUB_KEY_ID_0119000001092024', "is the id of WeChat Pay's public key"],
    ['merchantSerialNo', '5A:BC:01:02', 'has colons'],
    ['merchantSerialNo', ours.certificate, 'is a PEM file'],
    ['merchantSerialNo', 'apiclient_cert.pem', 'is the name of a file, not its content'],
    ['wechatpayPublicKeyId', ours.serialNo, 'is the serial number of a certificate'],
    ['wechatpayPublicKeyId', '<PUB_KEY_ID>', 'is still a placeholder'],
  ])('%s is refused with its fault (%j)', async (name, value, fault) => {
    expect(await faultOf({ [name]: value })).toBe(`${name} ${fault}`);
  });
});

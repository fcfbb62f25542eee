import { createPublicKey, X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { WechatPaySignatureError } from '../../../../lib/errors.ts';
import { verifySignature } from '../../../../lib/wechatpay/v3/protocol/verify.ts';
import { newKeyPair } from '../../../support/rsa-keys.ts';
import { CREATED_AT } from '../../../support/sample-orders.ts';
import { v3Headers, v3Merchant, v3Message, wechatSigner } from '../../../support/v3-message.ts';
import { keyOf, type Vector, vector, vectorsOf } from '../vectors.ts';

const nowMs = CREATED_AT * 1000;
const wechatKey = createPublicKey(v3Merchant().wechatpayPublicKey ?? '');
const findKey = async (serial: string) => (serial === wechatSigner.serial ? wechatKey : undefined);

const BODY = '{"prepay_id":"wx01"}';

/** Verifies the sample message with changed headers or body. */
const check = (
  headers: Readonly<Record<string, string | undefined>>,
  body: Uint8Array = Buffer.from(BODY),
  now = nowMs,
) => verifySignature({ headers, body }, now, findKey);

const changed = (changes: Readonly<Record<string, string | undefined>>) => ({
  ...v3Headers(BODY),
  ...changes,
});

describe('known answers', () => {
  const published = vector('resp-verify-pubkey-mode');
  const publishedKey = createPublicKey(keyOf(published.key).pem_public);
  const publishedNow = Number(published.headers['Wechatpay-Timestamp']) * 1000;

  const verified = (one: Vector) =>
    verifySignature(
      {
        headers: { ...published.headers, ...one.headers, ...one.headers_override },
        body: Buffer.from(one.body),
      },
      publishedNow,
      async () => publishedKey,
    );
  const [genuine, forged] = [true, false].map((expected) =>
    vectorsOf('response_verify').filter((one) => one.expected === expected),
  );

  test.each(genuine ?? [])('$id passes', async (one) => {
    await expect(verified(one)).resolves.toBeUndefined();
  });

  test.each(forged ?? [])('$id is refused', async (one) => {
    await expect(verified(one)).rejects.toBeInstanceOf(WechatPaySignatureError);
  });

  test('a notification of the Go SDK, by its certificate', async () => {
    const one = vector('go-notify-full');
    const { publicKey } = new X509Certificate(keyOf(one.key).pem_certificate);
    const asked: string[] = [];

    await verifySignature(
      { headers: one.headers, body: Buffer.from(one.body) },
      one.now_for_clock_check * 1000,
      async (serial) => {
        asked.push(serial);
        return publicKey;
      },
    );

    expect(asked).toEqual(['D7CE59D1F522D701']);
  });
});

describe('a genuine message passes', () => {
  test.each([
    ['Chinese text and escaped slashes', '{"a":"拿铁","b":"https:\\/\\/x"}'],
    ['a line feed at its end', '{}\n'],
    ['nothing in it (204)', ''],
  ])('with %s', async (_, body) => {
    const { headers, body: bytes } = v3Message(body);

    await expect(check(headers, bytes)).resolves.toBeUndefined();
  });

  test.each([-299, 299])('%i seconds away from our clock', async (seconds) => {
    await expect(
      check(v3Headers(BODY), undefined, nowMs + seconds * 1000),
    ).resolves.toBeUndefined();
  });

  test('with header names in any case', async () => {
    const upper = Object.entries(v3Headers(BODY)).map(([name, value]) => [
      name.toUpperCase(),
      value,
    ]);

    await expect(check(Object.fromEntries(upper))).resolves.toBeUndefined();
  });

  test('without Wechatpay-Signature-Type, as old ones came', async () => {
    await expect(
      check(changed({ 'Wechatpay-Signature-Type': undefined })),
    ).resolves.toBeUndefined();
  });
});

describe('refused is a message', () => {
  test('with one byte changed', async () => {
    await expect(check(v3Headers(BODY), Buffer.from(BODY.replace('wx01', 'wx02')))).rejects.toThrow(
      'does not fit the body',
    );
  });

  test('that was cut', async () => {
    await expect(check(v3Headers(BODY), Buffer.from(BODY.slice(0, -1)))).rejects.toThrow(
      'does not fit the body',
    );
  });

  test.each([
    [300, 'a replay, or our clock is fast'],
    [86_400, 'a replay, or our clock is fast'],
    [-300, 'our clock is slow'],
  ])('%i seconds old', async (seconds, reason) => {
    const found: string[] = [];
    const message = { headers: v3Headers(BODY), body: Buffer.from(BODY) };
    const verified = verifySignature(message, nowMs + seconds * 1000, async (serial) => {
      found.push(serial);
      return wechatKey;
    });

    await expect(verified).rejects.toThrow(reason);
    expect(found).toEqual([]);
  });

  test.each([
    '9223372036854775807',
    '-9223372036854775808',
    '99999999999',
    '1.5',
    '1e9',
    '0x5f',
    'NaN',
    '',
    ' 1772330400',
    `${CREATED_AT},${CREATED_AT}`,
    `${CREATED_AT}\n`,
  ])('whose time is %j', async (timestamp) => {
    await expect(check(changed({ 'Wechatpay-Timestamp': timestamp }))).rejects.toThrow(
      'wechatpay-timestamp is there twice or not of its form',
    );
  });

  test.each([
    ['wechatpay-timestamp', 'Wechatpay-Timestamp'],
    ['wechatpay-nonce', 'Wechatpay-Nonce'],
    ['wechatpay-serial', 'Wechatpay-Serial'],
    ['wechatpay-signature', 'Wechatpay-Signature'],
  ])('without %s', async (lower, name) => {
    await expect(check(changed({ [name]: undefined }))).rejects.toThrow(
      `the message has no ${lower}`,
    );
  });

  test('with a header twice, joined by a comma or in two spellings', async () => {
    const headers = v3Headers(BODY);
    const serial = headers['Wechatpay-Serial'] ?? '';

    await expect(check({ ...headers, 'Wechatpay-Serial': `${serial},${serial}` })).rejects.toThrow(
      'wechatpay-serial is there twice',
    );
    await expect(check({ ...headers, 'wechatpay-serial': serial })).rejects.toThrow(
      'wechatpay-serial is there twice',
    );
    await expect(check({ ...headers, 'Wechatpay-Nonce': 'a,b' })).rejects.toThrow(
      'wechatpay-nonce is there twice',
    );
  });

  test.each([
    ['another key id', 'PUB_KEY_ID_0119000001092026030100000000000001'],
    ['the id without its prefix', '0119000001092026030100000000000000'],
    ['the id in lower case', wechatSigner.serial.toLowerCase()],
    ['a made-up certificate', '4F'.repeat(20)],
  ])('that names %s', async (_, serial) => {
    await expect(check(changed({ 'Wechatpay-Serial': serial }))).rejects.toThrow(
      'Wechatpay-Serial names neither',
    );
  });

  test('signed by somebody else under WeChat’s serial', async () => {
    const forger = { serial: wechatSigner.serial, privateKey: newKeyPair().privateKey };

    await expect(check(v3Headers(BODY, { signer: forger }))).rejects.toThrow(
      'does not fit the body',
    );
  });

  test.each(['', 'AAAA', '!!!!', 'A'.repeat(342) + '===', 'QUJD\nREVG'])(
    'with the signature %j',
    async (signature) => {
      await expect(check(changed({ 'Wechatpay-Signature': signature }))).rejects.toBeInstanceOf(
        WechatPaySignatureError,
      );
    },
  );

  test.each(['WECHATPAY2-SM2-WITH-SM3', 'none', 'WECHATPAY2-SHA256-RSA2048,x'])(
    'that claims the algorithm %s',
    async (type) => {
      await expect(check(changed({ 'Wechatpay-Signature-Type': type }))).rejects.toThrow(
        'wechatpay-signature-type',
      );
    },
  );
});

describe('a probe of WeChat', () => {
  test('is refused, and known as one', async () => {
    const genuine = v3Headers(BODY)['Wechatpay-Signature'] ?? '';

    await expect(
      check(changed({ 'Wechatpay-Signature': `WECHATPAY/SIGNTEST/${genuine}` })),
    ).rejects.toMatchObject({ code: 'SIGNATURE_INVALID', isProbe: true });
  });

  test('is the only wrong signature that is', async () => {
    await expect(check(changed({ 'Wechatpay-Signature': 'AAAA' }))).rejects.toMatchObject({
      isProbe: false,
    });
  });
});

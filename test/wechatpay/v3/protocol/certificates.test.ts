import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../../../lib/errors.ts';
import type { MerchantSecret } from '../../../../lib/secrets/merchant.ts';
import { fetchCertificates } from '../../../../lib/wechatpay/v3/protocol/certificates.ts';
import { newCertifiedKey, newKeyPair } from '../../../support/rsa-keys.ts';
import { CREATED_AT, MCHID } from '../../../support/sample-orders.ts';
import { secretVersions } from '../../../support/secret-versions.ts';
import { certificateList, respond, type V3Answer } from '../../../support/v3-double.ts';
import { API_V3_KEY, v3Merchant, v3Resource, wechatSigner } from '../../../support/v3-message.ts';
import { vector } from '../vectors.ts';

const nowMs = CREATED_AT * 1000;
const platform = newCertifiedKey(nowMs);
const successor = newCertifiedKey(nowMs);
const signerOf = ({ serialNo: serial, privateKey }: typeof platform) => ({ serial, privateKey });

/** The secret of a merchant from the time of certificates. */
const certificateMerchant = (changes: Partial<MerchantSecret> = {}) =>
  v3Merchant({ wechatpayPublicKeyId: undefined, wechatpayPublicKey: undefined, ...changes });

function fetched(
  answer: V3Answer,
  { signer = signerOf(platform), secrets = [certificateMerchant()] } = {},
) {
  const [current = certificateMerchant(), ...older] = secrets;
  const paths: string[] = [];
  const result = fetchCertificates({
    transport: async ({ path }) => {
      paths.push(path);
      return respond(answer, CREATED_AT, signer);
    },
    merchant: secretVersions(current, ...older),
    nonce: () => 'n',
    nowMs: () => nowMs,
  });
  return { result, paths };
}

const serials = async ({ result }: ReturnType<typeof fetched>) =>
  (await result).map(({ serialNo }) => serialNo);

describe('the list of platform certificates', () => {
  test('is trusted when one of them signed it', async () => {
    const call = fetched({ json: certificateList([platform, successor]) });
    const [first] = await call.result;

    expect(await serials(call)).toEqual([platform.serialNo, successor.serialNo]);
    expect(first).toMatchObject({
      notBeforeMs: nowMs - 86_400_000,
      notAfterMs: nowMs + 365 * 86_400_000,
    });
    expect(first?.publicKey.export({ type: 'spki', format: 'pem' })).toBe(platform.publicKey);
    expect(call.paths).toEqual(['/v3/certificates']);
  });

  test('is trusted when the new one among them signed it', async () => {
    const list = { json: certificateList([platform, successor]) };

    expect(await serials(fetched(list, { signer: signerOf(successor) }))).toHaveLength(2);
  });

  test('is trusted when the public key in the secret signed it', async () => {
    const call = fetched(
      { json: certificateList([platform]) },
      { signer: wechatSigner, secrets: [v3Merchant()] },
    );

    expect(await serials(call)).toEqual([platform.serialNo]);
  });

  test('is decrypted with an earlier APIv3 key', async () => {
    const call = fetched(
      { json: certificateList([platform], 'o'.repeat(32)) },
      { secrets: [certificateMerchant(), certificateMerchant({ apiV3Key: 'o'.repeat(32) })] },
    );

    expect(await serials(call)).toEqual([platform.serialNo]);
  });

  test('is empty for merchants who have the public key only', async () => {
    const answer = { status: 404, json: { code: 'RESOURCE_NOT_EXISTS', message: '' } };

    expect(await serials(fetched(answer))).toEqual([]);
  });

  test.each(['apiV3Key', 'merchantSerialNo', 'merchantPrivateKey'])(
    'is not asked for without %s',
    async (name) => {
      const call = fetched({}, { secrets: [certificateMerchant({ [name]: undefined })] });

      expect(await serials(call)).toEqual([]);
      expect(call.paths).toEqual([]);
    },
  );
});

describe('after the merchant number has changed', () => {
  const now = certificateMerchant({ mchid: '1900000222', apiV3Key: 'n'.repeat(32) });
  const secrets = secretVersions(now, certificateMerchant());

  /** Each merchant's list is its own. */
  function fetchedOfBoth(answers: Readonly<Record<string, V3Answer>>) {
    return fetchCertificates({
      transport: async ({ headers = {} }) => {
        const [, mchid = ''] = /mchid="(\d+)"/.exec(headers['authorization'] ?? '') ?? [];
        const key = mchid === MCHID ? platform : successor;
        return respond(answers[mchid] ?? {}, CREATED_AT, signerOf(key));
      },
      merchant: secrets,
      nonce: () => 'n',
      nowMs: () => nowMs,
    });
  }

  test('there are the certificates of both numbers', async () => {
    const both = await fetchedOfBoth({
      [MCHID]: { json: certificateList([platform]) },
      [now.mchid]: { json: certificateList([successor], now.apiV3Key) },
    });

    expect(both.map(({ serialNo }) => serialNo)).toEqual([successor.serialNo, platform.serialNo]);
  });

  test('a number that was given up does not hold up the one in use', async () => {
    const both = await fetchedOfBoth({
      [MCHID]: { status: 403, json: { code: 'NO_AUTH', message: '' } },
      [now.mchid]: { json: certificateList([successor], now.apiV3Key) },
    });

    expect(both.map(({ serialNo }) => serialNo)).toEqual([successor.serialNo]);
  });
});

describe('refused is a list', () => {
  const list = certificateList([platform]);

  test('that a certificate outside it signed', async () => {
    await expect(
      fetched({ json: list }, { signer: signerOf(successor) }).result,
    ).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
  });

  test('that somebody signed under the serial number of one in it', async () => {
    const forger = { serial: platform.serialNo, privateKey: newKeyPair().privateKey };

    await expect(fetched({ json: list }, { signer: forger }).result).rejects.toMatchObject({
      code: 'SIGNATURE_INVALID',
    });
  });

  test('of ten minutes ago', async () => {
    await expect(
      fetched({ json: list, stamp: { timestamp: CREATED_AT - 600 } }).result,
    ).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
  });

  test('that is encrypted with a key we do not have', async () => {
    await expect(
      fetched({ json: certificateList([platform], 'x'.repeat(32)) }).result,
    ).rejects.toBeInstanceOf(ConfigError);
  });

  test('whose serial number is not the certificate’s', async () => {
    const renamed = { ...platform, serialNo: successor.serialNo };

    await expect(fetched({ json: certificateList([renamed]) }).result).rejects.toThrow(
      'not the one of its serial_no',
    );
  });

  test('with a key of 1024 bits', async () => {
    const weak = newCertifiedKey(nowMs, { keyPair: newKeyPair(1024) });

    await expect(
      fetched({ json: certificateList([weak]) }, { signer: signerOf(weak) }).result,
    ).rejects.toThrow('no RSA key of 2048 bits');
  });

  test('with something else than a certificate in it', async () => {
    const json = {
      data: [
        {
          serial_no: platform.serialNo,
          encrypt_certificate: v3Resource('hello', {
            key: API_V3_KEY,
            associatedData: 'certificate',
          }),
        },
      ],
    };

    await expect(fetched({ json }).result).rejects.toThrow('not a certificate');
  });

  test.each([{}, { data: {} }, { data: [{ serial_no: 'A' }] }])(
    'of another shape: %j',
    async (json) => {
      await expect(fetched({ json }).result).rejects.toThrow('no usable data');
    },
  );

  test.each([
    [{ status: 503, text: '<html>' }, 'HTTP status 503'],
    [{ status: 204 }, 'HTTP status 204'],
    [
      { status: 429, json: { code: 'FREQUENCY_LIMITED', message: '频率超限' } },
      'HTTP status 429 (FREQUENCY_LIMITED: 频率超限; Request-ID 08F78BB7)',
    ],
    [
      { status: 400, json: { code: 'PARAM_ERROR' } },
      'HTTP status 400 (PARAM_ERROR: Request-ID 08F78BB7)',
    ],
  ])('that WeChat could not give: %j', async (answer, said) => {
    await expect(fetched(answer).result).rejects.toMatchObject({
      code: 'WECHAT_PAY_BUSY',
      outcome: 'unknown',
      message: `the platform certificates could not be fetched: ${said}`,
    });
  });

  test.each([
    [{ status: 401, json: { code: 'SIGN_ERROR', message: '' } }, /merchantSerialNo/],
    [{ status: 401, text: '' }, /merchantSerialNo/],
    [{ status: 403, json: { code: 'NO_AUTH' } }, /^mchid$/],
    [{ status: 404, json: { code: 'MCH_NOT_EXISTS' } }, /^mchid$/],
  ])('that WeChat refuses for what the owner must mend: %j', async (answer, field) => {
    await expect(fetched(answer).result).rejects.toMatchObject({
      code: 'CONFIG_ERROR',
      parameters: { secret: 'merchant', field: expect.stringMatching(field) },
    });
  });
});

test('the Java SDK’s list is decrypted to the certificate of its serial number', async () => {
  const known = vector('java-certificates-response');
  const call = fetched(
    { text: known.response_body },
    { secrets: [certificateMerchant({ apiV3Key: known.apiv3_key })] },
  );

  // It was signed by nobody here, so it is understood and then refused.
  await expect(call.result).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
});

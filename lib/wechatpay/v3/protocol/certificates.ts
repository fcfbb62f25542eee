/**
 * `GET /v3/certificates`: the platform certificates of this merchant.
 *
 * Why a certificate in the answer may be trusted: (1) it decrypts under the APIv3 key with an
 * intact tag, and only WeChat and the merchant have that key; (2) the whole answer, with its time,
 * is signed by the public key in the merchant's secret or by one of the certificates in it, so an
 * old list cannot be played again; (3) it came over TLS from WeChat's host. It must be read before
 * it can be verified, because the key is inside: the one exception to the order of steps. The
 * issuer is not checked further, because WeChat's root is in no trust store to check against.
 *
 * Source: pay.weixin.qq.com/doc/v3/merchant/4012068829.
 */
import { X509Certificate } from 'node:crypto';
import * as v from 'valibot';
import { WechatPayMalformedMessageError, WechatPayNotReadyError } from '../../../errors.ts';
import type { MerchantSecret } from '../../../secrets/merchant.ts';
import type { WechatResponse } from '../../../transport/transport.ts';
import { secretOfEachMerchant } from '../../secret-of.ts';
import { parseJson, tryJson } from './json.ts';
import { decryptWithAnyKey, findPublicKey, hasV3Keys } from './merchant-keys.ts';
import type { PlatformCertificate } from './platform-certificates.ts';
import { meaningOf, ownersError, readFailure } from './refusals.ts';
import { decryptResource, encryptedResource } from './resource.ts';
import { sendSigned, type V3Connection } from './send.ts';
import { verifySignature } from './verify.ts';

/** A notification has 4 seconds in all. */
const TIMEOUT_MS = 1_500;
const MIN_RSA_BITS = 2048;

const certificateList = v.object({
  data: v.array(
    v.object({
      serial_no: v.string(),
      encrypt_certificate: encryptedResource,
    }),
  ),
});

/**
 * Every certificate of the merchant, and of the one that the secret was of before, if it was another:
 * WeChat may still answer and report with that one's. None for merchants who only have WeChat Pay's
 * public key.
 */
export async function fetchCertificates(
  connection: V3Connection,
): Promise<readonly PlatformCertificate[]> {
  const [own, former] = await Promise.all([
    connection.merchant.current().then((secret) => fetchOf(connection, secret)),
    fetchOfFormer(connection),
  ]);
  return [...own, ...former];
}

/** None when that fails: a merchant number that was given up must not hold up the one in use. */
async function fetchOfFormer(connection: V3Connection): Promise<readonly PlatformCertificate[]> {
  try {
    const { mchid } = await connection.merchant.current();
    const merchants = await secretOfEachMerchant(connection.merchant);
    const former = merchants.filter((secret) => secret.mchid !== mchid);
    return (await Promise.all(former.map((secret) => fetchOf(connection, secret)))).flat();
  } catch {
    return [];
  }
}

async function fetchOf(
  connection: V3Connection,
  secret: MerchantSecret,
): Promise<readonly PlatformCertificate[]> {
  // Without these keys no message can be v3's, and a stranger's must not look like a wrong setting.
  if (!hasV3Keys(secret)) {
    return [];
  }
  const response = await sendSigned(
    connection,
    secret,
    { method: 'GET', path: '/v3/certificates', body: '' },
    { timeoutMs: TIMEOUT_MS, repeatable: true },
  );
  if (response.statusCode !== 200) {
    return judgeError(response, connection.nowMs());
  }
  const list = parseJson(response.body, certificateList);
  const certificates = await Promise.all(
    list.data.map(async (entry) => {
      const { content } = await decryptWithAnyKey(connection.merchant, (key) =>
        decryptResource(entry.encrypt_certificate, key),
      );
      return readCertificate(content, entry.serial_no);
    }),
  );
  await verifySignature(
    response,
    connection.nowMs(),
    async (serial) =>
      certificates.find(({ serialNo }) => serialNo === serial)?.publicKey ??
      (await findPublicKey(connection.merchant, serial)),
  );
  return certificates;
}

/** @throws {ConfigError | WechatPayNotReadyError} unless there are none. */
function judgeError(response: WechatResponse, nowMs: number): readonly PlatformCertificate[] {
  const { statusCode, body } = response;
  const failure = readFailure(response, tryJson(body));
  const meaning = meaningOf(statusCode, failure?.code);
  if (meaning?.remedy === 'owner') {
    throw ownersError(response, failure, meaning, nowMs);
  }
  if (statusCode === 404) {
    return [];
  }
  const said = failure ? ` (${failure.code}: ${failure.text})` : '';
  throw new WechatPayNotReadyError(
    `the platform certificates could not be fetched: HTTP status ${statusCode}${said}`,
  );
}

function readCertificate(pem: Buffer, serialNo: string): PlatformCertificate {
  const certificate = parseCertificate(pem);
  const { publicKey } = certificate;
  if (certificate.serialNumber !== serialNo) {
    throw new WechatPayMalformedMessageError('a certificate is not the one of its serial_no');
  }
  const bits = Number(publicKey.asymmetricKeyDetails?.modulusLength);
  if (publicKey.asymmetricKeyType !== 'rsa' || bits < MIN_RSA_BITS) {
    throw new WechatPayMalformedMessageError('a certificate has no RSA key of 2048 bits or more');
  }
  return {
    serialNo,
    publicKey,
    notBeforeMs: certificate.validFromDate.getTime(),
    notAfterMs: certificate.validToDate.getTime(),
  };
}

function parseCertificate(pem: Buffer): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw new WechatPayMalformedMessageError('what was decrypted is not a certificate');
  }
}

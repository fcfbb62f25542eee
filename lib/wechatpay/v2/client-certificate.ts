/**
 * The merchant's client certificate (商户API证书), which WeChat wants to see in the TLS handshake of
 * a refund. It judges whatever certificate is shown, on any path, so no other call may have it.
 */
import { ConfigError } from '../../errors.ts';
import type { MerchantSecret } from '../../secrets/merchant.ts';
import {
  type ClientCertificate,
  readClientCertificate,
} from '../../transport/client-certificate.ts';
import { OWNERS_FAULTS } from '../remedy.ts';

const { where } = OWNERS_FAULTS.clientCertificate;

const fault = (reason: string, field?: string, cause?: unknown) =>
  new ConfigError(reason, cause, { ...where, ...(field && { field }) });

type CertificateFields = Pick<
  MerchantSecret,
  'mchid' | 'merchantCertificate' | 'merchantPrivateKey' | 'merchantP12'
>;

/**
 * What is shown in the handshake: the PEM files, if both are there, else the `.p12`.
 *
 * @throws {ConfigError} when there is none, or it cannot be used, with what to do.
 */
export function clientCertificateOf(secret: CertificateFields): ClientCertificate {
  const { merchantCertificate, merchantPrivateKey, merchantP12, mchid } = secret;
  if (merchantCertificate && merchantPrivateKey) {
    const pem = { certificate: merchantCertificate, privateKey: merchantPrivateKey };
    assertUsable(pem);
    return pem;
  }
  if (merchantP12 === undefined) {
    throw fault(
      'the merchant secret has no client certificate, which a refund of API v2 needs: put apiclient_cert.pem and apiclient_key.pem into it',
    );
  }
  const p12 = { p12: Buffer.from(merchantP12, 'base64'), passphrase: mchid };
  assertUsable(p12);
  return p12;
}

/** OpenSSL takes it, or the owner is told why not. */
function assertUsable(shown: ClientCertificate): void {
  try {
    readClientCertificate(shown);
  } catch (error) {
    throw 'p12' in shown
      ? fault(explainP12(error), 'merchantP12', error)
      : fault(
          'merchantPrivateKey is not the key of merchantCertificate: take apiclient_key.pem and apiclient_cert.pem of the same download',
          'merchantCertificate, merchantPrivateKey',
          error,
        );
  }
}

/** What the ways to spoil a `.p12` look like to OpenSSL. */
function explainP12(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ERR_CRYPTO_UNSUPPORTED_OPERATION' || /unsupported/i.test(message)) {
    return 'merchantP12 is encrypted in a way that OpenSSL 3 does not read (RC2-40): put apiclient_cert.pem and apiclient_key.pem of the same download into merchantCertificate and merchantPrivateKey, or export it anew (openssl pkcs12 -legacy -in apiclient_cert.p12 -nodes | openssl pkcs12 -export)';
  }
  if (/mac verify/i.test(message)) {
    return 'merchantP12 does not open with the mchid as its password: it is another merchant’s, or was exported with another password';
  }
  return 'merchantP12 is not a .p12 file in base64, encoded once';
}

/** How the certificate itself explains that WeChat refuses it; nothing that it shows is wrong. */
export function findCertificateFault(secret: CertificateFields, nowMs: number): string | undefined {
  const certificate = readClientCertificate(clientCertificateOf(secret));
  const { validFromDate, validToDate, issuer, subject } = certificate;
  if (nowMs >= validToDate.getTime()) {
    return `it expired at ${validToDate.toISOString()}`;
  }
  if (nowMs < validFromDate.getTime()) {
    return `it is not valid before ${validFromDate.toISOString()}`;
  }
  if (/MmpaymchCA/i.test(issuer)) {
    return 'it is of the old authority MmpaymchCA, which WeChat no longer takes';
  }
  const owner = /^CN=(\d{6,32})$/m.exec(subject)?.[1];
  return owner === undefined || owner === secret.mchid
    ? undefined
    : `it is that of merchant ${owner}, not of ${secret.mchid}`;
}

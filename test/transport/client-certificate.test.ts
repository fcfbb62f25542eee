import { describe, expect, test } from 'vitest';
import {
  isClientCertificateAlert,
  readClientCertificate,
} from '../../lib/transport/client-certificate.ts';
import { CLIENT_CERTIFICATE, CLIENT_P12, OLD_CLIENT_P12 } from '../support/client-certificate.ts';
import { LOOPBACK_CERTIFICATE } from '../support/tls-certificate.ts';

const passphrase = '1900000109';
const p12 = Buffer.from(CLIENT_P12, 'base64');

describe('a client certificate', () => {
  test('is read from PEM and from a .p12 alike', () => {
    const fromPem = readClientCertificate(CLIENT_CERTIFICATE);

    expect(fromPem.subject).toBe('CN=1900000109');
    expect(readClientCertificate({ p12, passphrase }).fingerprint256).toBe(fromPem.fingerprint256);
  });

  test.each([
    [
      'the key of another',
      { ...CLIENT_CERTIFICATE, privateKey: LOOPBACK_CERTIFICATE.key },
      'mismatch',
    ],
    ['another password', { p12, passphrase: '1900000222' }, 'mac verify failure'],
    [
      'an encryption of old',
      { p12: Buffer.from(OLD_CLIENT_P12, 'base64'), passphrase },
      'nsupported',
    ],
    ['no .p12', { p12: Buffer.from(CLIENT_P12), passphrase }, 'wrong tag'],
  ])('is not read with %s', (_, shown, reason) => {
    expect(() => readClientCertificate(shown)).toThrow(reason);
  });
});

describe('an alert about it', () => {
  test.each([
    'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
    'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE',
    'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED',
    'ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED',
    'ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN',
    'ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE',
    'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
    'ERR_SSL_TLSV1_ALERT_ACCESS_DENIED',
  ])('is %s', (code) => {
    expect(isClientCertificateAlert(Object.assign(new Error('why'), { code }))).toBe(true);
  });

  test.each(['sslv3 alert certificate expired', 'tlsv1 alert unknown ca'])(
    'is %s in the middle of a write',
    (text) => {
      const message = `write EPROTO 40:error:0A000415:SSL routines:ssl3_read_bytes:${text}:rec.c:9`;

      expect(isClientCertificateAlert(Object.assign(new Error(message), { code: 'EPROTO' }))).toBe(
        true,
      );
    },
  );

  test.each([
    undefined,
    Object.assign(new Error('write EPROTO: ssl/tls alert handshake failure'), { code: 'EPROTO' }),
    Object.assign(new Error('write EPROTO: wrong certificate type'), { code: 'EPROTO' }),
    new Error('ALERT_BAD_CERTIFICATE'),
    Object.assign(new Error('why'), { code: 'ECONNRESET' }),
    Object.assign(new Error('why'), { code: 'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR' }),
    Object.assign(new Error('why'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }),
  ])('is not %s', (error) => {
    expect(isClientCertificateAlert(error)).toBe(false);
  });
});

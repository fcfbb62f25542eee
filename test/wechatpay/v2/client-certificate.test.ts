import { describe, expect, test } from 'vitest';
import {
  clientCertificateOf,
  findCertificateFault,
} from '../../../lib/wechatpay/v2/client-certificate.ts';
import {
  CLIENT_CERTIFICATE,
  CLIENT_P12,
  OLD_CLIENT_P12,
} from '../../support/client-certificate.ts';
import { newCertifiedKey } from '../../support/rsa-keys.ts';
import { CREATED_AT, MCHID } from '../../support/sample-orders.ts';
import { LOOPBACK_CERTIFICATE } from '../../support/tls-certificate.ts';

const pem = {
  merchantCertificate: CLIENT_CERTIFICATE.certificate,
  merchantPrivateKey: CLIENT_CERTIFICATE.privateKey,
};
/** While the certificate is valid. */
const now = Date.parse('2027-01-01T00:00:00Z');

describe('the client certificate', () => {
  test('is the PEM files, also beside a .p12', () => {
    expect(clientCertificateOf({ mchid: MCHID, ...pem, merchantP12: CLIENT_P12 })).toEqual(
      CLIENT_CERTIFICATE,
    );
  });

  test.each([
    {},
    { merchantPrivateKey: pem.merchantPrivateKey },
    { merchantCertificate: pem.merchantCertificate },
  ])('is the .p12 unless both PEM files are there, its password the mchid', (part) => {
    expect(clientCertificateOf({ mchid: MCHID, ...part, merchantP12: CLIENT_P12 })).toEqual({
      p12: Buffer.from(CLIENT_P12, 'base64'),
      passphrase: MCHID,
    });
  });

  test.each<[string, object, string, string]>([
    ['there is none', {}, 'no client certificate', 'merchantP12'],
    [
      'the key is there alone',
      { merchantPrivateKey: pem.merchantPrivateKey },
      'no client certificate',
      'merchantCertificate',
    ],
    [
      'the key is another’s',
      { ...pem, merchantPrivateKey: LOOPBACK_CERTIFICATE.key },
      'not the key of merchantCertificate',
      'merchantPrivateKey',
    ],
    [
      'the .p12 is as WeChat’s console gives it',
      { merchantP12: OLD_CLIENT_P12 },
      'openssl pkcs12 -legacy',
      'merchantP12',
    ],
    [
      'the .p12 is another merchant’s',
      { merchantP12: CLIENT_P12, mchid: '1900000222' },
      'does not open with the mchid as its password',
      'merchantP12',
    ],
    [
      'the .p12 was encoded twice',
      { merchantP12: Buffer.from(CLIENT_P12).toString('base64') },
      'in base64, encoded once',
      'merchantP12',
    ],
    ['the .p12 is empty', { merchantP12: '' }, 'in base64, encoded once', 'merchantP12'],
    [
      'the .p12 is a PEM file',
      { merchantP12: pem.merchantCertificate },
      'in base64, encoded once',
      'merchantP12',
    ],
  ])('is refused when %s, with what to do', (_, fields, reason, field) => {
    expect(() => clientCertificateOf({ mchid: MCHID, ...fields })).toThrow(
      expect.objectContaining({
        code: 'CONFIG_ERROR',
        message: expect.stringContaining(reason),
        parameters: {
          secret: 'merchant',
          field: expect.stringContaining(field),
          consolePage: expect.stringContaining('商户API证书'),
        },
      }),
    );
  });
});

describe('what a certificate shows to be wrong with it', () => {
  test('is nothing, of PEM and of .p12', () => {
    expect(findCertificateFault({ mchid: MCHID, ...pem }, now)).toBeUndefined();
    expect(findCertificateFault({ mchid: MCHID, merchantP12: CLIENT_P12 }, now)).toBeUndefined();
  });

  test.each([
    [Date.parse('2126-12-01T00:00:00Z'), /^it expired at 2126-11-01T/],
    [Date.parse('2026-11-24T00:00:00Z'), /^it is not valid before 2026-11-25T/],
  ])('is its life, at %i', (nowMs, fault) => {
    expect(findCertificateFault({ mchid: MCHID, ...pem }, nowMs)).toMatch(fault);
  });

  const made = (commonName: string) => {
    const { certificate, privateKey } = newCertifiedKey(CREATED_AT * 1000, { commonName });
    const secret = {
      mchid: MCHID,
      merchantCertificate: certificate,
      merchantPrivateKey: privateKey,
    };
    return findCertificateFault(secret, CREATED_AT * 1000);
  };

  test('is its authority', () => {
    expect(made('MmpaymchCA')).toContain('old authority');
  });

  test('is its owner', () => {
    expect(made('1900000222')).toBe('it is that of merchant 1900000222, not of 1900000109');
    expect(made('1900000109')).toBeUndefined();
    expect(made('Some Shop')).toBeUndefined();
  });
});

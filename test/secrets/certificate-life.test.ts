import { describe, expect, test } from 'vitest';
import { judgeCertificate } from '../../lib/secrets/certificate-life.ts';
import { newCertifiedKey } from '../support/rsa-keys.ts';
import { MCHID } from '../support/sample-orders.ts';

const NOW = Date.parse('2026-03-01T00:00:00Z');
const DAY = 86_400_000;

const { serialNo, privateKey, certificate } = newCertifiedKey(NOW, { notAfterMs: NOW + 10 * DAY });
const other = newCertifiedKey(NOW, { notAfterMs: NOW + 10 * DAY });
const secret = {
  mchid: MCHID,
  merchantSerialNo: serialNo,
  merchantPrivateKey: privateKey,
  merchantCertificate: certificate,
};

describe('the merchant certificate', () => {
  test.each([
    [0, 10],
    [1, 9],
    [10 * DAY, 0],
    [10 * DAY + 1, -1],
  ])('%i ms on has %i whole days left', (passedMs, daysLeft) => {
    expect(judgeCertificate(secret, NOW + passedMs)).toEqual({
      serialNo,
      daysLeft,
      hasOurSerialNo: true,
      hasOurKey: true,
    });
  });

  test.each([
    ['of another serial number', { merchantSerialNo: other.serialNo }, false, true],
    ['of another key', { merchantPrivateKey: other.privateKey }, true, false],
    [
      'whose serial number is in lower case',
      { merchantSerialNo: serialNo.toLowerCase() },
      true,
      true,
    ],
    ['alone', { merchantSerialNo: undefined, merchantPrivateKey: undefined }, true, true],
  ])('%s is told apart', (_, change, hasOurSerialNo, hasOurKey) => {
    expect(judgeCertificate({ ...secret, ...change }, NOW)).toMatchObject({
      hasOurSerialNo,
      hasOurKey,
    });
  });

  test('need not be in the secret', () => {
    expect(judgeCertificate({}, NOW)).toBeUndefined();
  });
});

import { describe, expect, test } from 'vitest';
import { openCertificateWatch } from '../../lib/secrets/certificate-watch.ts';
import { recordingLog } from '../support/recording-log.ts';
import { newCertifiedKey } from '../support/rsa-keys.ts';
import { MCHID } from '../support/sample-orders.ts';

const NOW = Date.parse('2026-03-01T00:00:00Z');
const DAY = 86_400_000;

const expiring = (days: number) => newCertifiedKey(NOW, { notAfterMs: NOW + days * DAY });
const secretOf = ({ serialNo, privateKey, certificate }: ReturnType<typeof expiring>) => ({
  mchid: MCHID,
  merchantSerialNo: serialNo,
  merchantPrivateKey: privateKey,
  merchantCertificate: certificate,
});

describe('the life of the merchant certificate', () => {
  test.each([
    [400, 'info'],
    [30, 'info'],
    [29, 'warn'],
    [-1, 'warn'],
  ] as const)('of %i days is reported as a metric and a log line of level %s', (days, level) => {
    const log = recordingLog();
    const key = expiring(days);
    openCertificateWatch()(secretOf(key), log, NOW);

    expect(log.counts).toEqual({ MerchantCertificateDaysLeft: days });
    expect(log.lines).toEqual([
      {
        level,
        message: 'days the merchant certificate still lives',
        fields: { daysLeft: days, serialNo: key.serialNo },
      },
    ]);
  });

  test('is reported once an hour', () => {
    const log = recordingLog();
    const watch = openCertificateWatch();
    const secret = secretOf(expiring(100));
    for (const minutes of [0, 1, 59, 60]) {
      watch(secret, log, NOW + minutes * 60_000);
    }

    expect(log.lines).toHaveLength(2);
  });

  test('is reported when the secret gets a certificate, without waiting', () => {
    const log = recordingLog();
    const watch = openCertificateWatch();
    watch({ mchid: MCHID }, log, NOW);
    expect(log.lines).toEqual([]);
    watch(secretOf(expiring(100)), log, NOW + 1);

    expect(log.lines).toHaveLength(1);
  });

  test('of another key than the secret’s is a mistake worth a line', () => {
    const [key, other] = [expiring(100), expiring(100)];
    for (const change of [
      { merchantSerialNo: other.serialNo },
      { merchantPrivateKey: other.privateKey },
    ]) {
      const log = recordingLog();
      openCertificateWatch()({ ...secretOf(key), ...change }, log, NOW);

      expect(log.messages('warn')).toEqual([
        'merchantCertificate is not the one of merchantSerialNo and merchantPrivateKey',
      ]);
    }
  });

  test('is reported for a certificate alone', () => {
    const log = recordingLog();
    const { certificate } = expiring(100);
    openCertificateWatch()({ mchid: MCHID, merchantCertificate: certificate }, log, NOW);

    expect(log.messages('info')).toHaveLength(1);
    expect(log.messages('warn')).toEqual([]);
  });
});

/** How long the merchant API certificate (商户API证书) still lives, for the alarm on it. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Log } from '../runtime/log.ts';
import type { MerchantSecret } from './merchant.ts';

const REPORT_EVERY_MS = 3600_000;
const DAY_MS = 86_400_000;
/** The alarm in `serverless.yml` has the same threshold. */
const WARN_BELOW_DAYS = 30;

/**
 * Reports once an hour at most: the days left as the metric `MerchantCertificateDaysLeft`, and a
 * log line, louder when there are few or when the certificate is not the one of the secret's key.
 * Says nothing for a secret without `merchantCertificate`. State that outlives a call: when it
 * last spoke.
 */
export function openCertificateWatch(): (secret: MerchantSecret, log: Log, nowMs: number) => void {
  let reportedAtMs = Number.NEGATIVE_INFINITY;
  return (secret, log, nowMs) => {
    if (Math.abs(nowMs - reportedAtMs) < REPORT_EVERY_MS) {
      return;
    }
    if (secret.merchantCertificate === undefined) {
      return;
    }
    reportedAtMs = nowMs;
    report(secret, new X509Certificate(secret.merchantCertificate), log, nowMs);
  };
}

function report(
  secret: MerchantSecret,
  certificate: X509Certificate,
  log: Log,
  nowMs: number,
): void {
  const daysLeft = Math.floor((certificate.validToDate.getTime() - nowMs) / DAY_MS);
  const serialNo = certificate.serialNumber;
  log.count('MerchantCertificateDaysLeft', daysLeft);
  log[daysLeft < WARN_BELOW_DAYS ? 'warn' : 'info']('days the merchant certificate still lives', {
    daysLeft,
    serialNo,
  });
  if (!belongsTo(certificate, secret)) {
    log.warn('merchantCertificate is not the one of merchantSerialNo and merchantPrivateKey', {
      serialNo,
    });
  }
}

function belongsTo(
  certificate: X509Certificate,
  { merchantSerialNo, merchantPrivateKey }: MerchantSecret,
): boolean {
  const isSerial =
    merchantSerialNo === undefined || merchantSerialNo.toUpperCase() === certificate.serialNumber;
  const isKey =
    merchantPrivateKey === undefined ||
    certificate.checkPrivateKey(createPrivateKey(merchantPrivateKey));
  return isSerial && isKey;
}

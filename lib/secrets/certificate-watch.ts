/** Says now and then how long the merchant API certificate still lives, for the alarm on it. */
import type { Log } from '../runtime/log.ts';
import { type CertificateLife, judgeCertificate } from './certificate-life.ts';
import type { MerchantSecret } from './merchant.ts';

const REPORT_EVERY_MS = 3600_000;
/** The alarm in `deploy/alarms.yml` has the same threshold. */
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
    const life = judgeCertificate(secret, nowMs);
    if (life) {
      reportedAtMs = nowMs;
      report(life, log);
    }
  };
}

function report(
  { serialNo, daysLeft, hasOurSerialNo, hasOurKey }: CertificateLife,
  log: Log,
): void {
  log.count('MerchantCertificateDaysLeft', daysLeft);
  log[daysLeft < WARN_BELOW_DAYS ? 'warn' : 'info']('days the merchant certificate still lives', {
    daysLeft,
    serialNo,
  });
  if (!hasOurSerialNo || !hasOurKey) {
    log.warn('merchantCertificate is not the one of merchantSerialNo and merchantPrivateKey', {
      serialNo,
    });
  }
}

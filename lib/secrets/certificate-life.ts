/** What the merchant API certificate (商户API证书) says about itself and about the secret it is in. */
import { createPrivateKey, X509Certificate } from 'node:crypto';

const DAY_MS = 86_400_000;

/** Of the merchant's secret, what stands beside the certificate. */
interface Certified {
  readonly merchantCertificate?: string | undefined;
  readonly merchantSerialNo?: string | undefined;
  readonly merchantPrivateKey?: string | undefined;
}

export interface CertificateLife {
  /** Hexadecimal, upper case. */
  readonly serialNo: string;
  /** Whole days until it ends; below zero when it has. */
  readonly daysLeft: number;
  /** Whether the secret's `merchantSerialNo`, if it has one, is this certificate's. */
  readonly hasOurSerialNo: boolean;
  /** Whether the secret's `merchantPrivateKey`, if it has one, is this certificate's. */
  readonly hasOurKey: boolean;
}

/** The judgement of `merchantCertificate`; none for a secret without it. */
export function judgeCertificate(
  { merchantCertificate, merchantSerialNo, merchantPrivateKey }: Certified,
  nowMs: number,
): CertificateLife | undefined {
  if (merchantCertificate === undefined) {
    return undefined;
  }
  const certificate = new X509Certificate(merchantCertificate);
  const { serialNumber: serialNo, validToDate } = certificate;
  return {
    serialNo,
    daysLeft: Math.floor((validToDate.getTime() - nowMs) / DAY_MS),
    hasOurSerialNo: merchantSerialNo === undefined || bare(merchantSerialNo) === bare(serialNo),
    hasOurKey:
      merchantPrivateKey === undefined ||
      certificate.checkPrivateKey(createPrivateKey(merchantPrivateKey)),
  };
}

/** Tools differ in capitals and in zeros at the front. */
const bare = (serialNo: string) => serialNo.toUpperCase().replace(/^0+/, '');

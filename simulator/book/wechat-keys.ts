/** WeChat Pay's own keys: which of them signs what, while WeChat changes from one to another. */
import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { Book } from './book.ts';
import type { CertifiedKey } from './certificate.ts';
import type { MerchantV2, WechatpayKeys } from './credentials.ts';

export const VERIFICATION_MODES = ['certificate', 'switching', 'public-key'] as const;
/**
 * `certificate`: platform certificates (平台证书) only, the state before "start replacing" was pressed.
 * `switching`: both; `public-key`: a new merchant, for whom no platform certificate was ever made.
 */
export type VerificationMode = (typeof VERIFICATION_MODES)[number];

export interface SigningKey {
  /** Goes into `Wechatpay-Serial`. */
  readonly serial: string;
  readonly name: 'WeChat Pay public key' | 'platform certificate';
  readonly privateKey: KeyObject;
}

export interface PlatformCertificate extends SigningKey {
  readonly pem: string;
  readonly effectiveAtMs: number;
  readonly expiresAtMs: number;
}

export interface WechatKeys {
  mode(): VerificationMode;
  /**
   * Share of notifications that the public key signs while switching (灰度). Null: each is signed by
   * the kind of key that the request of its order named, which suits every client.
   */
  notificationShare(): number | null;
  /** `undefined` leaves the share as it is. */
  setVerification(mode: VerificationMode, notificationShare: number | null | undefined): void;
  /** The usable platform certificates, the oldest first. */
  certificates(): readonly PlatformCertificate[];
  /** Share of messages that the newest of two certificates signs. */
  certificateShare(): number;
  /** Issues a successor beside the certificate of today, which stays good. */
  issueCertificate(): Promise<PlatformCertificate>;
  setCertificateShare(share: number): void;
  retireCertificate(serialNo: string): void;
  /** The request names the key that it wants in `Wechatpay-Serial`; what WeChat makes of it depends on the mode. */
  keyForAnswer(requestedSerial: string | undefined): SigningKey;
  keyForNotification(namesPublicKey: boolean): SigningKey;
  /** One that the merchant may encrypt for. */
  find(serial: string): SigningKey | undefined;
}

interface Stored {
  mode?: VerificationMode;
  notificationShare?: number | null;
  certificateShare?: number;
  issued?: { pem: string; serialNo: string; privateKey: string }[];
  retired?: string[];
}

/**
 * `wantedMode` counts more than what the book says. A book that says nothing is that of a merchant of
 * today, who has WeChat Pay's public key and no platform certificate. Without WeChat's private keys, or without the v3 values of the merchant,
 * there is no API v3.
 */
export function createWechatKeys(
  book: Book,
  merchant: MerchantV2,
  keys: WechatpayKeys | undefined,
  seed: string,
  createKey: (commonName: string) => Promise<CertifiedKey>,
  wantedMode?: VerificationMode,
): WechatKeys | undefined {
  const { wechatpayPublicKeyId, platformSerialNo, platformCertificate } = merchant;
  const { apiV3Key, merchantSerialNo, merchantCertificate } = merchant;
  const isComplete = apiV3Key && merchantSerialNo && merchantCertificate && wechatpayPublicKeyId;
  if (!keys || !isComplete || !platformSerialNo || !platformCertificate) {
    return undefined;
  }
  const stored = JSON.parse(book.readMeta('wechat_keys') ?? '{}') as Stored;
  const publicKey: SigningKey = {
    serial: wechatpayPublicKeyId,
    name: 'WeChat Pay public key',
    privateKey: createPrivateKey(keys.wechatpayPrivateKey),
  };
  const first = readCertificate(platformCertificate, platformSerialNo, keys.platformPrivateKey);
  let certificates = listCertificates();
  let drawn = 0;

  function listCertificates(): PlatformCertificate[] {
    const issued = (stored.issued ?? []).map((one) =>
      readCertificate(one.pem, one.serialNo, one.privateKey),
    );
    return [first, ...issued].filter(({ serial }) => !stored.retired?.includes(serial));
  }
  function save(): void {
    book.writeMeta('wechat_keys', JSON.stringify(stored));
    certificates = listCertificates();
  }
  const mode = () => stored.mode ?? 'public-key';
  const notificationShare = () => stored.notificationShare ?? null;
  const certificateShare = () => stored.certificateShare ?? 0;
  if (wantedMode !== undefined && wantedMode !== stored.mode) {
    stored.mode = wantedMode;
    save();
  }
  /** The seed decides which messages a share hits. */
  const hits = (what: string, share: number) => {
    drawn += 1;
    const digest = createHash('sha256').update(`${seed}|${what}|${drawn}`).digest();
    return digest.readUInt32BE(0) / 2 ** 32 < share;
  };
  function certificateOfNow(): SigningKey {
    const oldest = certificates[0] ?? first;
    const newest = certificates.at(-1) ?? first;
    return oldest !== newest && hits('certificate', certificateShare()) ? newest : oldest;
  }

  return {
    mode,
    notificationShare,
    setVerification(nextMode, share) {
      stored.mode = nextMode;
      if (share !== undefined) {
        stored.notificationShare = share;
      }
      save();
    },
    certificates: () => certificates,
    certificateShare,
    async issueCertificate() {
      const { serialNo, pem, privateKey } = await createKey('Tenpay.com sign');
      stored.issued = [...(stored.issued ?? []), { serialNo, pem, privateKey }];
      stored.certificateShare = 0;
      save();
      return readCertificate(pem, serialNo, privateKey);
    },
    setCertificateShare(share) {
      stored.certificateShare = share;
      save();
    },
    retireCertificate(serialNo) {
      stored.retired = [...(stored.retired ?? []), serialNo];
      save();
    },
    keyForAnswer(requestedSerial) {
      const wantsPublicKey = mode() === 'switching' && requestedSerial === publicKey.serial;
      return mode() === 'public-key' || wantsPublicKey ? publicKey : certificateOfNow();
    },
    keyForNotification(namesPublicKey) {
      const share = notificationShare();
      const isSwitched = share === null ? namesPublicKey : hits('notification', share);
      const isByKey = mode() === 'public-key' || (mode() === 'switching' && isSwitched);
      return isByKey ? publicKey : certificateOfNow();
    },
    find: (serial) => {
      const usable = mode() === 'certificate' ? certificates : [publicKey, ...certificates];
      return usable.find((one) => one.serial === serial);
    },
  };
}

function readCertificate(pem: string, serial: string, privateKey: string): PlatformCertificate {
  const certificate = new X509Certificate(pem);
  if (!certificate.checkPrivateKey(createPrivateKey(privateKey))) {
    throw new Error("WeChat Pay's private keys do not belong to the merchant file");
  }
  return {
    serial,
    name: 'platform certificate',
    pem,
    privateKey: createPrivateKey(privateKey),
    effectiveAtMs: certificate.validFromDate.getTime(),
    expiresAtMs: certificate.validToDate.getTime(),
  };
}

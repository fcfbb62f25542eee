/** The merchant as WeChat knows it now: the merchant file, and what was changed in the console since. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Book } from './book.ts';
import type { MerchantV2, SubMerchant } from './credentials.ts';

/** An API certificate (商户API证书) of the merchant. */
export interface ApiCertificate {
  readonly serialNo: string;
  readonly pem: string;
  readonly publicKey: KeyObject;
  readonly revoked: boolean;
}

export interface AccountChanges {
  apiV2Key?: string;
  apiV3Key?: string;
  subMerchants?: readonly SubMerchant[];
  /** The console's refund-notify URL; empty: the default. */
  refundNotifyUrl?: string;
  /** What refunds can be paid from; null: no limit. */
  balanceFen?: number | null;
  /** As the bill writes it: `0.60%`. */
  feeRate?: string;
}

export interface Account {
  /** Read it each time: the keys in it change. */
  current(): MerchantV2;
  subMerchants(): readonly SubMerchant[];
  refundNotifyUrl(): string | undefined;
  /** What there was to refund from when it was set, after refund number `serial`; null: no limit. */
  balance(): { readonly fen: number; readonly serial: number } | null;
  /** What WeChat takes of a payment (费率). */
  feeRate(): string;
  certificates(): readonly ApiCertificate[];
  change(changes: AccountChanges): void;
  addCertificate(serialNo: string, pem: string): void;
  revokeCertificate(serialNo: string): void;
  /** Every secret that ever was one here, to be masked. */
  secrets(): readonly string[];
}

interface Stored {
  /** A changed key counts as long as the merchant file still has the value of that time. */
  keys?: Partial<Record<'apiV2Key' | 'apiV3Key', { file: string | undefined; now: string }>>;
  formerKeys?: string[];
  subMerchants?: readonly SubMerchant[];
  refundNotifyUrl?: string;
  balance?: { fen: number; serial: number } | null;
  feeRate?: string;
  certificates?: { serialNo: string; pem: string }[];
  revoked?: string[];
}

/** Of most lines of business. */
const DEFAULT_FEE_RATE = '0.60%';
const SECRET_FIELDS = ['appSecret', 'apiV2Key', 'apiV3Key', 'merchantPrivateKey'] as const;

export function createAccount(book: Book, file: MerchantV2): Account {
  const stored = JSON.parse(book.readMeta('account') ?? '{}') as Stored;
  let merchant = withChanges();
  let certificates = readCertificates();

  function withChanges(): MerchantV2 {
    const changed = { ...file };
    for (const name of ['apiV2Key', 'apiV3Key'] as const) {
      const change = stored.keys?.[name];
      if (change && change.file === file[name]) {
        changed[name] = change.now;
      }
    }
    return changed;
  }

  function readCertificates(): ApiCertificate[] {
    const { merchantSerialNo: serialNo, merchantCertificate: pem } = file;
    const first = serialNo && pem ? [{ serialNo, pem }] : [];
    const added = (stored.certificates ?? []).filter((one) => one.serialNo !== serialNo);
    return [...first, ...added].map((one) => ({
      ...one,
      publicKey: createPublicKey(one.pem),
      revoked: stored.revoked?.includes(one.serialNo) ?? false,
    }));
  }

  function save(): void {
    book.writeMeta('account', JSON.stringify(stored));
    merchant = withChanges();
    certificates = readCertificates();
  }

  return {
    current: () => merchant,
    subMerchants: () => stored.subMerchants ?? file.subMerchants ?? [],
    refundNotifyUrl: () => stored.refundNotifyUrl || undefined,
    balance: () => stored.balance ?? null,
    feeRate: () => stored.feeRate ?? DEFAULT_FEE_RATE,
    certificates: () => certificates,
    change({ apiV2Key, apiV3Key, subMerchants, refundNotifyUrl, balanceFen, feeRate }) {
      for (const [name, now] of Object.entries({ apiV2Key, apiV3Key })) {
        if (now !== undefined) {
          const key = name as 'apiV2Key' | 'apiV3Key';
          stored.formerKeys = [...(stored.formerKeys ?? []), merchant[key] ?? ''].filter(Boolean);
          stored.keys = { ...stored.keys, [key]: { file: file[key], now } };
        }
      }
      if (subMerchants !== undefined) {
        stored.subMerchants = subMerchants;
      }
      if (refundNotifyUrl !== undefined) {
        stored.refundNotifyUrl = refundNotifyUrl;
      }
      if (balanceFen !== undefined) {
        const fen = balanceFen;
        stored.balance = fen === null ? null : { fen, serial: book.nextSerial() };
      }
      if (feeRate !== undefined) {
        stored.feeRate = feeRate;
      }
      save();
    },
    addCertificate(serialNo, pem) {
      stored.certificates = [...(stored.certificates ?? []), { serialNo, pem }];
      save();
    },
    revokeCertificate(serialNo) {
      stored.revoked = [...(stored.revoked ?? []), serialNo];
      save();
    },
    secrets() {
      const own = SECRET_FIELDS.map((name) => merchant[name]);
      const ofSubs = (stored.subMerchants ?? file.subMerchants ?? []).map(
        ({ subAppSecret }) => subAppSecret,
      );
      const all = [...own, ...ofSubs, ...(stored.formerKeys ?? [])];
      return all.filter((secret): secret is string => secret !== undefined && secret !== '');
    },
  };
}

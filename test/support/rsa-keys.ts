/** RSA key pairs and certificates for tests, made once per process: making one takes a while. */
import { createPrivateKey, createSign, generateKeyPairSync, randomBytes } from 'node:crypto';

export interface KeyPair {
  readonly privateKey: string;
  readonly publicKey: string;
}

export function newKeyPair(modulusLength = 2048): KeyPair {
  return generateKeyPairSync('rsa', {
    modulusLength,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
}

/** A certificate over a key pair. */
export interface CertifiedKey extends KeyPair {
  /** Hexadecimal, upper case. */
  readonly serialNo: string;
  readonly certificate: string;
}

interface CertificateOptions {
  readonly notBeforeMs?: number;
  readonly notAfterMs?: number;
  readonly keyPair?: KeyPair;
  readonly serialNo?: string;
  /** Of owner and issuer (CN). */
  readonly commonName?: string;
}

const DAY_MS = 86_400_000;

/** A self-signed X.509 certificate, version 1. */
export function newCertifiedKey(aroundMs: number, options: CertificateOptions = {}): CertifiedKey {
  const {
    notBeforeMs = aroundMs - DAY_MS,
    notAfterMs = aroundMs + 365 * DAY_MS,
    keyPair = newKeyPair(),
    commonName = 'Test CA',
    serialNo = `4${randomBytes(20).toString('hex').slice(1)}`.toUpperCase(),
  } = options;
  const name = sequence(set(sequence(oid('550403'), der(0x0c, Buffer.from(commonName)))));
  const spki = Buffer.from(keyPair.publicKey.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
  const tbs = sequence(
    der(0x02, Buffer.from(serialNo, 'hex')),
    SHA256_WITH_RSA,
    name,
    sequence(utcTime(notBeforeMs), utcTime(notAfterMs)),
    name,
    spki,
  );
  const signature = createSign('sha256').update(tbs).sign(createPrivateKey(keyPair.privateKey));
  const bits = der(0x03, Buffer.concat([Buffer.from([0]), signature]));
  const base64 = sequence(tbs, SHA256_WITH_RSA, bits).toString('base64');
  const lines = base64.replaceAll(/.{64}/g, '$&\n');
  const certificate = `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
  return { ...keyPair, serialNo, certificate };
}

/** sha256WithRSAEncryption, 1.2.840.113549.1.1.11, with its NULL parameter. */
const SHA256_WITH_RSA = Buffer.from('300d06092a864886f70d01010b0500', 'hex');

const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'));
const set = (...content: Buffer[]) => der(0x31, ...content);
const sequence = (...content: Buffer[]) => der(0x30, ...content);

/** One DER element: tag, length, content. */
function der(tag: number, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const length =
    body.length < 0x80
      ? Buffer.from([body.length])
      : Buffer.from(`82${body.length.toString(16).padStart(4, '0')}`, 'hex');
  return Buffer.concat([Buffer.from([tag]), length, body]);
}

function utcTime(epochMs: number): Buffer {
  const digits = new Date(epochMs).toISOString().replaceAll(/\D/g, '').slice(2, 14);
  return der(0x17, Buffer.from(`${digits}Z`));
}

/** Writes the one kind of X.509 certificate that the simulator needs: RSA, SHA-256, no extensions. */
import { createPublicKey, sign } from 'node:crypto';
import type { RsaKeyPair, Surroundings } from '../surroundings/surroundings.ts';

const VALIDITY_MS = 5 * 365 * 24 * 3600 * 1000;
const ISSUER = { CN: 'Simulated Tenpay.com Root CA', O: 'WeChat Pay simulator', C: 'CN' };

const ATTRIBUTE_TYPES = {
  CN: Buffer.from('0603550403', 'hex'),
  O: Buffer.from('060355040a', 'hex'),
  C: Buffer.from('0603550406', 'hex'),
};
/** sha256WithRSAEncryption, 1.2.840.113549.1.1.11, with its NULL parameter. */
const SHA256_WITH_RSA = Buffer.from('300d06092a864886f70d01010b0500', 'hex');

/** One DER element: tag, length, content. */
function der(tag: number, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content);
  if (body.length < 0x80) {
    return Buffer.concat([Buffer.from([tag, body.length]), body]);
  }
  const length = Buffer.from(body.length.toString(16).padStart(4, '0'), 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 + length.length]), length, body]);
}

const sequence = (...content: Buffer[]) => der(0x30, ...content);

const distinguishedName = (name: { CN: string; O: string; C: string }) =>
  sequence(
    ...(['C', 'O', 'CN'] as const).map((type) =>
      der(0x31, sequence(ATTRIBUTE_TYPES[type], der(0x0c, Buffer.from(name[type])))),
    ),
  );

/** UTCTime `yyMMddHHmmssZ`; good until 2049. */
const utcTime = (epochMs: number) =>
  der(
    0x17,
    Buffer.from(`${new Date(epochMs).toISOString().replaceAll(/[-:T]/g, '').slice(2, 14)}Z`),
  );

/** What a key pair with a certificate is made from. */
export type KeyMaker = Pick<Surroundings, 'nowMs' | 'randomBytes' | 'createRsaKeyPair'>;

export interface CertifiedKey extends RsaKeyPair {
  /** 40 upper-case hexadecimal digits. */
  readonly serialNo: string;
  /** The certificate. */
  readonly pem: string;
}

/**
 * Makes a key pair and a certificate of five years for it, signed with the pair's own key: WeChat Pay's
 * clients read the serial number and the public key, none follows the chain.
 */
export async function createCertifiedKey(
  commonName: string,
  { nowMs, randomBytes, createRsaKeyPair }: KeyMaker,
): Promise<CertifiedKey> {
  const keys = await createRsaKeyPair();
  // 0x4… keeps the number positive and 40 digits long, like the ones that WeChat Pay gives out.
  const serial = randomBytes(20);
  serial[0] = 0x40 | ((serial[0] ?? 0) & 0x0f);
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    SHA256_WITH_RSA,
    distinguishedName(ISSUER),
    sequence(utcTime(nowMs() - 24 * 3600 * 1000), utcTime(nowMs() + VALIDITY_MS)),
    distinguishedName({ CN: commonName, O: 'WeChat Pay simulator', C: 'CN' }),
    createPublicKey(keys.publicKey).export({ type: 'spki', format: 'der' }),
  );
  const signature = sign('sha256', toBeSigned, keys.privateKey);
  const certificate = sequence(toBeSigned, SHA256_WITH_RSA, der(0x03, Buffer.from([0]), signature));
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return {
    ...keys,
    serialNo: serial.toString('hex').toUpperCase(),
    pem: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
  };
}

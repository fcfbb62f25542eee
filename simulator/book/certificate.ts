/** Writes X.509 certificates: those of keys that WeChat's clients know, and of the simulator's own TLS. */
import { createHash, createPublicKey, sign, type X509Certificate } from 'node:crypto';
import type { RsaKeyPair, Surroundings } from '../surroundings/surroundings.ts';

const VALIDITY_MS = 5 * 365 * 24 * 3600 * 1000;
const DAY_MS = 24 * 3600 * 1000;

interface Name {
  readonly CN: string;
  readonly O: string;
  readonly C: string;
}

const nameOf = (commonName: string): Name => ({
  CN: commonName,
  O: 'WeChat Pay simulator',
  C: 'CN',
});

/** Who issues the certificates of merchants and of WeChat Pay. */
const ISSUER = nameOf('Simulated Tenpay.com Root CA');

const ATTRIBUTE_TYPES = {
  CN: Buffer.from('0603550403', 'hex'),
  O: Buffer.from('060355040a', 'hex'),
  C: Buffer.from('0603550406', 'hex'),
};
/** sha256WithRSAEncryption, 1.2.840.113549.1.1.11, with its NULL parameter. */
const SHA256_WITH_RSA = Buffer.from('300d06092a864886f70d01010b0500', 'hex');

/** One DER element: tag, length in as few bytes as it takes, content. */
function der(tag: number, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content);
  if (body.length < 0x80) {
    return Buffer.concat([Buffer.from([tag, body.length]), body]);
  }
  const digits = body.length.toString(16);
  const length = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 + length.length]), length, body]);
}

const sequence = (...content: Buffer[]) => der(0x30, ...content);
const octets = (...content: Buffer[]) => der(0x04, ...content);

const distinguishedName = (name: Name) =>
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

interface Contents {
  readonly subject: Name;
  readonly issuer: Name;
  readonly keys: RsaKeyPair;
  /** PEM; the pair's own key without it. */
  readonly signingKey?: string;
  readonly extensions?: readonly Buffer[];
}

/** Five years from yesterday on. */
function certify(
  { subject, issuer, keys, signingKey = keys.privateKey, extensions = [] }: Contents,
  { nowMs, randomBytes }: KeyMaker,
): CertifiedKey {
  // 0x4… keeps the number positive and 40 digits long, like the ones that WeChat Pay gives out.
  const serial = randomBytes(20);
  serial[0] = 0x40 | ((serial[0] ?? 0) & 0x0f);
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    SHA256_WITH_RSA,
    distinguishedName(issuer),
    sequence(utcTime(nowMs() - DAY_MS), utcTime(nowMs() + VALIDITY_MS)),
    distinguishedName(subject),
    createPublicKey(keys.publicKey).export({ type: 'spki', format: 'der' }),
    ...(extensions.length > 0 ? [der(0xa3, sequence(...extensions))] : []),
  );
  const signature = sign('sha256', toBeSigned, signingKey);
  const certificate = sequence(toBeSigned, SHA256_WITH_RSA, der(0x03, Buffer.from([0]), signature));
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return {
    ...keys,
    serialNo: serial.toString('hex').toUpperCase(),
    pem: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
  };
}

/**
 * Makes a key pair and a certificate of five years for it, signed with the pair's own key: WeChat Pay's
 * clients read the serial number and the public key, none follows the chain.
 */
export async function createCertifiedKey(
  commonName: string,
  maker: KeyMaker,
): Promise<CertifiedKey> {
  const keys = await maker.createRsaKeyPair();
  return certify({ subject: nameOf(commonName), issuer: ISSUER, keys }, maker);
}

/** Whether it is of the kind that `createCertifiedKey` makes: no other authority issued it. */
export const isIssuedHere = (certificate: X509Certificate): boolean =>
  certificate.issuer === `C=${ISSUER.C}\nO=${ISSUER.O}\nCN=${ISSUER.CN}` &&
  certificate.verify(certificate.publicKey);

/** 2.5.29.x; the value as its DER. */
const extension = (number: number, value: Buffer, isCritical = false) =>
  sequence(
    Buffer.from([0x06, 0x03, 0x55, 0x1d, number]),
    ...(isCritical ? [Buffer.from('0101ff', 'hex')] : []),
    octets(value),
  );

const keyId = ({ publicKey }: RsaKeyPair) =>
  createHash('sha1')
    .update(createPublicKey(publicKey).export({ type: 'spki', format: 'der' }))
    .digest();

/** What a server needs for TLS, and whom its callers have to trust. */
export interface TlsCredentials {
  /** PEM texts. */
  readonly authority: string;
  readonly certificate: string;
  readonly privateKey: string;
}

/** localhost, 127.0.0.1, ::1. */
const LOOPBACK_NAMES = sequence(
  der(0x82, Buffer.from('localhost')),
  der(0x87, Buffer.from([127, 0, 0, 1])),
  der(0x87, Buffer.concat([Buffer.alloc(15), Buffer.from([1])])),
);
const SERVER_AUTH = sequence(Buffer.from('06082b06010505070301', 'hex'));

/** An authority of its own, whose key nobody keeps, and a certificate of it for this machine. */
export async function createTlsCredentials(maker: KeyMaker): Promise<TlsCredentials> {
  const [authorityKeys, keys] = await Promise.all([
    maker.createRsaKeyPair(),
    maker.createRsaKeyPair(),
  ]);
  const issuer = nameOf('WeChat Pay simulator TLS');
  const authorityId = keyId(authorityKeys);
  const authority = certify(
    {
      subject: issuer,
      issuer,
      keys: authorityKeys,
      extensions: [
        extension(19, sequence(Buffer.from('0101ff', 'hex')), true),
        extension(15, Buffer.from('03020106', 'hex'), true),
        extension(14, octets(authorityId)),
      ],
    },
    maker,
  );
  const server = certify(
    {
      subject: nameOf('localhost'),
      issuer,
      keys,
      signingKey: authorityKeys.privateKey,
      extensions: [
        extension(19, sequence(), true),
        extension(15, Buffer.from('030205a0', 'hex'), true),
        extension(37, SERVER_AUTH),
        extension(17, LOOPBACK_NAMES),
        extension(14, octets(keyId(keys))),
        extension(35, sequence(der(0x80, authorityId))),
      ],
    },
    maker,
  );
  return { authority: authority.pem, certificate: server.pem, privateKey: keys.privateKey };
}

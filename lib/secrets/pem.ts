/** A PEM field: whether it holds what belongs there, and if not, what it holds instead. */
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import * as v from 'valibot';

type Kind = 'private key' | 'public key' | 'certificate';

/** Labels of RFC 7468 and of OpenSSL's older forms, by what they enclose. */
const KINDS: Readonly<Record<string, string>> = {
  'PRIVATE KEY': 'private key',
  'RSA PRIVATE KEY': 'private key',
  'PUBLIC KEY': 'public key',
  'RSA PUBLIC KEY': 'public key',
  CERTIFICATE: 'certificate',
  'X509 CERTIFICATE': 'certificate',
  'TRUSTED CERTIFICATE': 'certificate',
  'CERTIFICATE REQUEST': 'certificate request',
  'NEW CERTIFICATE REQUEST': 'certificate request',
  'EC PRIVATE KEY': 'EC private key',
  'EC PARAMETERS': 'EC private key',
  'DSA PRIVATE KEY': 'DSA private key',
  'OPENSSH PRIVATE KEY': 'OpenSSH private key',
  'ENCRYPTED PRIVATE KEY': 'encrypted private key: take the password off with openssl pkey',
};

/** What a text is read with; each throws for what it cannot read. */
const READ: Readonly<Record<Kind, (text: string) => string | undefined>> = {
  'private key': (text) => createPrivateKey(text).asymmetricKeyType,
  // Node would make a public key of a private key or a certificate as well: the label decides first.
  'public key': (text) => createPublicKey(text).asymmetricKeyType,
  certificate: (text) => new X509Certificate(text).publicKey.asymmetricKeyType,
};

const DER: Readonly<Record<Kind, (der: Buffer) => unknown>> = {
  'private key': (key) => createPrivateKey({ key, format: 'der', type: 'pkcs8' }),
  'public key': (key) => createPublicKey({ key, format: 'der', type: 'spki' }),
  certificate: (der) => new X509Certificate(der),
};

const NOT_ASCII = /\P{ASCII}/u;
const ODD_CHARACTERS = 'has full-width or invisible characters (a byte-order mark?)';

/** A PEM text of this kind, RSA. Its fault is said without a word of it. */
export const pem = (kind: Kind) =>
  v.pipe(
    v.string(),
    v.check(
      (text) => pemFault(text, kind) === undefined,
      ({ input }) => String(pemFault(input, kind)),
    ),
  );

/** What is wrong with a text that should hold one; nothing when it is right. */
function pemFault(text: string, wanted: Kind): string | undefined {
  const kinds = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----/g)].map(
    ([, label]) => KINDS[String(label)] ?? 'PEM of another kind',
  );
  const [first] = kinds;
  if (first === undefined) {
    return headlessFault(text);
  }
  if (!kinds.includes(wanted)) {
    return `is ${withArticle(first)}`;
  }
  const type = attempt(() => String(READ[wanted](text)));
  if (type === undefined) {
    return unreadableFault(text, wanted);
  }
  return type === 'rsa' ? undefined : `is ${withArticle(`${type.toUpperCase()} key`)}, not RSA`;
}

/** OpenSSL reads it with an END, with line breaks and without a password. */
function unreadableFault(text: string, wanted: Kind): string {
  if (!/-----END [A-Z0-9 ]+-----/.test(text)) {
    return 'is cut off: it has no END line';
  }
  if (/Proc-Type:.*ENCRYPTED/.test(text)) {
    return 'is an encrypted private key: take the password off with openssl pkey';
  }
  if (/\\+[nr]/.test(text)) {
    return 'has \\n as two characters where line breaks belong (in JSON: one backslash)';
  }
  if (!/-----BEGIN [A-Z0-9 ]+-----[ \t]*\r?\n/.test(text) || !/\n[ \t]*-----END/.test(text)) {
    return 'is all in one line: keep the line breaks of the file (in JSON: \\n)';
  }
  const body = text.replaceAll(/-----[A-Z0-9 ]+-----/g, '');
  if (NOT_ASCII.test(body)) {
    return ODD_CHARACTERS;
  }
  return `is damaged: no ${wanted} can be read from it`;
}

function headlessFault(text: string): string {
  const base64 = text.replaceAll(/\\[nr]|\s|\ufeff/g, '');
  if (/^[A-Za-z0-9+/]{60,}={0,2}$/.test(base64)) {
    const der = Buffer.from(base64, 'base64');
    const kind = (Object.keys(DER) as Kind[]).find((each) => attempt(() => DER[each](der)));
    return `is ${kind ? `the bare Base64 of ${withArticle(kind)}` : 'bare Base64'}, without BEGIN and END lines`;
  }
  if (text.trim() === '') {
    return 'is empty';
  }
  if (/^[\w./\\: -]+\.(pem|p12|key|crt|cer|txt)$/i.test(text)) {
    return 'is the name of a file, not its content';
  }
  return NOT_ASCII.test(text) ? ODD_CHARACTERS : 'is no PEM: it has no BEGIN line';
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    // OpenSSL's error could quote the text.
    return undefined;
  }
}

const withArticle = (noun: string) => `${/^[AEIOU]/i.test(noun) ? 'an' : 'a'} ${noun}`;

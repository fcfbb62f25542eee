/** What a client shows in the TLS handshake to say who it is. */
import { X509Certificate } from 'node:crypto';
import { Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';

/**
 * Two PEM texts, or a PKCS#12 file with its password. With `authority`, a PEM text, only a server
 * that it vouches for gets to see it; without, one that the machine trusts.
 */
export type ClientCertificate = (
  | { readonly certificate: string; readonly privateKey: string }
  | { readonly p12: Buffer; readonly passphrase: string }
) & { readonly authority?: string | undefined };

/** The same in the words of `node:tls`. */
export const tlsOptions = (shown: ClientCertificate) => ({
  ...('p12' in shown
    ? { pfx: shown.p12, passphrase: shown.passphrase }
    : { cert: shown.certificate, key: shown.privateKey }),
  ...(shown.authority !== undefined && { ca: shown.authority }),
});

/**
 * The certificate in it, once OpenSSL has taken it with its key. Opens no connection.
 *
 * @throws what OpenSSL says, when it cannot be read or the key is another's.
 */
export function readClientCertificate(shown: ClientCertificate): X509Certificate {
  const secureContext = createSecureContext(tlsOptions(shown));
  if ('certificate' in shown) {
    return new X509Certificate(shown.certificate);
  }
  // Node reads no .p12 but for a connection; one that is never opened will do.
  const socket = new TLSSocket(new Socket(), { secureContext });
  try {
    return socket.getX509Certificate() as X509Certificate;
  } finally {
    socket.destroy();
  }
}

/**
 * Whether a connection failed with the server's alert about the client's certificate: its last word
 * in the handshake, so it has read no request.
 */
export function isClientCertificateAlert(error: unknown): boolean {
  if (!(error instanceof Error)) {
    return false;
  }
  const { code, message }: NodeJS.ErrnoException = error;
  // In the middle of a write the alert is in the text only.
  const said = code === 'EPROTO' ? message : String(code);
  return /^ERR_SSL_\w+_ALERT_|\balert\b/.test(said) && ABOUT_CERTIFICATES.test(said);
}

const ABOUT_CERTIFICATES = /certificate|unknown[_ ]ca|access[_ ]denied/i;

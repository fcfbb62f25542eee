/** WeChat's gate for client certificates (商户API证书): judges whichever is shown, and demands one for refunds. */
import { X509Certificate } from 'node:crypto';
import { isIssuedHere } from '../book/certificate.ts';
import type { Answer, Request } from './http.ts';
import { describeAnswer } from './messages.ts';
import type { Service } from './service.ts';

/**
 * `plain`: not over TLS, where none can be shown. `none`: over TLS without one. `bad`: expired, revoked,
 * of another authority. `stranger`: of another merchant.
 */
export type ShownCertificate = 'plain' | 'none' | 'good' | 'bad' | 'stranger';

export function judgeCertificate(
  { account, clock }: Pick<Service, 'account' | 'clock'>,
  { tls }: Pick<Request, 'tls'>,
): ShownCertificate {
  if (!tls) {
    return 'plain';
  }
  if (!tls.certificate) {
    return 'none';
  }
  const shown = new X509Certificate(tls.certificate);
  const own = account
    .certificates()
    .find(({ pem }) => new X509Certificate(pem).raw.equals(shown.raw));
  const nowMs = clock.now();
  const isTimely = shown.validFromDate.getTime() <= nowMs && nowMs < shown.validToDate.getTime();
  if (!isTimely || own?.revoked) {
    return 'bad';
  }
  if (own) {
    return 'good';
  }
  return isIssuedHere(shown) ? 'stranger' : 'bad';
}

export const needsCertificate = (path: string) => path.startsWith('/secapi/');

const answerHtml = (text: string): Answer => ({
  status: 400,
  headers: { 'Content-Type': 'text/html' },
  body: `<html>\r\n<head><title>400 ${text}</title></head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n<center>${text}</center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`,
});

/** The page that ends a call before WeChat Pay sees it; undefined lets it in. Kept in the message log. */
export function refuseCertificate(
  service: Pick<Service, 'account' | 'clock' | 'messages'>,
  request: Request,
): Answer | undefined {
  const { method, path, url, headers, body } = request;
  const shown = judgeCertificate(service, request);
  const isMissing = shown === 'none' && needsCertificate(path);
  if (shown !== 'bad' && !isMissing) {
    return undefined;
  }
  const refused = answerHtml(
    isMissing ? 'No required SSL certificate was sent' : 'The SSL certificate error',
  );
  service.messages.add({
    from: 'merchant',
    to: 'wechat',
    kind: path,
    method,
    path: url,
    request: { headers, body: body.toString('utf8') },
    response: describeAnswer(refused),
    note: isMissing ? NOTE_MISSING : NOTE_BAD,
  });
  return refused;
}

const NOTE_MISSING =
  'no client certificate was shown: merchantCertificate with merchantPrivateKey of merchant.json belong to this call';
const NOTE_BAD =
  'the client certificate is expired, revoked, or not one of WeChat Pay: WeChat judges it at every address';

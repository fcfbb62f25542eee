/** The way to WeChat that shows the merchant's client certificate, with the answers of its gate. */
import { WechatPayTransportError } from '../../errors.ts';
import type { MerchantSecret } from '../../secrets/merchant.ts';
import {
  type ClientCertificate,
  isClientCertificateAlert,
} from '../../transport/client-certificate.ts';
import type { Transport, WechatResponse } from '../../transport/transport.ts';
import { NotCarriedOutError } from '../refund-settlement.ts';
import { OWNERS_FAULTS, WechatPayConfigError } from '../remedy.ts';
import { clientCertificateOf, findCertificateFault } from './client-certificate.ts';

/** A transport with connections of its own, all of which show this certificate. */
export type OpenCertifiedTransport = (certificate: ClientCertificate) => Transport;

/**
 * The transport of a merchant's certificate. State that outlives a call: the one that was used
 * last, with its connections; another certificate gets another.
 */
export function openCertifiedTransports(
  open: OpenCertifiedTransport,
): (secret: MerchantSecret) => Transport {
  let last: { readonly key: string; readonly transport: Transport } | undefined;
  return (secret) => {
    const { merchantCertificate, merchantPrivateKey, merchantP12, mchid } = secret;
    const key = JSON.stringify([mchid, merchantCertificate, merchantPrivateKey, merchantP12]);
    if (last?.key !== key) {
      last = { key, transport: open(clientCertificateOf(secret)) };
    }
    return last.transport;
  };
}

/**
 * Refusals of a certificate become errors that name what is wrong with it.
 *
 * @param nowMs the clock that the certificate's life is judged by.
 */
export function behindGate(
  transport: Transport,
  secret: MerchantSecret,
  nowMs: () => number,
): Transport {
  const explain = (what: string) => {
    const fault = findCertificateFault(secret, nowMs());
    return fault === undefined ? what : `${what}: ${fault}`;
  };
  return async (request) => {
    const response = await transport(request).catch((error: unknown) => {
      throw isCertificateAlert(error)
        ? new NotCarriedOutError(explain(ALERTED), error, where)
        : error;
    });
    const refusal = gateRefusal(response);
    if (refusal !== undefined) {
      throw new NotCarriedOutError(explain(refusal), undefined, where);
    }
    const text = mismatchText(response);
    if (text !== undefined) {
      const refused = { outcome: 'unknown', wechatCode: '', wechatText: text } as const;
      throw new WechatPayConfigError(explain(fault), where, refused);
    }
    return response;
  };
}

const { fault, where } = OWNERS_FAULTS.clientCertificate;

const ALERTED = 'WeChat ended the TLS handshake because of the client certificate';

/** What nginx says in HTML, before anybody reads the request. */
const GATE_TEXTS: readonly (readonly [RegExp, string])[] = [
  [/No required SSL certificate was sent/i, 'WeChat saw no client certificate'],
  [
    /The SSL certificate error/i,
    'WeChat does not take the client certificate, because it expired, was revoked or replaced, or is none of WeChat’s',
  ],
];

function gateRefusal({ statusCode, body }: WechatResponse): string | undefined {
  const text = body.toString();
  return statusCode === 400 ? GATE_TEXTS.find(([pattern]) => pattern.test(text))?.[1] : undefined;
}

/** A valid certificate, but another merchant's: `return_code` `FAIL`, which nobody signs. */
function mismatchText({ body }: WechatResponse): string | undefined {
  const text = body.toString();
  return /<return_code>(<!\[CDATA\[)?FAIL/.test(text)
    ? /certificate (is )?not match|证书(验证失败|错误|不匹配)/i.exec(text)?.[0]
    : undefined;
}

/** A fatal alert about the certificate; see `host.ts`, which calls such a request not sent. */
const isCertificateAlert = (error: unknown) =>
  error instanceof WechatPayTransportError &&
  error.outcome === 'not-sent' &&
  isClientCertificateAlert(error.cause);

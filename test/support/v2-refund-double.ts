/** WeChat Pay as the refunds of the v2 client see it: with the way that shows the certificate. */
import type { MerchantSecret } from '../../lib/secrets/merchant.ts';
import type { ClientCertificate } from '../../lib/transport/client-certificate.ts';
import type { Transport, WechatResponse } from '../../lib/transport/transport.ts';
import { openWechatPayV2 } from '../../lib/wechatpay/v2/index.ts';
import { CLIENT_CERTIFICATE } from './client-certificate.ts';
import { neverRuns } from './no-timer.ts';
import { CREATED_AT } from './sample-orders.ts';
import { merchantWith, secretVersions } from './secret-versions.ts';
import { signed, type WireFields, xmlOf } from './v2-message.ts';
import { readIndependently } from './v2-reader.ts';

/** The merchant with the certificate that refunds show. */
export const certifiedMerchant = (changes: Partial<MerchantSecret> = {}): MerchantSecret => ({
  ...merchantWith(),
  merchantCertificate: CLIENT_CERTIFICATE.certificate,
  merchantPrivateKey: CLIENT_CERTIFICATE.privateKey,
  ...changes,
});

export interface SentRefund {
  readonly path: string;
  readonly fields: WireFields;
  readonly isCertified: boolean;
  readonly timeoutMs: number;
  readonly repeatable: boolean;
}

/** Fields to be signed; or the whole answer; or how the connection fails. */
export type RefundAnswering = (sent: SentRefund) => WireFields | WechatResponse | Error;

export function v2RefundDouble(
  answering: RefundAnswering,
  options: {
    readonly merchant?: () => MerchantSecret;
    readonly nowMs?: () => number;
    readonly otherAttempts?: WechatResponse['otherAttempts'];
  } = {},
) {
  const requests: SentRefund[] = [];
  const opened: ClientCertificate[] = [];
  const merchant = options.merchant ?? (() => certifiedMerchant());
  const transport =
    (isCertified: boolean): Transport =>
    async ({ path, body = '', timeoutMs, repeatable }) => {
      const fields = Object.fromEntries(readIndependently(body) ?? []);
      const sent = { path, fields, isCertified, timeoutMs, repeatable };
      requests.push(sent);
      const answer = answering(sent);
      if (answer instanceof Error) {
        throw answer;
      }
      const response = isResponse(answer) ? answer : respond(answer);
      return {
        ...response,
        ...(options.otherAttempts && { otherAttempts: options.otherAttempts }),
      };
    };
  const wechatPay = openWechatPayV2({
    transport: transport(false),
    openCertifiedTransport: (certificate) => {
      opened.push(certificate);
      return transport(true);
    },
    merchant: {
      current: async () => merchant(),
      candidates: () => secretVersions(merchant()).candidates(),
    },
    signType: 'HMAC-SHA256',
    nonce: () => 'n',
    nowMs: options.nowMs ?? (() => CREATED_AT * 1000),
    startTimer: neverRuns,
  });
  return { wechatPay, requests, opened };
}

const isResponse = (answer: WireFields | WechatResponse): answer is WechatResponse =>
  answer['body'] instanceof Uint8Array;

const respond = (fields: WireFields): WechatResponse => ({
  statusCode: 200,
  headers: {},
  body: Buffer.from(xmlOf(signed(fields))),
});

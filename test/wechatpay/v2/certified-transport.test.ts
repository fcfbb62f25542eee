/** The client certificate on real TLS connections: who sees it, and what its refusal is told as. */
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WechatPayTransportError } from '../../../lib/errors.ts';
import type { MerchantSecret } from '../../../lib/secrets/merchant.ts';
import { openHost } from '../../../lib/transport/host.ts';
import type { StoredRefund } from '../../../lib/wechatpay/refund-results.ts';
import { openWechatPay } from '../../../lib/wechatpay/open.ts';
import { NotCarriedOutError } from '../../../lib/wechatpay/refund-settlement.ts';
import {
  behindGate,
  openCertifiedTransports,
} from '../../../lib/wechatpay/v2/certified-transport.ts';
import { CLIENT_CERTIFICATE, CLIENT_P12 } from '../../support/client-certificate.ts';
import { neverRuns } from '../../support/no-timer.ts';
import { newCertifiedKey } from '../../support/rsa-keys.ts';
import { MCHID, sampleRefund } from '../../support/sample-orders.ts';
import { serve } from '../../support/scripted-server.ts';
import { merchantWith, secretVersions } from '../../support/secret-versions.ts';
import { LOOPBACK_CERTIFICATE } from '../../support/tls-certificate.ts';
import { certifiedMerchant } from '../../support/v2-refund-double.ts';
import { signed, type WireFields, xmlOf } from '../../support/v2-message.ts';
import { started, useServers } from '../../support/wechat-hosts.ts';

useServers();

const before = tls.getCACertificates('default');
beforeAll(() => tls.setDefaultCACertificates([...before, LOOPBACK_CERTIFICATE.cert]));
afterAll(() => tls.setDefaultCACertificates(before));

const now = Date.parse('2027-01-01T00:00:00Z');
const options = { timeoutMs: 3_000 };

const found: WireFields = {
  return_code: 'SUCCESS',
  result_code: 'SUCCESS',
  appid: sampleRefund().appid,
  mch_id: MCHID,
  out_trade_no: 'order-0001',
  transaction_id: sampleRefund().transactionId,
  out_refund_no: 'refund-0001',
  refund_id: '5',
  refund_fee: '800',
  refund_count: '1',
  out_refund_no_0: 'refund-0001',
  refund_id_0: '5',
  refund_fee_0: '800',
  refund_status_0: 'PROCESSING',
};

const html = (text: string) =>
  `<html><head><title>400 ${text}</title></head><body><center><h1>400 Bad Request</h1></center></body></html>`;

/** WeChat: it judges whatever certificate is shown, on any path, and wants one for a refund. */
const gated = (seen: string[]) =>
  started(
    serve(
      (response, request) => {
        const { CN } = (response.socket as tls.TLSSocket).getPeerCertificate().subject ?? {};
        seen.push(`${request.url} ${String(CN)}`);
        if (CN === undefined && request.url === '/secapi/pay/refund') {
          response.writeHead(400).end(html('No required SSL certificate was sent'));
          return;
        }
        response.end(xmlOf(signed(found)));
      },
      { ...LOOPBACK_CERTIFICATE, requestCert: true, rejectUnauthorized: false },
    ),
  );

function wechatPayAt(urls: readonly string[], merchant: MerchantSecret) {
  const open = openWechatPay(
    {
      signType: 'HMAC-SHA256',
      wechatPayBaseUrls: urls,
      certifiedBaseUrls: urls,
      certifiedAuthority: undefined,
    },
    secretVersions(merchant),
    {
      openHost,
      nowMs: () => now,
      monotonicMs: () => performance.now(),
      randomBytes: (size) => Buffer.alloc(size, 7),
      startTimer: neverRuns,
    },
  );
  const wechatPay = open({ apiVersion: 'v2', merchantKey: '' });
  const refundRequest = wechatPay.buildRefundRequest({
    ...sampleRefund(),
    merchantKey: '',
    notifyBaseUrl: 'https://pay.example.com',
  });
  const refund: StoredRefund = { ...sampleRefund(), refundRequest };
  return {
    refund: () => wechatPay.refund(refund, options),
    query: () => wechatPay.queryRefund(sampleRefund(), options),
  };
}

describe('the client certificate', () => {
  test.each([
    ['PEM', certifiedMerchant()],
    ['.p12', { ...merchantWith(), merchantP12: CLIENT_P12 }],
  ])('of %s is shown for refunds, and on no connection of anything else', async (_, merchant) => {
    const seen: string[] = [];
    const server = await gated(seen);
    const { refund, query } = wechatPayAt([server.url], merchant);

    for (const call of [query, refund, query, refund, query]) {
      expect(await call()).toMatchObject({ refund: { refundId: '5' } });
    }
    await Promise.all([refund(), query(), refund(), query()]);

    expect(seen.filter((line) => line.startsWith('/secapi'))).toEqual(
      Array.from({ length: 4 }, () => `/secapi/pay/refund ${MCHID}`),
    );
    expect(seen.filter((line) => !line.startsWith('/secapi'))).toEqual(
      Array.from({ length: 5 }, () => '/pay/refundquery undefined'),
    );
  });

  test('is kept on its connection, which a query never uses', async () => {
    const server = await gated([]);
    const { refund, query } = wechatPayAt([server.url], certifiedMerchant());
    await refund();
    await query();
    await refund();
    await query();

    expect(server.received.map(({ url, connection }) => [url, connection])).toEqual([
      ['/secapi/pay/refund', 1],
      ['/pay/refundquery', 2],
      ['/secapi/pay/refund', 1],
      ['/pay/refundquery', 2],
    ]);
  });

  test('is opened once, and anew when the secret has another', () => {
    const opened: unknown[] = [];
    const transportOf = openCertifiedTransports((certificate) => {
      opened.push(certificate);
      return async () => Promise.reject(new Error('closed'));
    });
    const other = newCertifiedKey(now);
    const merchant = certifiedMerchant();
    const first = transportOf(merchant);

    expect(transportOf({ ...merchant })).toBe(first);
    const next = transportOf({
      ...merchant,
      merchantCertificate: other.certificate,
      merchantPrivateKey: other.privateKey,
    });
    expect(next).not.toBe(first);
    expect(opened).toEqual([
      CLIENT_CERTIFICATE,
      { certificate: other.certificate, privateKey: other.privateKey },
    ]);
  });
});

describe('a refused certificate', () => {
  const answering = (status: number, body: string) =>
    started(
      serve((response) => response.writeHead(status).end(body), {
        ...LOOPBACK_CERTIFICATE,
        requestCert: true,
        rejectUnauthorized: false,
      }),
    );
  const expired = () => {
    const key = newCertifiedKey(now, { notAfterMs: now - 1_000, commonName: MCHID });
    return certifiedMerchant({
      merchantCertificate: key.certificate,
      merchantPrivateKey: key.privateKey,
    });
  };
  const ofAnother = () => {
    const key = newCertifiedKey(now, { commonName: '1900000222' });
    return certifiedMerchant({
      merchantCertificate: key.certificate,
      merchantPrivateKey: key.privateKey,
    });
  };

  test.each<[string, number, string, MerchantSecret, boolean, RegExp]>([
    [
      'that did not arrive',
      400,
      html('No required SSL certificate was sent'),
      certifiedMerchant(),
      false,
      /^WeChat saw no client certificate$/,
    ],
    [
      'that expired',
      400,
      html('The SSL certificate error'),
      expired(),
      false,
      /^WeChat does not take the client certificate.*: it expired at 20/,
    ],
    [
      'that WeChat took back',
      400,
      html('The SSL certificate error'),
      certifiedMerchant(),
      false,
      /expired, was revoked or replaced, or is none of WeChat’s$/,
    ],
    [
      'of another merchant',
      200,
      '<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[certificate not match]]></return_msg></xml>',
      ofAnother(),
      true,
      /provider’s: it is that of merchant 1900000222, not of 1900000109 \(WeChat Pay answered certificate not match\)$/,
    ],
    [
      'that is not verified',
      200,
      '<xml><return_code>FAIL</return_code><return_msg>证书验证失败</return_msg></xml>',
      certifiedMerchant(),
      true,
      /\(WeChat Pay answered 证书验证失败\)$/,
    ],
  ])('%s waits for its owner', async (_, status, body, merchant, mayHaveReached, reason) => {
    const server = await answering(status, body);

    expect(await wechatPayAt([server.url], merchant).refund()).toMatchObject({
      kind: 'waiting',
      waitingFor: 'CONFIG',
      failure: { code: 'CONFIG_ERROR', message: expect.stringMatching(reason) },
      mayHaveReached,
      cause: {
        code: 'CONFIG_ERROR',
        parameters: {
          secret: 'merchant',
          field: expect.stringContaining('merchantCertificate'),
          consolePage: expect.stringContaining('商户API证书'),
        },
      },
    });
    expect(server.received).toHaveLength(1);
  });

  test.each<[string, number, string]>([
    ['a 400 of another kind', 400, html('Request Header Or Cookie Too Large')],
    ['the same words with another status', 502, html('No required SSL certificate was sent')],
    [
      'an answer that only speaks of certificates',
      200,
      '<xml><return_code>SUCCESS</return_code><return_msg>证书错误</return_msg></xml>',
    ],
  ])('is not %s', async (_, status, body) => {
    const server = await answering(status, body);

    expect(await wechatPayAt([server.url], certifiedMerchant()).refund()).toMatchObject({
      kind: 'unknown',
      mayHaveReached: true,
    });
  });

  test('after a host that was silent may have been carried out there', async () => {
    const mute = await started(serve(() => undefined, LOOPBACK_CERTIFICATE));
    const server = await answering(400, html('The SSL certificate error'));

    expect(await wechatPayAt([mute.url, server.url], certifiedMerchant()).refund()).toMatchObject({
      kind: 'waiting',
      waitingFor: 'CONFIG',
      mayHaveReached: true,
    });
  });

  const failing = (failure: Error) =>
    behindGate(
      async () => Promise.reject(failure),
      certifiedMerchant(),
      () => now,
    )({ method: 'GET', path: '/', timeoutMs: 1, repeatable: true });
  const alert = Object.assign(new Error('alert'), {
    code: 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED',
  });

  test('in the handshake was not carried out', async () => {
    const failure = new WechatPayTransportError('not-sent', 'refused', alert);

    const error = await failing(failure).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(NotCarriedOutError);
    expect(error).toMatchObject({
      code: 'CONFIG_ERROR',
      message: 'WeChat ended the TLS handshake because of the client certificate',
      cause: failure,
    });
  });

  test.each([
    new TypeError('odd'),
    new WechatPayTransportError('not-sent', 'no connection'),
    new WechatPayTransportError('unknown', 'another host was silent', alert),
  ])('is no other failure of the connection: %s', async (failure) => {
    await expect(failing(failure)).rejects.toBe(failure);
  });
});

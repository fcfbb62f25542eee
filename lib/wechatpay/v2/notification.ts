/** The payment notification (支付结果通知): verify first, then read; and how to answer it. */
import { WechatPayMalformedMessageError, WechatPaySignatureError } from '../../errors.ts';
import type { MerchantSecret } from '../../secrets.ts';
import type { Acknowledgement, Payment } from '../wechatpay.ts';
import type { V2Client } from './call.ts';
import { readPayment } from './payment.ts';
import { verifySign } from './sign.ts';
import { buildXml, parseXml } from './xml.ts';

/**
 * The payment that a notification reports, once its signature and merchant hold. A message
 * signed with one version of the merchant's keys must name that version's merchant.
 *
 * @throws {WechatPayMalformedMessageError | WechatPaySignatureError}
 */
export async function parsePaymentNotification(
  client: Pick<V2Client, 'merchant' | 'signType'>,
  body: Uint8Array,
): Promise<Payment> {
  const fields = parseXml(body);
  const signers: MerchantSecret[] = [];
  await verifySign(fields, keysOf(client, signers), client.signType);
  if (fields.get('return_code') !== 'SUCCESS' || fields.get('result_code') !== 'SUCCESS') {
    throw new WechatPayMalformedMessageError('the notification does not report a success');
  }
  const payment = readPayment(fields);
  if (payment.mchid !== signers.at(-1)?.mchid) {
    throw new WechatPaySignatureError('the notification is for another merchant (mch_id)');
  }
  return payment;
}

/** The keys to try; the last merchant in `signers` is the one whose key was tried last. */
async function* keysOf(
  client: Pick<V2Client, 'merchant'>,
  signers: MerchantSecret[],
): AsyncGenerator<string> {
  for await (const version of client.merchant.candidates()) {
    signers.push(version);
    yield version.apiV2Key;
  }
}

/**
 * WeChat takes a notification as received only for exactly this document; anything else makes it
 * repeat the message over the next 24 hours.
 */
export function acknowledge(failure?: { statusCode: number; code: string }): Acknowledgement {
  return {
    statusCode: failure?.statusCode ?? 200,
    contentType: 'text/xml; charset=utf-8',
    body: buildXml([
      ['return_code', failure ? 'FAIL' : 'SUCCESS'],
      ['return_msg', failure?.code ?? 'OK'],
    ]),
  };
}

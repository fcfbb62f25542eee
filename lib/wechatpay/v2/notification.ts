/** Notifications of payments (支付结果通知) and refunds (退款结果通知), and how to answer them. */
import { WechatPayMalformedMessageError, WechatPaySignatureError } from '../../errors.ts';
import type { PaymentEvidence } from '../../order/transition.ts';
import type { MerchantSecret } from '../../secrets/merchant.ts';
import type {
  Acknowledgement,
  Notification,
  NotificationFailure,
  Notifications,
  UnverifiedNotification,
} from '../operations.ts';
import type { V2Client } from './protocol/call.ts';
import { readPayment } from './payment.ts';
import { decryptRefund } from './refund-notice.ts';
import { verifySign } from './protocol/sign.ts';
import { buildXml, parseXml } from './protocol/xml.ts';

/** The notifications of API v2. */
export function openNotifications(client: Pick<V2Client, 'merchant' | 'signType'>): Notifications {
  return { parseNotification: (message) => parseNotification(client, message) };
}

/**
 * What a notification reports. A message made with one version of the merchant's keys must name
 * that version's merchant. A refund has `req_info`, encrypted, and no signature.
 *
 * @throws {WechatPayMalformedMessageError | WechatPaySignatureError}
 */
export async function parseNotification(
  client: Pick<V2Client, 'merchant' | 'signType'>,
  { body }: Pick<UnverifiedNotification, 'body'>,
): Promise<Notification> {
  const fields = parseXml(body);
  return fields.has('req_info')
    ? { kind: 'refund', refund: await decryptRefund(client.merchant, fields) }
    : { kind: 'payment', payment: await verifyPayment(client, fields) };
}

async function verifyPayment(
  client: Pick<V2Client, 'merchant' | 'signType'>,
  fields: ReadonlyMap<string, string>,
): Promise<PaymentEvidence> {
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
    if (version.apiV2Key === undefined) {
      continue;
    }
    signers.push(version);
    yield version.apiV2Key;
  }
}

/**
 * WeChat takes a notification as received only for exactly this document; anything else makes it
 * repeat the message over the next 24 hours.
 */
export function acknowledge(failure?: NotificationFailure): Acknowledgement {
  return {
    statusCode: failure?.statusCode ?? 200,
    contentType: 'text/xml; charset=utf-8',
    body: buildXml([
      ['return_code', failure ? 'FAIL' : 'SUCCESS'],
      ['return_msg', failure?.code ?? 'OK'],
    ]),
  };
}

/** Notifications of payments (支付结果通知) and refunds (退款结果通知), and how to answer them. */
import { WechatPayMalformedMessageError, WechatPaySignatureError } from '../../errors.ts';
import type { MerchantSecret } from '../../secrets/merchant.ts';
import type {
  Acknowledgement,
  Notification,
  NotificationFailure,
  Notifications,
  ParsedNotification,
  UnverifiedNotification,
} from '../operations.ts';
import type { V2Client } from './protocol/call.ts';
import { readPayment } from './payment.ts';
import { withNumbers } from '../notified-numbers.ts';
import { messageId } from '../verified-message.ts';
import { decryptRefund, readRefund } from './refund-notice.ts';
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
): Promise<ParsedNotification> {
  const fields = parseXml(body);
  const id = messageId(body);
  if (fields.has('req_info')) {
    const refund = await decryptRefund(client.merchant, fields);
    // What stands around `req_info` nobody has proved.
    const content = JSON.stringify({ req_info: Object.fromEntries(refund) });
    return { ...readRefundNotice(refund), message: { id, content } };
  }
  const notification = await verifyPayment(client, fields);
  return { ...notification, message: { id, content: contentOf(fields) } };
}

/** What says nothing of the payment: what proves the message, and what made it unlike others. */
const NOT_KEPT: ReadonlySet<string> = new Set(['sign', 'nonce_str']);

const contentOf = (fields: ReadonlyMap<string, string>): string =>
  JSON.stringify(Object.fromEntries([...fields].filter(([name]) => !NOT_KEPT.has(name))));

/**
 * What a message says that was verified when it came and kept.
 *
 * @throws {WechatPayMalformedMessageError} when it says nothing that this version understands.
 */
export function readNotification(content: string): Notification {
  const { req_info: refund, ...payment } = parseKept(content);
  return refund === undefined
    ? readPaymentNotice(new Map(Object.entries(payment)))
    : readRefundNotice(new Map(Object.entries(Object(refund))));
}

function parseKept(content: string): Record<string, string> {
  try {
    return Object(JSON.parse(content));
  } catch {
    throw new WechatPayMalformedMessageError('the kept message is not JSON');
  }
}

const readRefundNotice = (fields: ReadonlyMap<string, string>): Notification =>
  withNumbers({ kind: 'refund', refund: readRefund(fields) });

function readPaymentNotice(fields: ReadonlyMap<string, string>) {
  if (fields.get('return_code') !== 'SUCCESS' || fields.get('result_code') !== 'SUCCESS') {
    throw new WechatPayMalformedMessageError('the notification does not report a success');
  }
  return withNumbers({ kind: 'payment', payment: readPayment(fields) } as const);
}

async function verifyPayment(
  client: Pick<V2Client, 'merchant' | 'signType'>,
  fields: ReadonlyMap<string, string>,
) {
  const signers: MerchantSecret[] = [];
  await verifySign(fields, keysOf(client, signers), client.signType);
  const notification = readPaymentNotice(fields);
  if (notification.payment.mchid !== signers.at(-1)?.mchid) {
    throw new WechatPaySignatureError('the notification is for another merchant (mch_id)');
  }
  return notification;
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

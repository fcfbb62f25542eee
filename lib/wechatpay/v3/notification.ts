/** Notifications of payments (支付成功回调) and refunds (退款结果回调): verify, decrypt, read. */
import * as v from 'valibot';
import { WechatPayMalformedMessageError, WechatPaySignatureError } from '../../errors.ts';
import type {
  Acknowledgement,
  Notification,
  NotificationFailure,
  Notifications,
  ParsedNotification,
  RefundHint,
  UnverifiedNotification,
} from '../operations.ts';
import type { V3Client } from './protocol/call.ts';
import { withNumbers } from '../notified-numbers.ts';
import { messageId } from '../verified-message.ts';
import { decodeJson, parseJson } from './protocol/json.ts';
import { decryptWithAnyKey } from './protocol/merchant-keys.ts';
import { decryptResource, encryptedResource } from './protocol/resource.ts';
import { readEvidence, readRefund, readStatus } from './refund-fields.ts';
import { readMerchant, readPayment, readTransaction } from './transaction.ts';
import { verifySignature } from './protocol/verify.ts';

/** What is kept of the envelope besides. */
const noted = v.optional(v.unknown());

const envelope = v.object({
  id: noted,
  create_time: noted,
  event_type: v.string(),
  resource_type: noted,
  summary: noted,
  resource: encryptedResource,
});

/** The notifications of API v3. */
export function openNotifications(
  client: Pick<V3Client, 'merchant' | 'findKey' | 'nowMs'>,
): Notifications {
  return { parseNotification: (message) => parseNotification(client, message) };
}

/**
 * What a notification reports. A message encrypted with one version of the merchant's keys must
 * name that version's merchant.
 *
 * @throws {WechatPaySignatureError | WechatPayMalformedMessageError | ConfigError}
 */
export async function parseNotification(
  client: Pick<V3Client, 'merchant' | 'findKey' | 'nowMs'>,
  message: UnverifiedNotification,
): Promise<ParsedNotification> {
  await verifySignature(message, client.nowMs(), client.findKey);
  const { resource, ...said } = parseJson(message.body, envelope);
  const { content, secret } = await decryptWithAnyKey(client.merchant, (key) =>
    decryptResource(resource, key),
  );
  const json = decodeJson(content);
  const { notification, mchid } = readContent(said.event_type, json);
  if (mchid !== secret.mchid) {
    throw new WechatPaySignatureError('the notification is for another merchant (mchid)');
  }
  return {
    ...notification,
    message: {
      id: messageId(message.body, said.id),
      content: JSON.stringify({ ...said, resource: json }),
    },
  };
}

const kept = v.object({ event_type: v.string(), resource: v.unknown() });

/**
 * What a message says that was verified when it came and kept.
 *
 * @throws {WechatPayMalformedMessageError} when it says nothing that this version understands.
 */
export function readNotification(content: string): Notification {
  const { event_type: eventType, resource } = parseJson(Buffer.from(content), kept);
  return readContent(eventType, resource).notification;
}

interface Content {
  readonly notification: Notification;
  readonly mchid: string;
}

function readContent(eventType: string, json: unknown): Content {
  if (eventType === 'TRANSACTION.SUCCESS') {
    return readPaymentContent(json);
  }
  if (eventType.startsWith('REFUND.')) {
    return readRefundContent(json);
  }
  throw new WechatPayMalformedMessageError('the notification has an event_type of another product');
}

function readPaymentContent(json: unknown): Content {
  const transaction = readTransaction(json);
  if (transaction.trade_state !== 'SUCCESS') {
    throw new WechatPayMalformedMessageError('the notification does not report a success');
  }
  const { mchid } = readMerchant(transaction);
  const payment = readPayment(transaction);
  return { notification: withNumbers({ kind: 'payment', payment }), mchid };
}

/** Only an end is evidence: an old `ABNORMAL` may come again, newly signed, after it was mended. */
function readRefundContent(json: unknown): Content {
  const message = readRefund(json);
  const { total } = message.amount;
  const mchid = message.sp_mchid ?? message.mchid ?? '';
  const hint: RefundHint = {
    outTradeNo: message.out_trade_no,
    transactionId: message.transaction_id,
    outRefundNo: message.out_refund_no,
    refundId: message.refund_id,
    refundFen: message.amount.refund,
    status: readStatus(message.refund_status),
  };
  const isEnd = hint.status === 'SUCCESS' || hint.status === 'CLOSED';
  const evidence =
    isEnd && typeof total === 'number' ? readEvidence(message, { mchid }, total) : undefined;
  return { notification: withNumbers({ kind: 'refund', refund: hint, evidence }), mchid };
}

/** WeChat goes by the status: 200 means received, 4xx and 5xx make it repeat the message. */
export function acknowledge(failure?: NotificationFailure): Acknowledgement {
  return {
    statusCode: failure?.statusCode ?? 200,
    contentType: 'application/json; charset=utf-8',
    body: JSON.stringify(
      failure ? { code: 'FAIL', message: failure.code } : { code: 'SUCCESS', message: 'OK' },
    ),
  };
}

/**
 * The refund notification (退款结果通知), also for refunds that a person starts in the merchant
 * console, whatever API the order was made with. It has no signature: whoever holds the APIv2 key
 * could have written `req_info`, parts of old ones can be put together anew (AES-ECB), and nothing
 * in it has a date. So it is read strictly and believed in nothing but "look at this order".
 *
 * Source: pay.weixin.qq.com/doc/v2/partner/4011989265.
 */
import { createDecipheriv, createHash } from 'node:crypto';
import { WechatPayMalformedMessageError, WechatPaySignatureError } from '../../errors.ts';
import type { MerchantSecret } from '../../secrets/merchant.ts';
import type { VersionedSecret } from '../../secrets/versioned-secret.ts';
import type { RefundHint } from '../operations.ts';
import { requiredField } from './protocol/call.ts';
import { readFen } from './payment.ts';
import { STATUSES } from './refund-fields.ts';
import { parseXml } from './protocol/xml.ts';

const SOURCES: ReadonlyMap<string | undefined, RefundHint['source']> = new Map([
  ['API', 'API'],
  ['VENDOR_PLATFORM', 'CONSOLE'],
]);

/**
 * The fields of a refund notification, decrypted with the current key or an earlier one.
 *
 * @throws {WechatPaySignatureError} when no key decrypts it, or it is for another merchant.
 */
export async function decryptRefund(
  merchant: VersionedSecret<MerchantSecret>,
  fields: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, string>> {
  const encrypted = readBase64(requiredField(fields, 'req_info'));
  for await (const { apiV2Key, mchid } of merchant.candidates()) {
    const refund = apiV2Key === undefined ? undefined : decrypt(encrypted, apiV2Key);
    if (!refund) {
      continue;
    }
    if (fields.get('mch_id') !== mchid) {
      throw new WechatPaySignatureError('the notification is for another merchant (mch_id)');
    }
    return refund;
  }
  throw new WechatPaySignatureError('req_info decrypts with no APIv2 key version of the secret');
}

function readBase64(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length === 0 || bytes.length % 16 !== 0 || bytes.toString('base64') !== text) {
    throw new WechatPayMalformedMessageError('req_info is not base64 of whole AES blocks');
  }
  return bytes;
}

/** The fields inside; nothing when the padding or the XML shows that the key is another. */
function decrypt(encrypted: Buffer, apiV2Key: string): ReadonlyMap<string, string> | undefined {
  const key = createHash('md5').update(apiV2Key).digest('hex');
  const decipher = createDecipheriv('aes-256-ecb', key, null);
  try {
    return parseXml(Buffer.concat([decipher.update(encrypted), decipher.final()]));
  } catch {
    return undefined;
  }
}

/**
 * What it hints at.
 *
 * @throws {WechatPayMalformedMessageError} when what was decrypted is no refund.
 */
export function readRefund(fields: ReadonlyMap<string, string>): RefundHint {
  const status = STATUSES.get(requiredField(fields, 'refund_status'));
  if (!status) {
    throw new WechatPayMalformedMessageError('the refund has an unknown refund_status');
  }
  return {
    outTradeNo: requiredField(fields, 'out_trade_no'),
    transactionId: requiredField(fields, 'transaction_id'),
    outRefundNo: requiredField(fields, 'out_refund_no'),
    refundId: requiredField(fields, 'refund_id'),
    refundFen: readFen(requiredField(fields, 'refund_fee')),
    status,
    source: SOURCES.get(fields.get('refund_request_source')),
  };
}

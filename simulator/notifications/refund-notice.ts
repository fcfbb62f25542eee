/** What a refund's notification says (退款结果通知): encrypted XML of v2, or JSON of v3. */
import { createHash } from 'node:crypto';
import { Aes } from 'wechatpay-axios-plugin';
import { formatBeijingForPeople, formatRfc3339 } from '../book/clock.ts';
import type { Order } from '../book/orders.ts';
import { createUuid, randomText } from '../book/random.ts';
import { divideRefund } from '../book/refund-amounts.ts';
import type { Refund, RefundEnd } from '../book/refunds.ts';
import { STATUSES_IN_V2 } from '../v2/refund-fields.ts';
import { describeSubMerchant } from '../v2/trade-fields.ts';
import { type Fields, toXml } from '../v2/wire.ts';
import { describeNoticedRefund } from '../v3/refund-fields.ts';
import type { Notice, Parties, RefundNoticeV2 } from './notice.ts';

/** `refund` with the state that the notification is about. */
export function composeRefundNotice(
  parties: Parties,
  order: Order,
  refund: Refund,
  format: 'v2' | 'v3',
): Notice {
  return format === 'v3' ? composeV3(parties, order, refund) : composeV2(parties, order, refund);
}

function composeV2({ merchant, randomBytes }: Parties, order: Order, refund: Refund): Notice {
  const { settlementRefundFen, settlementTotalFen } = divideRefund(order, refund);
  return {
    kind: 'refund-v2',
    fields: {
      return_code: 'SUCCESS',
      appid: merchant.appid,
      mch_id: merchant.mchid,
      ...describeSubMerchant(order.terms),
      nonce_str: randomText(randomBytes, 32),
    },
    inner: {
      out_refund_no: refund.outRefundNo,
      out_trade_no: order.outTradeNo,
      refund_account: 'REFUND_SOURCE_UNSETTLED_FUNDS',
      refund_fee: refund.refundFen.toString(),
      refund_id: refund.refundId,
      refund_recv_accout: refund.receivedBy,
      refund_request_source: refund.api === 'console' ? 'VENDOR_PLATFORM' : 'API',
      refund_status: STATUSES_IN_V2[refund.status],
      settlement_refund_fee: settlementRefundFen.toString(),
      settlement_total_fee: settlementTotalFen.toString(),
      ...(refund.status === 'SUCCESS'
        ? { success_time: formatBeijingForPeople(refund.endedAtMs ?? 0) }
        : {}),
      total_fee: order.totalFen.toString(),
      transaction_id: order.transactionId ?? '',
    },
    apiV2Key: merchant.apiV2Key,
  };
}

const SUMMARIES: Readonly<Record<RefundEnd, string>> = {
  SUCCESS: '退款成功',
  CLOSED: '退款关闭',
  ABNORMAL: '退款异常',
};

function composeV3(parties: Parties, order: Order, refund: Refund): Notice {
  const status = refund.status as RefundEnd;
  return {
    kind: 'refund-v3',
    envelope: {
      id: createUuid(parties.randomBytes),
      create_time: formatRfc3339(refund.endedAtMs ?? 0),
      resource_type: 'encrypt-resource',
      event_type: `REFUND.${status}`,
      summary: SUMMARIES[status],
    },
    originalType: 'refund',
    resource: describeNoticedRefund(parties, order, refund),
    nonce: randomText(parties.randomBytes, 12),
    apiV3Key: parties.merchant.apiV3Key ?? '',
    namesPublicKey: refund.namesPublicKey,
  };
}

/** `req_info`: AES-256-ECB with PKCS#7 under the 32 lower-case hex digits of md5(API v2 key). */
export function encryptRefund({ inner, apiV2Key }: RefundNoticeV2): string {
  const key = createHash('md5').update(apiV2Key).digest('hex');
  // The plugin leaves whole blocks without padding, which PKCS#7 does not.
  return Aes.AesEcb.encrypt(padBlock(toRootXml(inner)), key);
}

const padBlock = (text: string) => Aes.pkcs7.padding(text, false) as unknown as string;

const toRootXml = (fields: Fields) =>
  toXml(fields, [])
    .replace(/^<xml>/, '<root>\n')
    .replace(/<\/xml>$/, '</root>');

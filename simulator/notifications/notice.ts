/** What a notification says, fixed when the thing happened: every attempt says the same. */
import { formatRfc3339 } from '../book/clock.ts';
import type { MerchantV2 } from '../book/credentials.ts';
import type { Order } from '../book/orders.ts';
import { createUuid, randomText } from '../book/random.ts';
import { describePayment, describeSubMerchant } from '../v2/trade-fields.ts';
import { describeTransaction } from '../v3/transaction.ts';
import type { Service } from '../host/service.ts';
import type { OpenNotification } from '../v3/resource.ts';
import type { SignType } from '../book/order-terms.ts';
import { type Fields, signFields } from '../v2/wire.ts';

/** XML with a signature. */
export interface PaymentNoticeV2 {
  readonly kind: 'payment-v2';
  readonly signType: SignType;
  readonly fields: Fields;
}

/** XML without a signature; `inner` is encrypted into `req_info`. */
export interface RefundNoticeV2 {
  readonly kind: 'refund-v2';
  readonly fields: Fields;
  readonly inner: Fields;
  readonly apiV2Key: string;
}

/** JSON; `resource` is encrypted, the headers carry the signature. */
export interface NoticeV3 extends OpenNotification {
  readonly kind: 'payment-v3' | 'refund-v3';
  /** As `Order.namesPublicKey`. */
  readonly namesPublicKey: boolean;
}

export type Notice = PaymentNoticeV2 | RefundNoticeV2 | NoticeV3;

/** Whose order it is, who paid, and a source of nonces. */
export type Parties = Pick<Service, 'merchant' | 'users' | 'randomBytes'>;

/** In the format of the version that the order was made with, with the keys of this moment. */
export function composePaymentNotice(parties: Parties, order: Order): Notice {
  return order.signType === 'RSA'
    ? composeV3(parties, order)
    : composeV2(parties, order, order.signType);
}

/** Names in byte order, no `sign_type`, signed like the order was. */
function composeV2(
  { merchant, users, randomBytes }: Parties,
  order: Order,
  signType: SignType,
): Notice {
  const { attach, deviceInfo } = order.terms;
  const fields: Fields = {
    appid: merchant.appid,
    mch_id: merchant.mchid,
    ...describeSubMerchant(order.terms),
    nonce_str: randomText(randomBytes, 32),
    return_code: 'SUCCESS',
    result_code: 'SUCCESS',
    ...(attach ? { attach } : {}),
    ...(deviceInfo ? { device_info: deviceInfo } : {}),
    ...describePayment(order, users),
  };
  return { kind: 'payment-v2', signType, fields: signNotice(fields, merchant.apiV2Key, signType) };
}

function signNotice(unsigned: Fields, key: string, signType: SignType): Fields {
  const { sign: _, ...fields } = unsigned;
  const sign = signFields(fields, key, signType);
  return Object.fromEntries(
    Object.entries({ ...fields, sign }).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function composeV3(parties: Parties, order: Order): Notice {
  return {
    kind: 'payment-v3',
    envelope: {
      id: createUuid(parties.randomBytes),
      create_time: formatRfc3339(order.paidAtMs ?? 0),
      resource_type: 'encrypt-resource',
      event_type: 'TRANSACTION.SUCCESS',
      summary: '支付成功',
    },
    originalType: 'transaction',
    resource: describeTransaction(parties, order),
    nonce: randomText(parties.randomBytes, 12),
    apiV3Key: parties.merchant.apiV3Key ?? '',
    namesPublicKey: order.namesPublicKey,
  };
}

/** The price of what was paid; undefined of a refund. */
export function readTotalFen(notice: Notice): number | undefined {
  switch (notice.kind) {
    case 'payment-v2':
      return Number(notice.fields['total_fee']);
    case 'payment-v3':
      return (notice.resource['amount'] as { total: number }).total;
    case 'refund-v2':
    case 'refund-v3':
      return undefined;
  }
}

/** The same message under the keys of now. */
export function renewKeys(notice: Notice, merchant: MerchantV2): Notice {
  switch (notice.kind) {
    case 'payment-v2': {
      const { fields, signType } = notice;
      return { ...notice, fields: signNotice(fields, merchant.apiV2Key, signType) };
    }
    case 'refund-v2':
      return { ...notice, apiV2Key: merchant.apiV2Key };
    case 'payment-v3':
    case 'refund-v3':
      return { ...notice, apiV3Key: merchant.apiV3Key ?? notice.apiV3Key };
  }
}

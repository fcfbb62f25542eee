/** The fields of a refund, in what is sent and in what WeChat answers. */
import { InvalidRequestError, WechatPayMalformedMessageError } from '../../errors.ts';
import type { SignType } from '../../order/stored-request.ts';
import type { Refund, RefundEvidence } from '../../refund/refund.ts';
import { refundNotificationUrl } from '../notification-path.ts';
import type { OrderReference } from '../operations.ts';
import type { FundsAccount, RefundOrder } from '../refund-results.ts';
import { partyFields } from './party-fields.ts';
import { readFen } from './payment.ts';
import { requiredField } from './protocol/call.ts';
import { fromBeijingTime } from './protocol/time.ts';

type Fields = ReadonlyMap<string, string>;

const REFUND_ACCOUNTS: Readonly<Record<FundsAccount, string>> = {
  AVAILABLE: 'REFUND_SOURCE_RECHARGE_FUNDS',
  UNSETTLED: 'REFUND_SOURCE_UNSETTLED_FUNDS',
};

/**
 * Everything of `/secapi/pay/refund` that a repeat must say again.
 *
 * @throws {InvalidRequestError} for goods, which only API v3 takes with a refund.
 */
export function refundFields(
  refund: RefundOrder,
  signType: SignType,
): Readonly<Record<string, string>> {
  if (refund.goods !== undefined) {
    throw new InvalidRequestError('INVALID_REQUEST', {
      field: 'goods',
      problem: 'the order was made with API v2, whose refunds take no goods',
    });
  }
  return {
    ...partyFields(refund),
    sign_type: signType,
    transaction_id: refund.transactionId,
    out_refund_no: refund.outRefundNo,
    total_fee: String(refund.totalFen),
    refund_fee: String(refund.refundFen),
    refund_fee_type: refund.currency,
    ...(refund.reason !== undefined && { refund_desc: refund.reason }),
    ...(refund.fundsAccount !== undefined && {
      refund_account: REFUND_ACCOUNTS[refund.fundsAccount],
    }),
    notify_url: refundNotificationUrl(refund.notifyBaseUrl, { ...refund, apiVersion: 'v2' }),
  };
}

/** What an answer leaves out of the order is what was asked about: genuine ones lack the total. */
type Asked = Pick<OrderReference, 'outTradeNo'> & Pick<Refund, 'transactionId' | 'totalFen'>;

function readOrder(fields: Fields, asked: Asked) {
  const totalFee = fields.get('total_fee');
  return {
    mchid: requiredField(fields, 'mch_id'),
    subMchid: fields.get('sub_mch_id') || undefined,
    outTradeNo: fields.get('out_trade_no') || asked.outTradeNo,
    transactionId: fields.get('transaction_id') || asked.transactionId,
    totalFen: totalFee ? readFen(totalFee) : asked.totalFen,
    currency: fields.get('fee_type') || 'CNY',
  };
}

/** A refund that WeChat has accepted, which is all that its answer means. */
export function readAccepted(fields: Fields, asked: Asked): RefundEvidence {
  return {
    ...readOrder(fields, asked),
    outRefundNo: requiredField(fields, 'out_refund_no'),
    refundId: requiredField(fields, 'refund_id'),
    refundFen: readFen(requiredField(fields, 'refund_fee')),
    status: 'PROCESSING',
  };
}

/** WeChat's `refund_status` in the words of v3. */
export const STATUSES: ReadonlyMap<string, RefundEvidence['status']> = new Map([
  ['SUCCESS', 'SUCCESS'],
  ['PROCESSING', 'PROCESSING'],
  ['REFUNDCLOSE', 'CLOSED'],
  ['CHANGE', 'ABNORMAL'],
]);

/** One page of `refundquery`. */
export interface RefundPage {
  readonly refunds: readonly RefundEvidence[];
  /** Of all pages. */
  readonly total: number;
}

/** @throws {WechatPayMalformedMessageError} when a field is missing or not of its form. */
export function readPage(fields: Fields, asked: Asked): RefundPage {
  const count = readFen(requiredField(fields, 'refund_count'));
  const order = readOrder(fields, asked);
  if (count > MAX_PAGE) {
    throw new WechatPayMalformedMessageError('a page has more refunds than there are fields');
  }
  return {
    refunds: Array.from({ length: count }, (_, n) => ({ ...order, ...readOne(fields, n) })),
    total: readFen(fields.get('total_refund_count') || String(count)),
  };
}

/** WeChat's pages have 10; an order has 50 refunds at most. */
const MAX_PAGE = 50;

function readOne(fields: Fields, n: number) {
  const status = STATUSES.get(requiredField(fields, `refund_status_${n}`));
  if (!status) {
    throw new WechatPayMalformedMessageError('a refund has an unknown refund_status');
  }
  return {
    outRefundNo: requiredField(fields, `out_refund_no_${n}`),
    refundId: requiredField(fields, `refund_id_${n}`),
    refundFen: readFen(requiredField(fields, `refund_fee_${n}`)),
    status,
    succeededAtEpochSeconds: readSuccessTime(fields.get(`refund_success_time_${n}`)),
    // WeChat's own spelling.
    userReceivedAccount: fields.get(`refund_recv_accout_${n}`) || undefined,
  };
}

/** `yyyy-MM-dd HH:mm:ss`. Nothing hangs on it: one that cannot be read is left out. */
function readSuccessTime(text: string | undefined): number | undefined {
  try {
    return fromBeijingTime((text ?? '').replaceAll(/[-: ]/g, ''));
  } catch {
    return undefined;
  }
}

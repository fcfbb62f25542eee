/** A refund in the words of API v3: what is sent, what is answered, and what is notified. */
import * as v from 'valibot';
import { WechatPayMalformedMessageError } from '../../errors.ts';
import type { StoredRequestOf } from '../../order/stored-request.ts';
import type { RefundEvidence, RefundGoods } from '../../refund/refund.ts';
import { refundNotificationUrl } from '../notification-path.ts';
import type { RefundOrder, RefundReference } from '../refund-results.ts';
import { readShape } from './protocol/json.ts';
import { fromRfc3339 } from './protocol/time.ts';
import { optionalText } from './transaction.ts';

export const REFUNDS_PATH = '/v3/refund/domestic/refunds';

/** The exact request; what is undefined here is left out, as WeChat wants it. */
export function buildRefundRequest(refund: RefundOrder): StoredRequestOf<'v3'> {
  const body = {
    sub_mchid: refund.subMchid,
    transaction_id: refund.transactionId,
    out_refund_no: refund.outRefundNo,
    reason: refund.reason,
    notify_url: refundNotificationUrl(refund.notifyBaseUrl, { ...refund, apiVersion: 'v3' }),
    funds_account: refund.fundsAccount,
    amount: { refund: refund.refundFen, total: refund.totalFen, currency: refund.currency },
    goods_detail: refund.goods?.map(goodsDetail),
  };
  return { apiVersion: 'v3', path: REFUNDS_PATH, body: JSON.stringify(body) };
}

const goodsDetail = (goods: RefundGoods) => ({
  merchant_goods_id: goods.merchantGoodsId,
  wechatpay_goods_id: goods.wechatpayGoodsId,
  goods_name: goods.goodsName,
  unit_price: goods.unitPriceFen,
  refund_amount: goods.refundFen,
  refund_quantity: goods.quantity,
});

const fen = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** In an answer the state is `status`, in a notification `refund_status`; answers name no merchant. */
const refund = v.object({
  mchid: optionalText,
  sp_mchid: optionalText,
  sub_mchid: optionalText,
  out_trade_no: v.string(),
  transaction_id: v.string(),
  out_refund_no: v.string(),
  refund_id: v.string(),
  status: optionalText,
  refund_status: optionalText,
  success_time: optionalText,
  create_time: optionalText,
  user_received_account: optionalText,
  amount: v.object({ refund: fen, total: v.nullish(fen), currency: optionalText }),
});

export type RefundMessage = v.InferOutput<typeof refund>;

/** @throws {WechatPayMalformedMessageError} when the JSON is not a refund. */
export function readRefund(json: unknown): RefundMessage {
  return readShape(json, refund);
}

const STATUSES = ['PROCESSING', 'SUCCESS', 'CLOSED', 'ABNORMAL'] as const;

/** @throws {WechatPayMalformedMessageError} for a state that there is not. */
export function readStatus(text: string | undefined): RefundEvidence['status'] {
  const status = STATUSES.find((known) => known === text);
  if (!status) {
    throw new WechatPayMalformedMessageError('the refund has an unknown status');
  }
  return status;
}

/** Whose a refund is; an answer is that of the merchant who asked, unless it names another. */
type Owner = Pick<RefundReference, 'mchid' | 'subMchid'>;

/** @throws {WechatPayMalformedMessageError} when a field is missing or not of its form. */
export function readEvidence(one: RefundMessage, owner: Owner, totalFen: number): RefundEvidence {
  return {
    mchid: one.sp_mchid ?? one.mchid ?? owner.mchid,
    subMchid: one.sub_mchid ?? owner.subMchid,
    outTradeNo: one.out_trade_no,
    transactionId: one.transaction_id,
    outRefundNo: one.out_refund_no,
    refundId: one.refund_id,
    refundFen: one.amount.refund,
    totalFen,
    currency: one.amount.currency ?? 'CNY',
    status: readStatus(one.status ?? one.refund_status),
    createdAtEpochSeconds: readTime(one.create_time),
    succeededAtEpochSeconds: readTime(one.success_time),
    userReceivedAccount: one.user_received_account,
  };
}

/** Nothing hangs on these times: one that cannot be read is left out. */
function readTime(text: string | undefined): number | undefined {
  try {
    return text === undefined ? undefined : fromRfc3339(text);
  } catch {
    return undefined;
  }
}

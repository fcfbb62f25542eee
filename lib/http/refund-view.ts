/** A refund as the merchant's systems see it. */
import type { Refund } from '../refund/refund.ts';
import { isoTime } from '../time.ts';

/** Times in ISO 8601, UTC; amounts in fen. Fields that do not apply are left out. */
export function presentRefund(refund: Refund): object {
  const { abnormalEnd } = refund;
  const at = (value: number | undefined) => (value === undefined ? undefined : isoTime(value));
  return defined({
    outTradeNo: refund.outTradeNo,
    outRefundNo: refund.outRefundNo,
    refundFen: refund.refundFen,
    status: refund.status,
    waitingFor: refund.waitingFor,
    failure: refund.failure,
    reason: refund.reason,
    goods: refund.goods,
    refundId: refund.refundId,
    createdAt: at(refund.createdAtEpochSeconds),
    acceptedAt: at(refund.acceptedAtEpochSeconds),
    succeededAt: at(refund.succeededAtEpochSeconds),
    userReceivedAccount: refund.userReceivedAccount,
    source: refund.source,
    // Where the money of an abnormal refund went instead: a SUCCESS may be the merchant's own card.
    abnormalEnd:
      abnormalEnd &&
      defined({
        to: abnormalEnd.to,
        note: abnormalEnd.note,
        decidedAt: at(abnormalEnd.decidedAtEpochSeconds),
      }),
  });
}

const defined = (fields: Readonly<Record<string, unknown>>): object =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

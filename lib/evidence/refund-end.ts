/** What a person decides about a refund whose money cannot reach the buyer (`ABNORMAL`). */
import { InvalidRequestError, OrderConflictError, RefundNotFoundError } from '../errors.ts';
import { digest } from '../order/order.ts';
import type { AbnormalEnd, Refund, RefundFailure } from '../refund/refund.ts';
import { digestOfKey } from '../refund/request.ts';
import { changeRefund } from '../table/refund-change.ts';
import { readRefund } from '../table/refunds.ts';
import type { RefundId } from '../table/schema.ts';
import type { WechatPayOf } from '../wechatpay/open.ts';
import type { AbnormalRefundTarget } from '../wechatpay/refund-results.ts';
import {
  logFields,
  readAgain,
  recordRefundEvidence,
  type RefundRecordContext,
} from './refund-record.ts';

export interface RefundEndContext extends RefundRecordContext {
  readonly wechatPay: WechatPayOf<'endAbnormal'>;
}

/** What is decided; `OTHERWISE` is paid outside of WeChat, and says how. */
export type RefundEnd =
  | AbnormalRefundTarget
  | { readonly kind: 'OTHERWISE'; readonly note: string };

const WECHAT_TIMEOUT_MS = 8_000;
/** WeChat may have taken a decision whose answer was lost: it is asked soon. */
const ASK_AFTER_SECONDS = 60;

/**
 * Decides about a refund, once per round: the same key and request again find the decision, and
 * send it again while WeChat has not taken it.
 *
 * @throws {RefundNotFoundError}
 * @throws {InvalidRequestError} `IDEMPOTENCY_KEY_REUSED`
 * @throws {OrderConflictError} `REFUND_NOT_ABNORMAL`, `REFUND_END_DECIDED` under another key,
 * `REFUND_END_NOT_OFFERED` by API v2, `REFUND_END_REFUSED` by WeChat: then nothing was decided.
 */
export async function endRefund(
  context: RefundEndContext,
  id: RefundId,
  end: RefundEnd,
  idempotencyKey: string,
): Promise<Refund> {
  const { table, nowMs } = context;
  const { refund } = await readRefund(table, id);
  if (!refund) {
    throw new RefundNotFoundError();
  }
  const keyDigest = digestOfKey(idempotencyKey);
  // With the key, which the row does not have: an account's number alone could be guessed from it.
  const fingerprint = digest([idempotencyKey, end]);
  const isRepeat = isDecidedBy(refund, keyDigest, fingerprint);
  if (refund.status !== 'ABNORMAL') {
    if (isRepeat) {
      return refund;
    }
    throw new OrderConflictError('REFUND_NOT_ABNORMAL', { status: refund.status });
  }
  if (end.kind !== 'OTHERWISE' && refund.apiVersion === 'v2') {
    throw new OrderConflictError('REFUND_END_NOT_OFFERED');
  }
  const nowEpochSeconds = Math.floor(nowMs() / 1000);
  const decided = isRepeat
    ? refund
    : await decide(context, refund, {
        to: end.kind,
        round: refund.round,
        note: end.kind === 'OTHERWISE' ? end.note : undefined,
        decidedAtEpochSeconds: nowEpochSeconds,
        keyDigest,
        fingerprint,
      });
  return end.kind === 'OTHERWISE' ? decided : send(context, decided, end);
}

/** Whether this very request decided about the refund. */
function isDecidedBy(
  { abnormalEnd, round, status }: Refund,
  keyDigest: string,
  fingerprint: string,
) {
  if (abnormalEnd?.keyDigest === keyDigest) {
    if (abnormalEnd.fingerprint !== fingerprint) {
      throw new InvalidRequestError('IDEMPOTENCY_KEY_REUSED', { outTradeNo: abnormalEnd.to });
    }
    return true;
  }
  if (status === 'ABNORMAL' && abnormalEnd?.round === round) {
    throw new OrderConflictError('REFUND_END_DECIDED');
  }
  return false;
}

/** Writes the decision before anything is done about it; `OTHERWISE` ends the alarm. */
async function decide(
  { table, log, nowMs }: RefundEndContext,
  refund: Refund,
  abnormalEnd: AbnormalEnd,
): Promise<Refund> {
  const { to, decidedAtEpochSeconds } = abnormalEnd;
  const nextCheckAtEpochSeconds =
    to === 'OTHERWISE' ? undefined : decidedAtEpochSeconds + ASK_AFTER_SECONDS;
  const after = { ...refund, abnormalEnd, nextCheckAtEpochSeconds };
  const written = await changeRefund(table, refund, after, { nowMs: nowMs() });
  if (written.change !== 'written') {
    throw new OrderConflictError('REFUND_END_DECIDED');
  }
  log.info('a person decided about a refund', { ...logFields(refund), to });
  return written.refund;
}

async function send(
  context: RefundEndContext,
  refund: Refund,
  end: AbnormalRefundTarget,
): Promise<Refund> {
  const { wechatPay, log } = context;
  // What WeChat has called abnormal has WeChat's number.
  const about = refund as Refund & { readonly refundId: string };
  const result = await wechatPay(refund).endAbnormal(about, end, { timeoutMs: WECHAT_TIMEOUT_MS });
  switch (result.kind) {
    case 'accepted':
      return (await recordRefundEvidence(context, refund, result.refund)).refund;
    case 'not-offered':
      return takeBack(context, refund, new OrderConflictError('REFUND_END_NOT_OFFERED'));
    case 'unknown':
      log.warn('nobody knows yet whether WeChat took a decision', logFields(refund));
      return refund;
    case 'refused':
    case 'waiting': {
      log.error('WeChat refused a decision about a refund', {
        ...logFields(refund),
        wechatCode: result.failure.code,
        wechatText: result.failure.message,
      });
      return result.mayHaveReached ? refund : takeBack(context, refund, refusal(result.failure));
    }
  }
}

const refusal = ({ code, message }: RefundFailure) =>
  new OrderConflictError('REFUND_END_REFUSED', { wechatCode: code, wechatText: message });

/** WeChat did nothing, so another decision may follow. */
async function takeBack(
  { table, nowMs }: RefundEndContext,
  refund: Refund,
  error: OrderConflictError,
): Promise<Refund> {
  const after = { ...refund, abnormalEnd: undefined };
  const { change } = await changeRefund(table, refund, after, { nowMs: nowMs() });
  if (change !== 'written') {
    return readAgain(table, refund);
  }
  throw error;
}

/** From what a caller asks for to a refund: reserved in the table, then sent to WeChat. */
import {
  InvalidRequestError,
  OrderConflictError,
  OrderNotFoundError,
  TemporarilyUnavailableError,
} from '../errors.ts';
import type { OrderId } from '../order/order-id.ts';
import type { Order } from '../order/order.ts';
import { assertRefundGoods } from '../refund/content.ts';
import type { Refund } from '../refund/refund.ts';
import {
  asSent,
  automaticRefundNumberFor,
  fingerprintOf,
  newRefund,
  type NewRefund,
  refundNumberFor,
  type RefundWish,
} from '../refund/request.ts';
import { assertMayRefund, refundableFenOf, refundFenOf } from '../refund/rules.ts';
import { readRefund, type RefundSituation, reserveRefund } from '../table/refunds.ts';
import type { WechatPayOf } from '../wechatpay/open.ts';
import { logFields } from './refund-record.ts';
import { ANSWER_SECONDS, planSend, type RefundSendContext, sendRefund } from './refund-send.ts';

export interface RefundRequestContext extends RefundSendContext {
  readonly wechatPay: WechatPayOf<'buildRefundRequest' | 'refund'>;
  /** Where WeChat sends notifications. */
  readonly notifyBaseUrl: string;
}

/** Who asks for a refund, and under which key; a wish without a number has one. */
export interface RefundCaller {
  readonly keyDigest: string | undefined;
  readonly requestedBy: string | undefined;
}

/** A refund, and whether this request made it. */
export interface RequestedRefund {
  readonly refund: Refund;
  readonly isNew: boolean;
}

const WECHAT_TIMEOUT_MS = 8_000;

/** Each time somebody else wrote one of the rows between the read and the transaction. */
const MAX_READS = 20;

/**
 * The refund that a request stands for: the one that its number or key made before, or a new one,
 * reserved and, if the order's turn is free, sent.
 *
 * @throws {OrderNotFoundError}
 * @throws {InvalidRequestError} `IDEMPOTENCY_KEY_REUSED`, `AMOUNT_INVALID`, `INVALID_REQUEST`
 * @throws {OrderConflictError} as `assertMayRefund` and `refundFenOf`, or `REFUND_NUMBER_TAKEN`.
 */
export async function requestRefund(
  context: RefundRequestContext,
  id: OrderId,
  wish: RefundWish,
  { keyDigest, requestedBy }: RefundCaller,
): Promise<RequestedRefund> {
  const { table, nowMs } = context;
  const fingerprint = fingerprintOf(wish);
  const outRefundNo = wish.outRefundNo ?? refundNumberFor(table.scope, id, String(keyDigest));
  return untilSettled(async () => {
    const situation = await readRefund(table, { ...id, outRefundNo }, keyDigest);
    // First of all: a repeat is answered whatever became of the order since.
    const earlier = earlierRefund(situation, wish, { id, fingerprint, outRefundNo });
    if (earlier) {
      return { refund: earlier, isNew: false };
    }
    const order = refundable(situation.order, Math.floor(nowMs() / 1000));
    const { reason, goods } = wish;
    const refundFen = refundFenOf(order, wish.refundFen);
    if (goods) {
      assertRefundGoods('goods', goods, refundFen);
    }
    const refund = newRefund(order, {
      outRefundNo,
      refundFen,
      reason,
      goods,
      fingerprint,
      requestedBy,
      source: 'API',
      nowMs: nowMs(),
    } satisfies NewRefund);
    // A key that is bound already stays with its refund: the number wins.
    const keyToBind = situation.keyFingerprint === undefined ? keyDigest : undefined;
    return reserveAndSend(context, { ...situation, order }, refund, keyToBind);
  });
}

/** The refund that the number or the key made before; nothing if there is none. */
function earlierRefund(
  { refund, keyFingerprint }: RefundSituation,
  wish: RefundWish,
  { id, fingerprint, outRefundNo }: { id: OrderId; fingerprint: string; outRefundNo: string },
): Refund | undefined {
  if (refund && refund.fingerprint === undefined) {
    throw new OrderConflictError('REFUND_NUMBER_TAKEN', { outRefundNo });
  }
  const used = refund?.fingerprint ?? (wish.outRefundNo === undefined ? keyFingerprint : undefined);
  if (used !== undefined && used !== fingerprint) {
    throw new InvalidRequestError('IDEMPOTENCY_KEY_REUSED', { outTradeNo: id.outTradeNo });
  }
  return refund;
}

/** An order of which something can be refunded, with the number of its payment. */
function refundable(order: Order | undefined, nowEpochSeconds: number) {
  if (!order) {
    throw new OrderNotFoundError();
  }
  assertMayRefund(order, nowEpochSeconds);
  const { transactionId } = order;
  if (transactionId === undefined) {
    throw new OrderConflictError('ORDER_NOT_PAID');
  }
  return { ...order, transactionId };
}

/** What a refund is reserved for; nothing when the rows changed meanwhile and are to be read again. */
async function reserveAndSend(
  context: RefundRequestContext,
  situation: RefundSituation & { readonly order: Order },
  unsent: Refund,
  keyDigest: string | undefined,
): Promise<RequestedRefund | undefined> {
  const { table, wechatPay, notifyBaseUrl, nowMs, log } = context;
  const nowEpochSeconds = Math.floor(nowMs() / 1000);
  const refundRequest = wechatPay(unsent).buildRefundRequest({ ...unsent, notifyBaseUrl });
  const before = { ...unsent, refundRequest };
  const plan = planSend(situation, nowEpochSeconds);
  const isSent = plan.kind === 'send';
  const row = isSent
    ? asSent(before, nowEpochSeconds, ANSWER_SECONDS)
    : {
        ...before,
        waitingFor: plan.waitingFor,
        nextCheckAtEpochSeconds: plan.untilEpochSeconds,
      };
  const turns = { nowEpochSeconds, order: isSent, probe: isSent && plan.isProbe };
  const outcome = await reserveRefund(table, row, turns, keyDigest);
  if (outcome === 'number-taken') {
    throw new OrderConflictError('REFUND_NUMBER_TAKEN', { outRefundNo: row.outRefundNo });
  }
  if (outcome === 'changed-meanwhile') {
    return undefined;
  }
  const { waitingFor } = row;
  log.info('refund reserved', { ...logFields(row), requestedBy: row.requestedBy, waitingFor });
  if (!isSent) {
    if (waitingFor === 'BALANCE') {
      log.count('RefundWaitsForBalance');
    }
    return { refund: row, isNew: true };
  }
  const attempt = { before, isDenied: false, isProbe: plan.isProbe };
  const options = { timeoutMs: WECHAT_TIMEOUT_MS };
  return { refund: await sendRefund(context, row, attempt, options), isNew: true };
}

async function untilSettled<T>(attempt: () => Promise<T | undefined>): Promise<T> {
  for (let reads = 0; reads < MAX_READS; reads += 1) {
    const settled = await attempt();
    if (settled !== undefined) {
      return settled;
    }
  }
  throw new TemporarilyUnavailableError(
    'the rows of an order changed at every attempt to refund it',
  );
}

/**
 * Gives back what is left of a payment for a closed order, once: its number derives from the order.
 * Nothing when nothing is left.
 */
export async function giveBack(
  context: RefundRequestContext,
  id: OrderId,
): Promise<Refund | undefined> {
  const { table, nowMs } = context;
  const outRefundNo = automaticRefundNumberFor(table.scope, id);
  const { refund } = await untilSettled(async () => {
    const situation = await readRefund(table, { ...id, outRefundNo });
    if (situation.refund) {
      return { refund: situation.refund };
    }
    if (situation.order && refundableFenOf(situation.order) === 0) {
      return { refund: undefined };
    }
    const order = refundable(situation.order, Math.floor(nowMs() / 1000));
    const unsent = newRefund(order, {
      outRefundNo,
      refundFen: refundFenOf(order, undefined),
      source: 'AUTOMATIC',
      nowMs: nowMs(),
    });
    return reserveAndSend(context, { ...situation, order }, unsent, undefined);
  });
  return refund;
}

/**
 * A message of WeChat's that was kept, read and decided about by the code of now. It was verified
 * when it came. What it leads to is a value first; recording it goes the way that every evidence
 * goes, so it can never undo a final state.
 */
import type { OrderId } from '../order/order-id.ts';
import type { ApiVersion } from '../order/parties.ts';
import { type Decision, decideTransition, type Mismatch } from '../order/transition.ts';
import { findRefundMismatch, type Refund, type RefundMismatch } from '../refund/refund.ts';
import { decideRefund } from '../refund/transition.ts';
import { readOrderFacts } from '../table/orders.ts';
import { readRefund } from '../table/refunds.ts';
import { readKeptNotification } from '../wechatpay/open.ts';
import type { Notification } from '../wechatpay/operations.ts';
import { RefundMismatchError } from '../wechatpay/refund-settlement.ts';
import { recordEvidence } from './record.ts';
import {
  confirmRefund,
  evidenceOfOrder,
  isToldAlready,
  queryRefund,
  type RefundNoticeContext,
  type RefundNotification,
} from './refund-notice.ts';

/** A message as the archive has it. */
export interface KeptNotification extends Pick<OrderId, 'merchantKey'> {
  readonly apiVersion: ApiVersion;
  /** The archive's `message`. */
  readonly content: string;
}

/** What a message would lead to now. Nothing has been written. */
export interface Redrive {
  readonly outTradeNo: string;
  /** Of a message about a refund. */
  readonly outRefundNo?: string | undefined;
  /** The state now of the row that would change: the refund's if it has one, else the order's. */
  readonly state: string | undefined;
  /** `unproved`: WeChat's own answer does not show the refund, and the message alone proves nothing. */
  readonly decision: Decision['kind'] | 'unproved';
  /** The state that it would have then. */
  readonly to?: string | undefined;
  readonly mismatch?: Mismatch | RefundMismatch | undefined;
  /** The order would be left due, so that reconcile asks about a refund that has no row. */
  readonly isLeftDue?: boolean | undefined;
}

/**
 * What a message would lead to now.
 *
 * @throws {WechatPayMalformedMessageError} when the code of now cannot read it.
 * @throws what asking WeChat throws, for a message about a refund that proves nothing by itself.
 */
export async function planRedrive(
  context: RefundNoticeContext,
  kept: KeptNotification,
): Promise<Redrive> {
  const notification = readKeptNotification(kept.apiVersion, kept.content);
  return notification.kind === 'payment'
    ? planPayment(context, kept, notification)
    : planRefund(context, kept, notification);
}

/**
 * Records what a message leads to now, whatever a plan has said: rows change in between.
 *
 * @returns what WeChat would be told by; of a refund that has a row it says no more than that it is
 * recorded, and the row says the rest.
 * @throws as `planRedrive` does.
 */
export async function applyRedrive(
  context: RefundNoticeContext,
  { merchantKey, apiVersion, content }: KeptNotification,
): Promise<Decision> {
  const notification = readKeptNotification(apiVersion, content);
  if (notification.kind === 'refund') {
    return confirmRefund(context, merchantKey, notification);
  }
  const { payment } = notification;
  const id = { merchantKey, outTradeNo: payment.outTradeNo };
  return recordEvidence(context, id, { kind: 'paid', refunded: false, payment });
}

async function planPayment(
  { table, nowMs }: RefundNoticeContext,
  { merchantKey }: KeptNotification,
  { payment }: Extract<Notification, { readonly kind: 'payment' }>,
): Promise<Redrive> {
  const { outTradeNo } = payment;
  const order = await readOrderFacts(table, { merchantKey, outTradeNo });
  const evidence = { kind: 'paid', refunded: false, payment } as const;
  const decision = decideTransition(order, evidence, Math.floor(nowMs() / 1000));
  return { outTradeNo, state: order?.tradeState, ...said(decision) };
}

/** A decision, without the rows that it was made of. */
function said(decision: Decision): Pick<Redrive, 'decision' | 'to' | 'mismatch'> {
  switch (decision.kind) {
    case 'apply':
      return { decision: 'apply', to: decision.to };
    case 'mismatch': {
      const { kind, ...mismatch } = decision;
      return { decision: kind, mismatch };
    }
    case 'duplicate':
    case 'stale':
    case 'unknown-order':
      return { decision: decision.kind };
  }
}

async function planRefund(
  context: RefundNoticeContext,
  { merchantKey }: KeptNotification,
  notification: RefundNotification,
): Promise<Redrive> {
  const { outTradeNo, outRefundNo, status } = notification.refund;
  const { table, nowMs } = context;
  const { order, refund } = await readRefund(table, { merchantKey, outTradeNo, outRefundNo });
  const about = { outTradeNo, outRefundNo, state: refund?.status ?? order?.tradeState };
  if (status === 'PROCESSING') {
    return { ...about, decision: 'duplicate' };
  }
  if (!order) {
    return { ...about, decision: 'unknown-order' };
  }
  if (refund) {
    return { ...about, ...(await planOurs(context, refund, notification)) };
  }
  if (isToldAlready(order, status)) {
    return { ...about, decision: 'duplicate', isLeftDue: true };
  }
  const evidence = await evidenceOfOrder(context, order, status);
  if (!evidence) {
    return { ...about, decision: 'unproved' };
  }
  const decision = said(decideTransition(order, evidence, Math.floor(nowMs() / 1000)));
  return { ...about, ...decision, isLeftDue: decision.decision !== 'mismatch' };
}

/** A refund that has a row. WeChat is asked where the message proves nothing. */
async function planOurs(
  context: RefundNoticeContext,
  refund: Refund,
  { evidence }: RefundNotification,
): Promise<Pick<Redrive, 'decision' | 'to' | 'mismatch'>> {
  const proof = evidence ?? (await tryQuery(context, refund));
  if (proof instanceof RefundMismatchError) {
    const { field, expected, observed } = proof;
    return { decision: 'mismatch', mismatch: { field, expected, observed } };
  }
  if (!proof) {
    return { decision: 'unproved' };
  }
  const nowEpochSeconds = Math.floor(context.nowMs() / 1000);
  const decision = decideRefund(refund, proof, { isCurrent: true, nowEpochSeconds });
  if (decision.kind === 'apply') {
    return { decision: 'apply', to: decision.refund.status };
  }
  return { decision: decision.kind, mismatch: findRefundMismatch(refund, proof) };
}

/** A contradiction is an outcome here, and is not kept: nothing is written for a plan. */
async function tryQuery(context: RefundNoticeContext, refund: Refund) {
  try {
    return await queryRefund(context, refund);
  } catch (error) {
    if (error instanceof RefundMismatchError) {
      return error;
    }
    throw error;
  }
}

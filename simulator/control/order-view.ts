/** One order of WeChat's book as the control API shows it. */
import type { Order } from '../book/orders.ts';
import type { Refund } from '../book/refunds.ts';
import { nameOfBuyer } from '../book/payer.ts';
import type { Wechat } from '../wechat.ts';

const toIso = (epochMs: number | null) =>
  epochMs === null ? null : new Date(epochMs).toISOString();

export const describeRefundForPeople = (refund: Refund) => ({
  outRefundNo: refund.outRefundNo,
  refundId: refund.refundId,
  outTradeNo: refund.outTradeNo,
  refundFen: refund.refundFen,
  status: refund.status,
  reason: refund.reason || null,
  api: refund.api,
  notifyUrl: refund.notifyUrl || null,
  userReceivedAccount: refund.receivedBy,
  createdAt: toIso(refund.createdAtMs),
  endedAt: toIso(refund.endedAtMs),
  request: refund.request,
});

/** Amounts in fen, times in ISO 8601 on WeChat's clock; `request` has the names of the wire. */
export function describeOrderForPeople(
  {
    orders,
    refunds,
    notifications,
    users,
  }: Pick<Wechat, 'orders' | 'refunds' | 'notifications' | 'users'>,
  order: Order,
) {
  const { terms, payerOpenid, outTradeNo } = order;
  const payer = payerOpenid ?? (terms.openid || null);
  return {
    outTradeNo,
    api: order.api,
    tradeState: order.tradeState,
    totalFen: order.totalFen,
    refundedFen: refunds.refundedFenOf(outTradeNo),
    openid: payer,
    user: (payerOpenid ? users.nameOf(payerOpenid) : nameOfBuyer(users, terms)) ?? null,
    ...(terms.subMchid
      ? {
          subMchid: terms.subMchid,
          subAppid: terms.subAppid || null,
          subOpenid: terms.subOpenid || null,
        }
      : {}),
    transactionId: order.transactionId,
    ...(order.paidAtMs === null ? {} : { payment: order.payment }),
    signType: order.signType,
    createdAt: toIso(order.createdAtMs),
    payableUntil: toIso(order.payUntilMs),
    paidAt: toIso(order.paidAtMs),
    closedAt: toIso(order.closedAtMs),
    request: order.request,
    prepayIds: orders.prepaysOf(outTradeNo).map(({ prepayId, expiresAtMs }) => ({
      prepayId,
      expiresAt: toIso(expiresAtMs),
    })),
    refunds: refunds.listOf(outTradeNo).map(describeRefundForPeople),
    notifications: notifications.listOf(outTradeNo).map(({ notification, attempts }) => ({
      id: notification.id,
      kind: notification.notice.kind,
      state: notification.state,
      notifyUrl: notification.notifyUrl,
      nextAttemptAt: toIso(notification.nextAtMs),
      attempts: attempts.map(({ atMs, ...attempt }) => ({ ...attempt, at: toIso(atMs) })),
    })),
  };
}

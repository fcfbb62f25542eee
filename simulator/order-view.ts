/** One order of WeChat's book as the control API shows it. */
import type { Order } from './orders.ts';
import type { Wechat } from './wechat.ts';

const toIso = (epochMs: number | null) =>
  epochMs === null ? null : new Date(epochMs).toISOString();

/** Amounts in fen, times in ISO 8601 on WeChat's clock; `request` has the names of the wire. */
export function describeOrderForPeople({ orders, notifications, users }: Wechat, order: Order) {
  const payer = order.payerOpenid ?? order.request['openid'] ?? null;
  return {
    outTradeNo: order.outTradeNo,
    tradeState: order.tradeState,
    totalFen: order.totalFen,
    openid: payer,
    user: payer === null ? null : (users.nameOf(payer) ?? null),
    transactionId: order.transactionId,
    signType: order.signType,
    createdAt: toIso(order.createdAtMs),
    payableUntil: toIso(order.payUntilMs),
    paidAt: toIso(order.paidAtMs),
    closedAt: toIso(order.closedAtMs),
    request: order.request,
    prepayIds: orders.prepaysOf(order.outTradeNo).map(({ prepayId, expiresAtMs }) => ({
      prepayId,
      expiresAt: toIso(expiresAtMs),
    })),
    notifications: notifications.listOf(order.outTradeNo).map(({ notification, attempts }) => ({
      id: notification.id,
      state: notification.state,
      notifyUrl: notification.notifyUrl,
      nextAttemptAt: toIso(notification.nextAtMs),
      attempts: attempts.map(({ atMs, ...attempt }) => ({ ...attempt, at: toIso(atMs) })),
    })),
  };
}

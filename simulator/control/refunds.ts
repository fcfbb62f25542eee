/** The part of the control API about refunds: by hand in the console, look, end. */
import type { Order } from '../book/orders.ts';
import { MAX_REFUNDS, readBalance } from '../book/refund-rules.ts';
import { REFUND_STATUSES, type Refund, type RefundStatus } from '../book/refunds.ts';
import { isPaid } from '../book/trade-state.ts';
import type { Wechat } from '../wechat.ts';
import { type Body, ControlError, isAddress, readNumber, readText } from './input.ts';
import { describeRefundForPeople } from './order-view.ts';
import { findOrder } from './orders.ts';

const REFUND_PATH = '/notify/v2/refund';

function findRefund({ refunds }: Wechat, outRefundNo: string): Refund {
  const refund = refunds.find(outRefundNo);
  if (!refund) {
    throw new ControlError(404, 'REFUND_NOT_FOUND', `WeChat has no refund ${outRefundNo}`);
  }
  return refund;
}

export const showRefund = (wechat: Wechat, _: Body, outRefundNo: string) =>
  describeRefundForPeople(findRefund(wechat, outRefundNo));

function readStatus({ status }: Body, possible: readonly RefundStatus[]): RefundStatus | undefined {
  const known = possible.find((one) => one === status);
  if (status !== undefined && known === undefined) {
    const rule = `"status" must be one of ${possible.join(', ')}`;
    throw new ControlError(400, 'INVALID_FIELD', rule);
  }
  return known;
}

/** Ends a refund so, at any time, also after another end; each time it is notified. */
export function endRefund(wechat: Wechat, body: Body, outRefundNo: string) {
  const refund = findRefund(wechat, outRefundNo);
  const status = readStatus(body, ['SUCCESS', 'CLOSED', 'ABNORMAL']);
  if (status === undefined || status === 'PROCESSING') {
    throw new ControlError(400, 'MISSING_FIELD', '"status" is needed: SUCCESS, CLOSED, ABNORMAL');
  }
  const order = findOrder(wechat, refund.outTradeNo);
  const restFen = order.totalFen - wechat.refunds.refundedFenOf(order.outTradeNo);
  if (refund.status === 'CLOSED' && status !== 'CLOSED' && refund.refundFen > restFen) {
    const text = `only ${restFen} fen of this order are left: others have taken what this one gave up`;
    throw new ControlError(409, 'REFUND_EXCEEDS_PAYMENT', text);
  }
  return describeRefundForPeople(wechat.refundDesk.end(order, refund, status));
}

/** What of an order can still be refunded by hand. */
function readRest(wechat: Wechat, order: Order): number {
  if (!isPaid(order)) {
    const state = `this order is ${order.tradeState}`;
    throw new ControlError(409, 'ORDER_NOT_PAID', `only what was paid is refunded; ${state}`);
  }
  const restFen = order.totalFen - wechat.refunds.refundedFenOf(order.outTradeNo);
  if (restFen === 0) {
    throw new ControlError(409, 'NOTHING_LEFT', 'all of this order is refunded already');
  }
  if (wechat.refunds.listOf(order.outTradeNo).length >= MAX_REFUNDS) {
    throw new ControlError(409, 'TOO_MANY_REFUNDS', `an order has at most ${MAX_REFUNDS} refunds`);
  }
  return restFen;
}

/** Somebody refunds in the merchant console; the rest of the money without `refundFen`. */
export function refundByHand(wechat: Wechat, body: Body, outTradeNo: string) {
  const order = findOrder(wechat, outTradeNo);
  const restFen = readRest(wechat, order);
  const isGood = (fen: number) => Number.isSafeInteger(fen) && fen >= 1 && fen <= restFen;
  const rule = `a whole number of fen from 1 to ${restFen}`;
  const refundFen = readNumber(body, 'refundFen', isGood, rule) ?? restFen;
  const status = readStatus(body, REFUND_STATUSES) ?? 'SUCCESS';
  const notifyUrl =
    readText(body, 'notifyUrl', isAddress, 'an http address') ??
    wechat.account.refundNotifyUrl() ??
    guessRefundUrl(order);
  const balanceFen = readBalance(wechat);
  if (balanceFen !== null && refundFen > balanceFen) {
    throw new ControlError(409, 'BALANCE_SHORT', `the balance is ${balanceFen} fen`);
  }
  const end = status === 'PROCESSING' ? undefined : status;
  const made = wechat.refundDesk.refundInConsole(order, refundFen, notifyUrl, end);
  const { refundId, outRefundNo, createdAtMs } = made;
  const refund = { refundId, outRefundNo, refundFen, createdAtMs, status: made.status };
  wechat.messages.add({
    from: 'merchant console',
    to: 'wechat',
    kind: 'refund-in-console',
    method: 'CALL',
    path: outTradeNo,
    request: { headers: {}, body: JSON.stringify({ refundFen, notifyUrl }) },
    response: { status: 200, headers: {}, body: JSON.stringify(refund) },
  });
  return { ...refund, refundedFen: wechat.refunds.refundedFenOf(outTradeNo), notifyUrl };
}

/** Beside the payment's notify_url: `…/notify/v2/refund`. */
function guessRefundUrl({ terms }: Order): string {
  const base = terms.notifyUrl.replace(/\/notify(\/.*)?$/, '');
  return base === terms.notifyUrl
    ? new URL(terms.notifyUrl).origin + REFUND_PATH
    : base + REFUND_PATH;
}

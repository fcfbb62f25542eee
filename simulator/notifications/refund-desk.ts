/** Accepts and ends refunds: what the book says and what is to be notified change together. */
import type { Order } from '../book/orders.ts';
import { PROCESSING_MS, type Refund, type RefundEnd } from '../book/refunds.ts';
import type { RefundDesk } from '../host/refund-desk.ts';
import type { Service } from '../host/service.ts';
import type { Notifier } from './notifier.ts';
import type { Notifications } from './queue.ts';
import { composeRefundNotice } from './refund-notice.ts';

type Till = Pick<
  Service,
  | 'account'
  | 'book'
  | 'clock'
  | 'merchant'
  | 'orders'
  | 'prices'
  | 'randomBytes'
  | 'refunds'
  | 'users'
> & {
  readonly notifications: Notifications;
  readonly notifier: Notifier;
};

/** An address, and in which format it is written to. */
interface Addressee {
  readonly notifyUrl: string;
  readonly format: 'v2' | 'v3';
}

export function createRefundDesk(till: Till): RefundDesk {
  const { account, book, clock, orders, prices, refunds, notifications, notifier } = till;

  /** The refund's own address, in the version of its request; the console's is written to in v2. */
  function findAddressee({ api, notifyUrl }: Refund): Addressee | undefined {
    if (notifyUrl) {
      return { notifyUrl, format: api === 'v3' ? 'v3' : 'v2' };
    }
    const set = account.refundNotifyUrl();
    return set === undefined ? undefined : { notifyUrl: set, format: 'v2' };
  }

  /** Says that `refund` came to `end` at that moment. */
  function announce(order: Order, refund: Refund, end: RefundEnd, atMs: number): Refund {
    if (refund.noticeId !== undefined) {
      notifications.withdraw(refund.noticeId);
    }
    const addressee = findAddressee(refund);
    if (!addressee) {
      return refund;
    }
    const ended = { ...refund, status: end, endedAtMs: atMs };
    const notice = composeRefundNotice(till, order, ended, addressee.format);
    const noticeId = notifications.schedule(order.outTradeNo, addressee.notifyUrl, notice, atMs);
    return refunds.note(refund.outRefundNo, { noticeId });
  }

  /** All or nothing; then whatever is due goes out. */
  function write(work: () => Refund): Refund {
    const refund = book.transaction(work);
    notifier.wake();
    return refund;
  }

  const begin = (order: Order, facts: Parameters<typeof refunds.begin>[0]) => {
    const end = prices.refundEnd(order.totalFen) ?? 'SUCCESS';
    orders.markRefunded(order.outTradeNo);
    return { refund: refunds.begin(facts, end), end };
  };

  return {
    accept: (order, application) =>
      write(() => {
        const { outTradeNo } = order;
        const beforeFen = refunds.refundedFenOf(outTradeNo);
        const facts = { ...application, ...BY_DEFAULT, outTradeNo, beforeFen };
        const { refund, end } = begin(order, facts);
        return announce(order, refund, end, refund.createdAtMs + PROCESSING_MS);
      }),
    refundInConsole: (order, refundFen, notifyUrl, end) =>
      write(() => {
        const { outTradeNo } = order;
        const beforeFen = refunds.refundedFenOf(outTradeNo);
        const by = { ...BY_CONSOLE, ...BY_DEFAULT, notifyUrl };
        const begun = begin(order, { ...by, outTradeNo, refundFen, beforeFen });
        const dueAtMs = begun.refund.createdAtMs + PROCESSING_MS;
        return end === undefined
          ? announce(order, begun.refund, begun.end, dueAtMs)
          : endNow(order, begun.refund, end);
      }),
    end: (order, refund, status) => write(() => endNow(order, refund, status)),
    reroute: (order, { outRefundNo }, { request, receivedBy, channel }) =>
      write(() => {
        refunds.note(outRefundNo, { rerouting: request, receivedBy, channel });
        const begun = refunds.beginAgain(outRefundNo);
        return announce(order, begun, 'SUCCESS', clock.now() + PROCESSING_MS);
      }),
  };

  function endNow(order: Order, { outRefundNo }: Refund, status: RefundEnd): Refund {
    return announce(order, refunds.end(outRefundNo, status), status, clock.now());
  }
}

const BY_DEFAULT = { receivedBy: '支付用户零钱', channel: 'ORIGINAL' } as const;
const BY_CONSOLE = { api: 'console', request: {}, reason: '', namesPublicKey: false } as const;

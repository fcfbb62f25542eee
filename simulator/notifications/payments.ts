/** What makes an order paid, and is notified. */
import type { Order } from '../book/orders.ts';
import type { PaymentWish } from '../book/payment.ts';
import type { Service } from '../host/service.ts';
import { composePaymentNotice } from './notice.ts';
import type { Notifier } from './notifier.ts';
import type { Notifications } from './queue.ts';

type Till = Pick<Service, 'merchant' | 'users' | 'book' | 'clock' | 'orders' | 'randomBytes'> & {
  readonly notifications: Notifications;
  readonly notifier: Notifier;
};

/** Takes the money: marks the order paid and puts its notification on the schedule, both or neither. */
export function takePayment(
  till: Till,
  outTradeNo: string,
  payer: string,
  wish: PaymentWish = {},
): Order | undefined {
  const { book, clock, orders, users, notifications, notifier } = till;
  const paid = book.transaction(() => {
    const order = orders.pay(outTradeNo, users.openidOf(payer), wish);
    if (order) {
      const { notifyUrl } = order.terms;
      notifications.schedule(
        order.outTradeNo,
        notifyUrl,
        composePaymentNotice(till, order),
        clock.now(),
      );
    }
    return order;
  });
  notifier.wake();
  return paid;
}

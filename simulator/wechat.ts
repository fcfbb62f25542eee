/** WeChat's side as one value: what every operation of the simulator works with. */
import { type Book, openBook } from './book.ts';
import { type Clock, createClock } from './clock.ts';
import type { MerchantV2 } from './credentials.ts';
import { createFaults, type Faults } from './faults.ts';
import { createMessages, type Messages } from './messages.ts';
import { createNotifications, type Notifications } from './notifications.ts';
import { createNotifier, type Notifier } from './notifier.ts';
import { createOrders, type Order, type Orders } from './orders.ts';
import { createUsers, type Users } from './users.ts';

export interface Wechat {
  readonly merchant: MerchantV2;
  readonly seed: string;
  readonly book: Book;
  readonly clock: Clock;
  readonly users: Users;
  readonly orders: Orders;
  readonly notifications: Notifications;
  readonly notifier: Notifier;
  readonly faults: Faults;
  readonly messages: Messages;
}

/** Opens the book and puts WeChat together. The notifier starts with the first `wake`. */
export function openWechat(merchant: MerchantV2, seed: string, dbPath?: string): Wechat {
  const book = openBook(dbPath);
  const owner = `${merchant.mchid} with ${merchant.appid}`;
  const earlierOwner = book.readMeta('owner') ?? owner;
  if (earlierOwner !== owner) {
    book.close();
    throw new Error(
      `${dbPath} is the book of merchant ${earlierOwner}, not of ${owner}: remove it, or give the old merchant file`,
    );
  }
  book.writeMeta('owner', owner);
  const clock = createClock(Number(book.readMeta('clock_offset_ms') ?? '0'), (offsetMs) =>
    book.writeMeta('clock_offset_ms', offsetMs.toString()),
  );
  const messages = createMessages(merchant, clock.now);
  const faults = createFaults(seed, clock);
  const notifications = createNotifications(book, merchant);
  return {
    merchant,
    seed,
    book,
    clock,
    users: createUsers(book, clock, merchant.appid),
    orders: createOrders(book, clock),
    notifications,
    notifier: createNotifier({ merchant, clock, faults, messages, notifications }),
    faults,
    messages,
  };
}

/** Takes the money: marks the order paid and puts its notification on the schedule, both or neither. */
export function takePayment(
  { book, clock, orders, notifications, notifier }: Wechat,
  outTradeNo: string,
  payerOpenid: string,
): Order | undefined {
  const paid = book.transaction(() => {
    const order = orders.pay(outTradeNo, payerOpenid);
    if (order) {
      notifications.schedule(order, clock.now());
    }
    return order;
  });
  notifier.wake();
  return paid;
}

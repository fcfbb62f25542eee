/** WeChat's side as one value: what every operation of the simulator works with. */
import { type Account, createAccount } from './book/account.ts';
import { type Book, openBook } from './book/book.ts';
import { type Clock, createClock } from './book/clock.ts';
import type { MerchantV2, WechatpayKeys } from './book/credentials.ts';
import { createFaults, type Faults } from './host/faults.ts';
import { createMessages, type Messages } from './host/messages.ts';
import { createNotifications, type Notifications } from './notifications/queue.ts';
import { createNotifier, type Notifier } from './notifications/notifier.ts';
import { composePaymentNotice, composeRefundNotice } from './notifications/notice.ts';
import { createOrders, type Order, type Orders, type Refund } from './book/orders.ts';
import { createUsers, type Users } from './book/users.ts';
import { createWechatKeys, type WechatKeys } from './book/wechat-keys.ts';

export interface Wechat {
  readonly account: Account;
  /** As it is now. */
  readonly merchant: MerchantV2;
  /** Absent: there are no keys for API v3. */
  readonly keys: WechatKeys | undefined;
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
export function openWechat(
  merchant: MerchantV2,
  wechatpayKeys: WechatpayKeys | undefined,
  seed: string,
  dbPath?: string,
): Wechat {
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
  const account = createAccount(book, merchant);
  const keys = closingOnFailure(book, () => createWechatKeys(book, merchant, wechatpayKeys, seed));
  const messages = createMessages(() => account.secrets(), clock.now);
  const faults = createFaults(seed, clock);
  const users = createUsers(book, clock, merchant.appid);
  const notifications = createNotifications(book);
  return {
    account,
    get merchant() {
      return account.current();
    },
    keys,
    seed,
    book,
    clock,
    users,
    orders: createOrders(book, clock),
    notifications,
    notifier: createNotifier({ account, keys, clock, faults, messages, notifications }),
    faults,
    messages,
  };
}

function closingOnFailure<T>(book: Book, work: () => T): T {
  try {
    return work();
  } catch (error) {
    book.close();
    throw error;
  }
}

/** Takes the money: marks the order paid and puts its notification on the schedule, both or neither. */
export function takePayment(wechat: Wechat, outTradeNo: string, payer: string): Order | undefined {
  const { book, clock, orders, users, notifications, notifier } = wechat;
  const paid = book.transaction(() => {
    const order = orders.pay(outTradeNo, users.openidOf(payer));
    if (order) {
      const { notifyUrl } = order.terms;
      notifications.schedule(
        order.outTradeNo,
        notifyUrl,
        composePaymentNotice(wechat, order),
        clock.now(),
      );
    }
    return order;
  });
  notifier.wake();
  return paid;
}

/** A refund by hand in the merchant console (商户平台): its notification is in v2 format, whatever the order was made with. */
export function refundInConsole(
  wechat: Wechat,
  order: Order,
  refundFen: number,
  notifyUrl: string,
): Refund {
  const { book, clock, orders, notifications, notifier } = wechat;
  const refund = book.transaction(() => {
    const made = orders.refund(order.outTradeNo, refundFen);
    const notice = composeRefundNotice(wechat, order, made);
    notifications.schedule(order.outTradeNo, notifyUrl, notice, clock.now());
    return made;
  });
  notifier.wake();
  return refund;
}

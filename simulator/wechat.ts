/** WeChat's side as one value: what every operation of the simulator works with. */
import { createAccount } from './book/account.ts';
import { createBills } from './book/bills.ts';
import { type Book, openBook } from './book/book.ts';
import { type CertifiedKey, createCertifiedKey } from './book/certificate.ts';
import { createClock } from './book/clock.ts';
import type { MerchantV2, WechatpayKeys } from './book/credentials.ts';
import { createFaults } from './host/faults.ts';
import type { Service } from './host/service.ts';
import { createWallClock } from './surroundings/wall-clock.ts';
import type { Surroundings } from './surroundings/surroundings.ts';
import { createPriceList } from './host/price-list.ts';
import { createMessages } from './host/messages.ts';
import { createNotifications, type Notifications } from './notifications/queue.ts';
import { createNotifier, type Notifier } from './notifications/notifier.ts';
import { createRefundDesk } from './notifications/refund-desk.ts';
import { createOrders } from './book/orders.ts';
import { createRefunds } from './book/refunds.ts';
import { createUsers } from './book/users.ts';
import { createWechatKeys, type VerificationMode } from './book/wechat-keys.ts';

export interface Wechat extends Service {
  readonly seed: string;
  readonly notifications: Notifications;
  readonly notifier: Notifier;
  /** A new key pair with its certificate. */
  readonly createKey: (commonName: string) => Promise<CertifiedKey>;
}

/** Opens the book and puts WeChat together. The notifier starts with the first `wake`. */
export function openWechat(
  merchant: MerchantV2,
  wechatpayKeys: WechatpayKeys | undefined,
  seed: string,
  surroundings: Surroundings,
  dbPath?: string,
  verification?: VerificationMode,
): Wechat {
  const { nowMs, randomBytes } = surroundings;
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
  const clock = createClock(nowMs, Number(book.readMeta('clock_offset_ms') ?? '0'), (offsetMs) =>
    book.writeMeta('clock_offset_ms', offsetMs.toString()),
  );
  const createKey = async (commonName: string) => createCertifiedKey(commonName, surroundings);
  const account = createAccount(book, merchant);
  const keys = closingOnFailure(book, () =>
    createWechatKeys(book, merchant, wechatpayKeys, seed, createKey, verification),
  );
  const messages = createMessages(
    () => account.secrets(),
    clock.now,
    createWallClock(surroundings),
  );
  const faults = createFaults(seed, clock);
  const prices = createPriceList(
    () => book.readMeta('price_list') !== 'off',
    (enabled) => book.writeMeta('price_list', enabled ? 'on' : 'off'),
  );
  const users = createUsers(book, clock, merchant.appid, randomBytes);
  const notifications = createNotifications(book);
  const orders = createOrders(book, clock, randomBytes);
  const refunds = createRefunds(book, clock);
  const shared = {
    account,
    get merchant() {
      return account.current();
    },
    keys,
    book,
    clock,
    users,
    orders,
    refunds,
    bills: createBills(book, clock, { orders, refunds, users, account }, randomBytes),
    faults,
    prices,
    messages,
    notifications,
    randomBytes,
  };
  const notifier = createNotifier(shared, surroundings);
  return {
    ...shared,
    get merchant() {
      return account.current();
    },
    seed,
    notifier,
    refundDesk: createRefundDesk(Object.assign(shared, { notifier })),
    createKey,
    devtools: { buyer: undefined },
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

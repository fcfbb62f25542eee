/** What WeChat's servers have at hand when they answer a merchant. */
import type { Account } from '../book/account.ts';
import type { Bills } from '../book/bills.ts';
import type { Book } from '../book/book.ts';
import type { Clock } from '../book/clock.ts';
import type { MerchantV2 } from '../book/credentials.ts';
import type { Orders } from '../book/orders.ts';
import type { Refunds } from '../book/refunds.ts';
import type { Users } from '../book/users.ts';
import type { WechatKeys } from '../book/wechat-keys.ts';
import type { RandomBytes } from '../surroundings/surroundings.ts';
import type { Faults } from './faults.ts';
import type { Messages } from './messages.ts';
import type { PriceList } from './price-list.ts';
import type { RefundDesk } from './refund-desk.ts';

export interface Service {
  readonly account: Account;
  /** As it is now: read it each time. */
  readonly merchant: MerchantV2;
  /** Absent: there are no keys for API v3. */
  readonly keys: WechatKeys | undefined;
  readonly book: Book;
  readonly clock: Clock;
  readonly users: Users;
  readonly orders: Orders;
  readonly refunds: Refunds;
  readonly bills: Bills;
  readonly refundDesk: RefundDesk;
  readonly faults: Faults;
  readonly prices: PriceList;
  readonly messages: Messages;
  readonly randomBytes: RandomBytes;
  /** Who logs in with a code that the simulator did not issue; undefined: nobody. */
  readonly devtools: { buyer: string | undefined };
}

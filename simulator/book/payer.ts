/** Who may pay, and pays, an order: the same person under the merchant's appid and under a sub-merchant's. */
import type { OrderTerms } from './order-terms.ts';
import type { Order } from './orders.ts';
import type { Users } from './users.ts';

/** The buyer whom the order names; undefined when it names nobody (NATIVE). */
export function nameOfBuyer(users: Users, terms: OrderTerms): string | undefined {
  return terms.subOpenid
    ? users.nameOfSubOpenid(terms.subOpenid, terms.subAppid)
    : users.nameOf(terms.openid);
}

/** The openids of who paid; `subOpenid` is empty without a sub_appid. */
export function readPayer(users: Users, { payerOpenid, terms }: Order) {
  const openid = payerOpenid ?? '';
  const name = users.nameOf(openid);
  const subOpenid =
    terms.subAppid && name !== undefined ? users.subOpenidOf(name, terms.subAppid) : '';
  return { openid, subOpenid };
}

/** Where refunds are accepted and ended: the book is written and what is to be notified goes on the schedule. */
import type { OrderRequest } from '../book/order-terms.ts';
import type { Order } from '../book/orders.ts';
import type { Refund, RefundEnd } from '../book/refunds.ts';

/** A request that WeChat has found good. */
export interface RefundApplication {
  readonly api: 'v2' | 'v3';
  readonly request: OrderRequest;
  readonly outRefundNo: string;
  readonly refundFen: number;
  readonly reason: string;
  /** Empty: the console's setting, whose format is v2, or nobody is told. */
  readonly notifyUrl: string;
  readonly namesPublicKey: boolean;
}

/** Where the money of an `ABNORMAL` refund goes instead. */
export interface Rerouting {
  readonly request: OrderRequest;
  readonly receivedBy: string;
  readonly channel: Refund['channel'];
}

export interface RefundDesk {
  /** `PROCESSING`; it ends and is notified 3 s later. */
  accept(order: Order, application: RefundApplication): Refund;
  /** A refund by hand in the merchant console (商户平台), always notified in v2 format. `end` absent: like any other. */
  refundInConsole(order: Order, refundFen: number, notifyUrl: string, end?: RefundEnd): Refund;
  /** Ends it so, whatever it was, and notifies at once. */
  end(order: Order, refund: Refund, status: RefundEnd): Refund;
  /** An `ABNORMAL` one goes another way: `PROCESSING` again. */
  reroute(order: Order, refund: Refund, rerouting: Rerouting): Refund;
}

/** What is known of one order, and whether it goes to the warehouse. Pure: no clock, no network. */

/** What EventBridge gives to a function, as far as it is used here. */
export interface PaymentEvent {
  readonly 'detail-type': string;
  readonly detail: {
    readonly eventId: string;
    readonly sequence: number;
    readonly outTradeNo: string;
    readonly attach?: string;
    readonly tradeState?: string;
    readonly kind?: string;
    readonly items?: readonly Item[];
    readonly outRefundNo?: string;
    readonly status?: string;
  };
}

interface Item {
  readonly sku: string;
  readonly quantity: number;
  readonly kind: string;
}

/** What the warehouse is given: what to pack, under the number to ask about. */
export interface Job {
  /** The event that paid the order. */
  readonly eventId: string;
  readonly outTradeNo: string;
  /** Your own text on the order: who gets it, and where. */
  readonly attach?: string | undefined;
  /** The lines to pack; absent: the order has no lines, and `attach` says what it is. */
  readonly items?: readonly Pick<Item, 'sku' | 'quantity'>[] | undefined;
}

/** What is known of a refund: the news with the largest `sequence`. */
interface RefundNews {
  readonly sequence: number;
  /** It ended without money moving. */
  readonly isOver: boolean;
}

/** One order. Events only ever add to it, so it is the same in whatever order they come. */
export interface Order {
  readonly outTradeNo: string;
  /** Once it is paid in time and there is something to pack. */
  readonly payable?: Job | undefined;
  /** The money came after the order was closed: a person decides. */
  readonly isPaidAfterClose?: boolean | undefined;
  readonly refunds?: Readonly<Record<string, RefundNews>> | undefined;
  /** What the warehouse was given. Once it is there it never changes. */
  readonly job?: Job | undefined;
  /** A refund came after that: the warehouse must not send it. It stays so; a person decides. */
  readonly isRecalled?: true | undefined;
}

/**
 * The order with one more event, handed over if that makes it ready. An event that is known already
 * gives the order as it was.
 */
export function takeIn(order: Order, event: PaymentEvent): Order {
  const known = { ...order, ...newsOf(order, event) };
  const isRefunding = Object.values(known.refunds ?? {}).some(({ isOver }) => !isOver);
  if (known.job) {
    return isRefunding ? { ...known, isRecalled: true } : known;
  }
  const isReady = known.payable && !known.isPaidAfterClose && !isRefunding;
  return isReady ? { ...known, job: known.payable } : known;
}

/** What an event says that the order may not know yet. */
function newsOf({ refunds }: Order, event: PaymentEvent): Partial<Order> {
  const { detail } = event;
  switch (event['detail-type']) {
    case 'Order Paid':
      return { payable: jobOf(event) };
    case 'Payment After Close':
      return { isPaidAfterClose: true };
    case 'Refund Requested':
    case 'Refund Succeeded':
    case 'Refund Failed': {
      const { outRefundNo = '', sequence } = detail;
      // `ABNORMAL` is not over: its money is still to reach the buyer.
      const news = { sequence, isOver: detail.status === 'CLOSED' };
      const isNew = sequence > (refunds?.[outRefundNo]?.sequence ?? Number.NEGATIVE_INFINITY);
      return isNew ? { refunds: { ...refunds, [outRefundNo]: news } } : {};
    }
    default:
      return {};
  }
}

/** Nothing for an order that was given back already, or has nothing to pack. */
function jobOf({ detail }: PaymentEvent): Job | undefined {
  const { eventId, outTradeNo, attach, tradeState, kind, items } = detail;
  if (tradeState !== 'SUCCESS' || kind !== 'physical') {
    return undefined;
  }
  // A cart of both kinds is `physical`: its services are not packed.
  const packed = items
    ?.filter((item) => item.kind === 'physical')
    .map(({ sku, quantity }) => ({ sku, quantity }));
  return { eventId, outTradeNo, attach, items: packed };
}

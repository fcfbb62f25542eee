/** How urgent open work is. Pure. */
import { isOpen, type Order } from './order.ts';

/**
 * `asked`: somebody asked about the order, or gave it up, since reconcile last looked;
 * `first`: an order that reconcile never asked about; `refund`: a refund, or an order with refunds
 * to be found or made; `later`: every further question about an order, and its close.
 */
export type WorkClass = 'asked' | 'first' | 'refund' | 'later';

/** The most urgent first. */
export const WORK_CLASSES = ['asked', 'first', 'refund', 'later'] as const satisfies WorkClass[];

/**
 * Nobody can tell a paid order whose notification was lost from an abandoned one without asking, so
 * no first question waits behind another order's later ones.
 */
export function workClassOf(
  order: Pick<Order, 'tradeState' | 'checks' | 'isAskedAbout'>,
): WorkClass {
  if (!isOpen(order)) {
    return 'refund';
  }
  if (order.isAskedAbout) {
    return 'asked';
  }
  return order.checks === 0 ? 'first' : 'later';
}

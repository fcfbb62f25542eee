/** What a change of an order's state is told as. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { PaymentAfterClose } from '../order/order.ts';
import type { Decision } from '../order/transition.ts';
import { texts } from './attributes.ts';
import { fact } from './facts.ts';

/**
 * The facts of a transition. A payment for a closed order is no `PAID`: nobody must ship by it what
 * may be given back. A refund of a paid order is told by the refund's own row.
 */
export function factsOfTransition(
  { from, to, paidAfterClose }: Extract<Decision, { kind: 'apply' }>,
  nowEpochSeconds: number,
  paymentAfterClose: PaymentAfterClose,
): AttributeValue[] {
  if (to === 'CLOSED') {
    return [fact('CLOSED', nowEpochSeconds)];
  }
  if (from === 'SUCCESS') {
    return [];
  }
  return [
    paidAfterClose
      ? fact('PAID_AFTER_CLOSE', nowEpochSeconds, texts({ tradeState: to, paymentAfterClose }))
      : fact('PAID', nowEpochSeconds, texts({ tradeState: to })),
  ];
}

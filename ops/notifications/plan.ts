/** What a message of WeChat's would lead to, in words. */
import type { Redrive } from '../../lib/evidence/redrive.ts';
import type { Texts } from '../texts/en.ts';

/** Whether no person has to look into it. */
export const isInOrder = ({ decision }: Redrive): boolean =>
  decision === 'apply' || decision === 'duplicate' || decision === 'stale';

/** A sentence, and another where an order is left for reconcile. */
export function describePlan(plan: Redrive, say: Texts): readonly string[] {
  return [describeDecision(plan, say), ...(plan.isLeftDue ? [say.planLeftDue] : [])];
}

function describeDecision(plan: Redrive, say: Texts): string {
  const { decision, outTradeNo, state = say.noRow, to = '' } = plan;
  const name = nameOf(plan, say);
  switch (decision) {
    case 'apply':
      return say.planApply(name, state, to);
    case 'duplicate':
      return say.planDuplicate(name, state);
    case 'stale':
      return say.planStale(name, state);
    case 'mismatch':
      return describeMismatch(plan, name, say);
    case 'unknown-order':
      return say.planUnknownOrder(outTradeNo);
    case 'unproved':
      return say.planUnproved(name);
  }
}

/** Who paid is personal: a wrong payer is named by the field alone. */
function describeMismatch({ mismatch }: Redrive, name: string, say: Texts): string {
  const { field = '', expected = '', observed = '' } = mismatch ?? {};
  return field === 'openid'
    ? say.planMismatch(name, field)
    : say.planMismatchOf(name, field, String(expected), String(observed));
}

/** What became of it, by a plan made after it was recorded. */
export function describeOutcome(before: Redrive, after: Redrive, say: Texts): readonly string[] {
  return before.decision === 'apply' && after.decision === 'duplicate'
    ? [say.applied(nameOf(after, say), after.state ?? say.noRow)]
    : describePlan(after, say);
}

const nameOf = ({ outTradeNo, outRefundNo }: Redrive, say: Texts) =>
  outRefundNo === undefined ? say.nameOrder(outTradeNo) : say.nameRefund(outRefundNo);

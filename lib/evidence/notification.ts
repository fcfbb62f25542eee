/** A message from WeChat, with what was made of it. */
import type { Decision } from '../order/transition.ts';
import type { CarriedNotification, ReceivedNotification } from '../table/notification-attribute.ts';
import { failureOf } from '../wechatpay/notification-failure.ts';

/**
 * The message as the write carries it that a decision led to; nothing where there was none.
 *
 * @param answer status of what WeChat is told, where it is not what the decision says.
 */
export function carriedBy(
  notification: ReceivedNotification | undefined,
  decision: Pick<Decision, 'kind'> & { readonly from?: string; readonly to?: string },
  answer = failureOf(decision)?.statusCode ?? 200,
): CarriedNotification | undefined {
  const { kind, from, to } = decision;
  return notification && { ...notification, decision: kind, from, to, answer };
}

/** A message from WeChat, with what was made of it. */
import type { Decision } from '../order/transition.ts';
import type { CarriedNotification, ReceivedNotification } from '../table/notification-attribute.ts';
import { failureOf } from '../wechatpay/notification-failure.ts';

/** The message as the write carries it that a decision led to; nothing where there was none. */
export function carriedBy(
  notification: ReceivedNotification | undefined,
  decision: Pick<Decision, 'kind'> & { readonly from?: string; readonly to?: string },
): CarriedNotification | undefined {
  const { kind, from, to } = decision;
  const answer = failureOf(decision)?.statusCode ?? 200;
  return notification && { ...notification, decision: kind, from, to, answer };
}

/**
 * Addresses that WeChat sends notifications to. A v3 message does not name its merchant in clear,
 * so the path does, and with the version: who verifies must know both before reading anything.
 *
 * | path below the base URL | what comes there |
 * |---|---|
 * | `/notify/v2/payment`, `/notify/v2/refund`, `/notify/v3` | messages to the first merchant |
 * | `/notify/{merchantKey}/v2/payment`, … | to another one; see `OrderId` |
 */
import { FIRST_MERCHANT, type OrderId } from '../order/order-id.ts';
import type { ApiVersion } from '../order/parties.ts';

/** Whose a notification is, and in which format it comes and is answered. */
export interface NotificationRoute extends Pick<OrderId, 'merchantKey'> {
  readonly apiVersion: ApiVersion;
}

const PAYMENT_PATHS = { v2: 'v2/payment', v3: 'v3' } as const satisfies Record<ApiVersion, string>;

/** The `notify_url` of an order: WeChat keeps it with the order and reports its payment there. */
export function paymentNotificationUrl(
  baseUrl: string,
  { merchantKey, apiVersion }: NotificationRoute,
): string {
  return notificationUrl(baseUrl, merchantKey, PAYMENT_PATHS[apiVersion]);
}

const REFUND_PATHS = { v2: 'v2/refund', v3: 'v3' } as const satisfies Record<ApiVersion, string>;

/** The `notify_url` of a refund: WeChat keeps it with the refund and reports its end there. */
export function refundNotificationUrl(
  baseUrl: string,
  { merchantKey, apiVersion }: NotificationRoute,
): string {
  return notificationUrl(baseUrl, merchantKey, REFUND_PATHS[apiVersion]);
}

function notificationUrl(baseUrl: string, merchantKey: string, path: string): string {
  const merchant = merchantKey === FIRST_MERCHANT ? '' : `/${merchantKey}`;
  return `${baseUrl}/notify${merchant}/${path}`;
}

/** Its end, because a stage or a mapping may come first; `notify` itself is nobody's key. */
const PATH =
  /(?:^|\/)notify(?:\/(?!notify\/)([a-z0-9]{3,16}))?\/(?:(v2)\/(?:payment|refund)|(v3))$/;

/** What the path of a request says; nothing for a path that is none of the above. */
export function parseNotificationPath(path: string): NotificationRoute | undefined {
  const match = PATH.exec(path);
  return match
    ? { merchantKey: match[1] ?? FIRST_MERCHANT, apiVersion: match[2] ? 'v2' : 'v3' }
    : undefined;
}

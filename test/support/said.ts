/** What a notification says, without the message that may be kept of it. */
import type { Notification, ParsedNotification } from '../../lib/wechatpay/operations.ts';

export async function said(parsed: Promise<ParsedNotification>): Promise<Notification> {
  const { message: _, ...notification } = await parsed;
  return notification;
}

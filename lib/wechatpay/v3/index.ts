/** WeChat Pay API v3 (JSON, RSA, AES-256-GCM) behind the operations of `operations.ts`. */
import type { WechatPay } from '../operations.ts';
import type { StartTimer } from '../newer-keys.ts';
import { fetchCertificates } from './protocol/certificates.ts';
import { currentPublicKey, findPublicKey } from './protocol/merchant-keys.ts';
import { openNotifications } from './notification.ts';
import { openOrders } from './orders.ts';
import { openPlatformCertificates } from './protocol/platform-certificates.ts';
import { openRefunds, type V3RefundClient } from './refunds.ts';
import type { V3Connection } from './protocol/send.ts';

export { acknowledge, readNotification } from './notification.ts';

/**
 * Verification keys are chosen by each message's `Wechatpay-Serial`: WeChat Pay's public key from
 * the secret, or a platform certificate. Both hold at once, because WeChat moves a merchant from
 * the one to the other message by message, over a week.
 */
export function openV3Client(
  connection: V3Connection & { readonly startTimer: StartTimer },
): V3RefundClient {
  const certificates = openPlatformCertificates(
    () => fetchCertificates(connection),
    connection.nowMs,
  );
  return {
    ...connection,
    findKey: (serial) =>
      serial.startsWith('PUB_KEY_ID_')
        ? findPublicKey(connection.merchant, serial)
        : certificates.find(serial),
    findEncryptionKey: async () =>
      (await currentPublicKey(connection.merchant)) ?? certificates.findNewest(),
  };
}

/** The operations of API v3 but for its bills. */
export function openWechatPayV3(
  connection: V3Connection & { readonly startTimer: StartTimer },
): WechatPay {
  const client = openV3Client(connection);
  return { ...openOrders(client), ...openRefunds(client), ...openNotifications(client) };
}

/** A notification of API v3: JSON whose `resource` is encrypted with the API v3 key. */
import { Aes } from 'wechatpay-axios-plugin';

/** Before the encryption. */
export interface OpenNotification {
  readonly envelope: {
    readonly id: string;
    readonly create_time: string;
    readonly resource_type: string;
    readonly event_type: string;
    readonly summary: string;
  };
  readonly originalType: string;
  readonly resource: Record<string, unknown>;
  /** 12 characters. */
  readonly nonce: string;
  readonly apiV3Key: string;
}

/** The body that is sent. */
export function encryptResource(notification: OpenNotification): string {
  const { originalType, nonce, apiV3Key } = notification;
  const plaintext = JSON.stringify(notification.resource);
  return JSON.stringify({
    ...notification.envelope,
    resource: {
      original_type: originalType,
      algorithm: 'AEAD_AES_256_GCM',
      ciphertext: Aes.AesGcm.encrypt(plaintext, apiV3Key, nonce, originalType),
      associated_data: originalType,
      nonce,
    },
  });
}

/** A message from WeChat, carried by the write that it led to, so that keeping it costs no other. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { ApiVersion } from '../order/parties.ts';
import { number, text, texts } from './attributes.ts';

/** A message that was verified (v2 refunds: decrypted), as it is kept. */
export interface ReceivedNotification {
  /** v3: WeChat's own; v2 has none, there it is a digest of the body. */
  readonly id: string;
  readonly receivedAtMs: number;
  readonly apiVersion: ApiVersion;
  readonly kind: 'payment' | 'refund';
  /** JSON of what was verified, without signature, nonces and keys. */
  readonly content: string;
}

/** The same with what was made of it and what WeChat was told. */
export interface CarriedNotification extends ReceivedNotification {
  /** The kind of the decision. */
  readonly decision: string;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Status of the answer. */
  readonly answer: number;
}

/** A message is about 1 KB. One that would crowd the row out is named and not kept: money goes first. */
const MAX_CONTENT_BYTES = 32_768;

/** The attribute `notification`. A row keeps the last one; the stream hands each to the archive. */
export function notificationToValue(carried: CarriedNotification): AttributeValue {
  const { id, apiVersion, kind, content, decision, from, to, answer } = carried;
  const receivedAt = new Date(carried.receivedAtMs).toISOString();
  const bytes = Buffer.byteLength(content);
  return {
    M: {
      ...texts({ key: `${receivedAt}#${id}`, id, receivedAt, apiVersion, kind, decision }),
      ...(from !== undefined && { from: text(from) }),
      ...(to !== undefined && { to: text(to) }),
      answer: number(answer),
      ...(bytes > MAX_CONTENT_BYTES ? { messageBytes: number(bytes) } : { message: text(content) }),
    },
  };
}

/** The part of an update that carries a message, if there is one. */
export const carry = (notification: CarriedNotification | undefined) =>
  notification
    ? {
        sets: ['notification = :notification'],
        values: { ':notification': notificationToValue(notification) },
      }
    : { sets: [], values: {} };

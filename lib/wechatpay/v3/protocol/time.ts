/** Times of API v3: RFC 3339 with an offset, written in Beijing time (UTC+8, no daylight saving). */
import { WechatPayMalformedMessageError } from '../../../errors.ts';

const BEIJING_OFFSET_SECONDS = 8 * 3600;

/** `2018-06-08T10:34:56+08:00`. */
export function toRfc3339(epochSeconds: number): string {
  const shifted = new Date((epochSeconds + BEIJING_OFFSET_SECONDS) * 1000);
  return `${shifted.toISOString().slice(0, 19)}+08:00`;
}

/** Epoch seconds. @throws {WechatPayMalformedMessageError} when the text is not a time of that form. */
export function fromRfc3339(text: string): number {
  const isRfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(text);
  const epochMs = Date.parse(text);
  if (!isRfc3339 || Number.isNaN(epochMs)) {
    throw new WechatPayMalformedMessageError('a time is not RFC 3339');
  }
  return Math.floor(epochMs / 1000);
}

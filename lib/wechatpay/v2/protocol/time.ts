/** WeChat's `yyyyMMddHHmmss`, always Beijing time (UTC+8, no daylight saving). */
import { WechatPayMalformedMessageError } from '../../../errors.ts';

const BEIJING_OFFSET_SECONDS = 8 * 3600;

/** `20091225091010` for 2009-12-25 09:10:10 in Beijing. */
export function toBeijingTime(epochSeconds: number): string {
  const shifted = new Date((epochSeconds + BEIJING_OFFSET_SECONDS) * 1000);
  return shifted.toISOString().slice(0, 19).replace(/\D/g, '');
}

/** @throws {WechatPayMalformedMessageError} when the text is not a time of that form. */
export function fromBeijingTime(text: string): number {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(text);
  const [, year, month, day, hour, minute, second] = parts ?? [];
  const epochMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}+08:00`);
  // `Date` rolls 31 February over to March; writing it back shows that.
  if (Number.isNaN(epochMs) || toBeijingTime(epochMs / 1000) !== text) {
    throw new WechatPayMalformedMessageError('a time is not yyyyMMddHHmmss');
  }
  return epochMs / 1000;
}

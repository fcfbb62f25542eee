/** Texts from random bytes. */
import type { RandomBytes } from '../surroundings/surroundings.ts';

const LETTERS_AND_DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Each character of the alphabet (at most 256) is as likely as any other. */
export function randomText(
  randomBytes: RandomBytes,
  length: number,
  alphabet = LETTERS_AND_DIGITS,
): string {
  const fair = 256 - (256 % alphabet.length);
  let text = '';
  while (text.length < length) {
    for (const byte of randomBytes(length - text.length)) {
      text += byte < fair ? alphabet.charAt(byte % alphabet.length) : '';
    }
  }
  return text;
}

/** A UUID of version 4. */
export function createUuid(randomBytes: RandomBytes): string {
  const bytes = randomBytes(16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

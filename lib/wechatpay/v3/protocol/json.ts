/** JSON of verified messages. */
import * as v from 'valibot';
import { WechatPayMalformedMessageError } from '../../../errors.ts';

/**
 * Reads a message of a known shape; fields beyond it are allowed, because WeChat adds some.
 *
 * @throws {WechatPayMalformedMessageError} naming the field and nothing of the content.
 */
export function parseJson<T>(bytes: Uint8Array, schema: v.GenericSchema<unknown, T>): T {
  return readShape(decodeJson(bytes), schema);
}

/** @throws {WechatPayMalformedMessageError} when the bytes are not JSON in UTF-8. */
export function decodeJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    // The parser's own message quotes the content.
    throw new WechatPayMalformedMessageError('the message is not JSON in UTF-8');
  }
}

/** The JSON of a message that need not be any; nothing when it is none. */
export function tryJson(bytes: Uint8Array): unknown {
  try {
    return decodeJson(bytes);
  } catch {
    return undefined;
  }
}

/** @throws {WechatPayMalformedMessageError} naming the field that is missing or of another type. */
export function readShape<T>(json: unknown, schema: v.GenericSchema<unknown, T>): T {
  const result = v.safeParse(schema, json);
  if (result.success) {
    return result.output;
  }
  const field = v.getDotPath(result.issues[0]) ?? '(the whole)';
  throw new WechatPayMalformedMessageError(`the message has no usable ${field}`);
}

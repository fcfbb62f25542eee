/** Reads what a control call brings, and refuses it with a stable code. */
import type { Request } from '../host/http.ts';

export type Body = Record<string, unknown>;

/** A control call that cannot be done; the texts are for the developer. */
export class ControlError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = 'ControlError';
    this.status = status;
    this.code = code;
  }
}

export function parseBody({ body, tooLarge }: Request): Body {
  if (tooLarge) {
    throw new ControlError(413, 'BODY_TOO_LARGE', 'the body is larger than 64 kB');
  }
  if (body.length === 0) {
    return {};
  }
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    throw new ControlError(400, 'INVALID_JSON', 'the body is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ControlError(400, 'INVALID_JSON', 'the body is not a JSON object');
  }
  return value as Body;
}

/** A misspelt field would be lost without a word. */
export function refuseUnknownFields(body: Body, known: readonly string[]): void {
  const unknown = Object.keys(body).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const list = known.length === 0 ? 'there are none here' : `there are ${known.join(', ')}`;
    throw new ControlError(400, 'UNKNOWN_FIELD', `no field "${unknown}": ${list}`);
  }
}

export function readUser(body: Body): string {
  const { user } = body;
  if (typeof user !== 'string' || user.trim() === '' || user.length > 64) {
    throw new ControlError(400, 'INVALID_FIELD', '"user" must be a name of 1 to 64 characters');
  }
  return user;
}

export function readNumber(
  body: Body,
  name: string,
  isGood: (value: number) => boolean,
  rule: string,
) {
  const value = body[name];
  if (value === undefined) {
    return undefined;
  }
  if (typeof value !== 'number' || !isGood(value)) {
    throw new ControlError(400, 'INVALID_FIELD', `"${name}" must be ${rule}`);
  }
  return value;
}

export function readText(
  body: Body,
  name: string,
  isGood: (value: string) => boolean,
  rule: string,
) {
  const value = body[name];
  if (value === undefined) {
    return undefined;
  }
  if (typeof value !== 'string' || !isGood(value)) {
    throw new ControlError(400, 'INVALID_FIELD', `"${name}" must be ${rule}`);
  }
  return value;
}

export const isAddress = (text: string) => /^https?:\/\/[^\s]+$/.test(text) && URL.canParse(text);

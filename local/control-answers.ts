/** Answers that every command under `/_local/` gives. */
import { type HttpAnswer, jsonAnswer } from './aws/http-result.ts';

export function refuse(statusCode: number, code: string, message: string): HttpAnswer {
  return jsonAnswer(statusCode, { error: { code, message } });
}

export function refuseMethod(allowed: string): HttpAnswer {
  return refuse(405, 'METHOD_NOT_ALLOWED', `use ${allowed}`);
}

export const refuseInvalidJson = (what: string): HttpAnswer =>
  refuse(400, 'INVALID_JSON', `${what} is not valid JSON`);

/** Undefined when it is no JSON. */
export function parseJson(body: Buffer): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(body.toString('utf8')) as unknown };
  } catch {
    return undefined;
  }
}

/** The number of `?after=`, 0 without one; undefined when it is no id. */
export function readAfter(rawQueryString: string): number | undefined {
  const after = Number(new URLSearchParams(rawQueryString).get('after') ?? '0');
  return Number.isSafeInteger(after) && after >= 0 ? after : undefined;
}

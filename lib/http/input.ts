/** What a caller sends: headers, body, fields; read, checked, and refused by name. */
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import * as v from 'valibot';
import { type ErrorParameters, InvalidRequestError } from '../errors.ts';
import type { Problem } from './problem-texts.ts';

const MAX_BODY_BYTES = 32 * 1024;

/**
 * The body of a request as JSON.
 *
 * @throws {InvalidRequestError} `BODY_TOO_LARGE` or `INVALID_JSON`.
 */
export function readJson(event: APIGatewayProxyEventV2): unknown {
  const bytes = readBody(event);
  if (bytes.length > MAX_BODY_BYTES) {
    throw new InvalidRequestError('BODY_TOO_LARGE', { maxBytes: MAX_BODY_BYTES });
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    // The parser's own message quotes the body.
    throw new InvalidRequestError('INVALID_JSON');
  }
}

/** The body's exact bytes; API Gateway hands over as base64 what it does not take for text. */
export function readBody(event: Pick<APIGatewayProxyEventV2, 'body' | 'isBase64Encoded'>): Buffer {
  return Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
}

/** A request header by its lower-case name, whatever case the sender used. */
export function header(event: APIGatewayProxyEventV2, name: string): string | undefined {
  const headers = event.headers ?? {};
  const found = headers[name] ?? headers[keyOf(headers, name)];
  return found?.trim() || undefined;
}

function keyOf(headers: APIGatewayProxyEventV2['headers'], name: string): string {
  return Object.keys(headers).find((key) => key.toLowerCase() === name) ?? name;
}

/** @throws {InvalidRequestError} for what is no JSON object. */
export function assertObject(body: unknown): asserts body is object {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) {
    return;
  }
  throw invalidField('body', { problem: 'the body must be a JSON object' });
}

/** @throws {InvalidRequestError} for the first thing that does not fit; never quotes a value. */
export function parse<T>(schema: v.GenericSchema<unknown, T>, body: unknown): T {
  assertObject(body);
  const result = v.safeParse(schema, body);
  if (result.success) {
    return result.output;
  }
  const [issue] = result.issues;
  throw invalidField(fieldPath(issue), problemOf(issue));
}

interface FieldProblem {
  readonly problem: Problem;
  readonly max?: number;
}

/** The refusal of one field; the name of the field is the caller's own. */
export const invalidField = (field: string, problem: FieldProblem) =>
  new InvalidRequestError('INVALID_REQUEST', { field, ...problem } satisfies ErrorParameters);

/**
 * `items[0].quantity`. The names are the caller's own words, so it is cut: an answer is no place to
 * store 30 kB.
 */
export function fieldPath(issue: v.BaseIssue<unknown>): string {
  const path = (issue.path ?? []).map(({ key }) =>
    typeof key === 'number' ? `[${key}]` : `.${String(key)}`,
  );
  return path.join('').replace(/^\./, '').slice(0, 64);
}

function problemOf(issue: v.BaseIssue<unknown>): FieldProblem {
  if (issue.expected === 'never') {
    return { problem: 'unknown field' };
  }
  if (issue.received === 'undefined') {
    return { problem: 'missing' };
  }
  const isList = Array.isArray(issue.input);
  switch (issue.type) {
    case 'string':
      return { problem: 'expected a string' };
    case 'array':
      return { problem: 'expected a list' };
    case 'strict_object':
      return { problem: 'expected an object' };
    case 'min_length':
      return { problem: isList ? 'at least 1 item' : 'empty' };
    case 'max_length': {
      const max = Number(issue.requirement);
      return { problem: isList ? 'at most {max} items' : 'longer than {max} characters', max };
    }
    case 'regex':
      return { problem: 'expected 1 to 64 characters without control characters' };
    default:
      return { problem: 'not one of the allowed values' };
  }
}

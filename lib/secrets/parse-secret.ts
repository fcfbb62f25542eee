/** From a secret's text to its fields. What is wrong is named, and nothing is ever quoted. */
import * as v from 'valibot';
import { ConfigError } from '../errors.ts';

/** What a secret's text has to be, and what it is read as. */
export type SecretSchema<T> = v.GenericSchema<unknown, T>;

/** For each field the form that is wanted, in a few words. */
export type WantedForms = Readonly<Record<string, string>>;

/**
 * @throws {ConfigError} naming every field that is missing or malformed, its fault and the form
 * that is wanted. The text of a parse error can quote the secret, so it never becomes a cause.
 */
export function parseSecret<T>(
  secretId: string,
  text: string,
  schema: SecretSchema<T>,
  wanted: WantedForms,
): T {
  const refuse = (reason: string, fields?: string) =>
    new ConfigError(`the secret ${secretId} ${reason}`, undefined, {
      secret: secretId,
      ...(fields !== undefined && { field: fields }),
    });
  const json = parseJson(text);
  if ('fault' in json) {
    throw refuse(json.fault);
  }
  const parsed = v.safeParse(schema, json.value);
  if (parsed.success) {
    return parsed.output;
  }
  const faults = new Map(
    parsed.issues.map((issue) => [nameOf(issue), faultOf(issue, json.value)] as const),
  );
  const names = [...faults.keys()].join(', ');
  const details = [...faults].map(
    ([name, fault]) => `${name} ${fault}${wanted[name] ? `; wanted: ${wanted[name]}` : ''}`,
  );
  throw refuse(`has a missing or malformed field: ${names} (${details.join('. ')})`, names);
}

const nameOf = (issue: v.BaseIssue<unknown>) => String(v.getDotPath(issue));

function faultOf(issue: v.BaseIssue<unknown>, whole: unknown): string {
  if (issue.received === 'undefined') {
    return isSpeltOtherwise(nameOf(issue), whole)
      ? 'is there under another spelling: capitals and _ count'
      : 'is missing';
  }
  return issue.type === 'string'
    ? `is ${kindOf(issue.input)}, not a text in quotes`
    : issue.message;
}

/** `apiv2key`, `api_v2_key`. The name is not repeated: a key may stand where a name belongs. */
function isSpeltOtherwise(name: string, whole: unknown): boolean {
  const bare = (text: string) => text.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  return Object.keys(Object(whole)).some((key) => bare(key) === bare(name));
}

type ParsedJson = { readonly value: unknown } | { readonly fault: string };

function parseJson(text: string): ParsedJson {
  if (text.trim() === '') {
    return { fault: 'is not JSON: it is empty, or bytes in place of a text' };
  }
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? { value } : { fault: wrongKind(value) };
  } catch {
    return { fault: `is not JSON: ${syntaxFault(text)}` };
  }
}

function wrongKind(value: unknown): string {
  const fault = `is ${kindOf(value)} where an object belongs: {"name": "value", …}`;
  return typeof value === 'string' ? `${fault}; the object is not put in quotes itself` : fault;
}

function kindOf(value: unknown): string {
  if (value === null) {
    return 'null';
  }
  if (Array.isArray(value)) {
    return 'a list';
  }
  switch (typeof value) {
    case 'object':
      return 'an object';
    case 'string':
      return 'a text';
    default:
      return `a ${typeof value}`;
  }
}

/** Where it went wrong, and of the usual mistakes the one that it looks like. */
function syntaxFault(text: string): string {
  if (text.startsWith('\ufeff')) {
    return 'it begins with a byte-order mark';
  }
  const position = wrongAt(text);
  const before = text.slice(0, position);
  const line = before.split('\n').length;
  const column = position - before.lastIndexOf('\n');
  return `${usualMistake(before, text.slice(position))} (line ${line}, column ${column})`;
}

/** The first character that JSON cannot go on with. The parser names none for most faults. */
function wrongAt(text: string): number {
  let [good, bad] = [0, text.length + 1];
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (isBeginning(text.slice(0, middle))) {
      good = middle;
    } else {
      bad = middle;
    }
  }
  return good;
}

/** Whether a text is JSON, or could still become it. */
function isBeginning(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    const { message } = error as Error;
    const position = /at position (\d+)/.exec(message)?.[1];
    return /end of JSON|Unterminated/.test(message) || position === String(text.length);
  }
}

function usualMistake(before: string, rest: string): string {
  if (rest === '') {
    return 'it ends too early';
  }
  if (/^[\n\r\t]/.test(rest)) {
    return 'a line break inside a text, where \\n belongs';
  }
  if (/^[“”‘’'＂＇]/.test(rest)) {
    return 'quotes that are not plain double quotes';
  }
  if (/^[，：；]/.test(rest)) {
    return 'a full-width sign';
  }
  if (/,\s*$/.test(before) && /^\s*[}\]]/.test(rest)) {
    return 'a comma after the last field';
  }
  if (before.trim() === '') {
    return 'it does not begin with {';
  }
  return 'something else than JSON allows';
}

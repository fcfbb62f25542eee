/** Values as DynamoDB attributes, and back. Times are ISO 8601 in UTC, so people can read a row. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { UnreadableRowError } from '../errors.ts';
import { isoTime } from '../time.ts';
import type { RowKey } from './schema.ts';

export type Item = Record<string, AttributeValue>;

export const text = (value: string): AttributeValue => ({ S: value });
export const number = (value: number): AttributeValue => ({ N: String(value) });
export const time = (epochSeconds: number): AttributeValue => ({ S: isoTime(epochSeconds) });

/** Several texts, each under its name. */
export function texts(values: Readonly<Record<string, string>>): Item {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, text(value)]));
}

/** The key attributes of a row. */
export const keyOf = ({ PK, SK }: RowKey) => texts({ PK, SK });

/** An attribute is not there or not of its form. Names it, never its value. */
export class AttributeError extends TypeError {
  readonly attribute: string;

  constructor(attribute: string, problem: string) {
    super(problem);
    this.attribute = attribute;
  }
}

/**
 * What is read of the row of an order.
 *
 * @throws {UnreadableRowError} for an attribute that is not there or not of its form.
 */
export function readRow<T>(item: Item, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof AttributeError)) {
      throw error;
    }
    const row = `${item['PK']?.S} ${item['SK']?.S}`;
    throw new UnreadableRowError(row, error.attribute, error.message);
  }
}

/** A kind of attribute: its name in DynamoDB, and its name for people. */
const TYPES = { S: 'text', N: 'number', BOOL: 'boolean', M: 'map', L: 'list' } as const;
type Type = keyof typeof TYPES;
type ValueOf<T extends Type> = NonNullable<AttributeValue[T]>;

/** The value of an attribute, or nothing when the row does not have it at all. */
function optional<T extends Type>(item: Item, name: string, type: T): ValueOf<T> | undefined {
  const attribute = item[name];
  if (attribute === undefined) {
    return undefined;
  }
  const value = attribute[type] as ValueOf<T> | undefined;
  if (value === undefined) {
    throw new AttributeError(name, `the row has no ${TYPES[type]} attribute ${name}`);
  }
  return value;
}

function required<T extends Type>(item: Item, name: string, type: T): ValueOf<T> {
  const value = optional(item, name, type);
  if (value === undefined) {
    throw new AttributeError(name, `the row has no ${TYPES[type]} attribute ${name}`);
  }
  return value;
}

/** @throws {AttributeError} when a row lacks an attribute that every row of its kind has. */
export const stringOf = (item: Item, name: string): string => required(item, name, 'S');

/** Nothing where not every row has it. @throws {AttributeError} when it is there and no text. */
export const optionalStringOf = (item: Item, name: string): string | undefined =>
  optional(item, name, 'S');

/** @throws {AttributeError} when the attribute is there and neither true nor false. */
export const optionalBooleanOf = (item: Item, name: string): boolean | undefined =>
  optional(item, name, 'BOOL');

/** @throws {AttributeError} when the attribute is there and no list. */
export const optionalListOf = (item: Item, name: string): AttributeValue[] | undefined =>
  optional(item, name, 'L');

/** One of the values that there are. @throws {AttributeError} for any other. */
export function oneOf<T extends string>(item: Item, name: string, values: readonly T[]): T {
  const value = stringOf(item, name);
  const known = values.find((each) => each === value);
  if (known === undefined) {
    throw new AttributeError(name, `the attribute ${name} is none of ${values.join(', ')}`);
  }
  return known;
}

/** @throws {AttributeError} when a row lacks an attribute that every row of its kind has. */
export const numberOf = (item: Item, name: string): number => Number(required(item, name, 'N'));

/** @throws {AttributeError} for a number that counts nothing: a fraction, or less than none. */
export function countOf(item: Item, name: string): number {
  const value = numberOf(item, name);
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new AttributeError(name, `the attribute ${name} is not a whole number`);
  }
  return value;
}

/** Epoch seconds. @throws {AttributeError} when a row lacks an attribute that every row of its kind has. */
export const timeOf = (item: Item, name: string): number =>
  epochSeconds(name, stringOf(item, name));

/** Epoch seconds of an attribute that not every row has. */
export function optionalTimeOf(item: Item, name: string): number | undefined {
  const value = optionalStringOf(item, name);
  return value === undefined ? undefined : epochSeconds(name, value);
}

/** @throws {AttributeError} when the attribute is not a map of texts: half a request is none. */
export function textsOf(item: Item, name: string): Record<string, string> {
  const map = required(item, name, 'M');
  return Object.fromEntries(Object.keys(map).map((key) => [key, textIn(map, key, name)]));
}

function textIn(map: Item, key: string, name: string): string {
  const value = map[key]?.S;
  if (value === undefined) {
    throw new AttributeError(name, `the row has no text attribute ${name}.${key}`);
  }
  return value;
}

function epochSeconds(name: string, iso: string): number {
  const milliseconds = Date.parse(iso);
  if (Number.isNaN(milliseconds)) {
    throw new AttributeError(name, `the attribute ${name} is not a time`);
  }
  return milliseconds / 1000;
}

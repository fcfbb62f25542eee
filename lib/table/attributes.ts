/** Values as DynamoDB attributes, and back. Times are ISO 8601 in UTC, so people can read a row. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
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

/** @throws {TypeError} when a row lacks an attribute that every row of its kind has. */
export function stringOf(item: Item, name: string): string {
  const value = item[name]?.S;
  if (value === undefined) {
    throw new TypeError(`the row has no text attribute ${name}`);
  }
  return value;
}

/** @throws {TypeError} when a row lacks an attribute that every row of its kind has. */
export function numberOf(item: Item, name: string): number {
  const value = item[name]?.N;
  if (value === undefined) {
    throw new TypeError(`the row has no number attribute ${name}`);
  }
  return Number(value);
}

/** Epoch seconds. @throws {TypeError} when a row lacks an attribute that every row of its kind has. */
export function timeOf(item: Item, name: string): number {
  return epochSeconds(stringOf(item, name));
}

/** Epoch seconds of an attribute that not every row has. */
export function optionalTimeOf(item: Item, name: string): number | undefined {
  const value = item[name]?.S;
  return value === undefined ? undefined : epochSeconds(value);
}

/** @throws {TypeError} when the attribute is not a map of texts: half a request is none. */
export function textsOf(item: Item, name: string): Record<string, string> {
  const map = item[name]?.M;
  if (!map) {
    throw new TypeError(`the row has no map attribute ${name}`);
  }
  return Object.fromEntries(Object.keys(map).map((key) => [key, stringOf(map, key)]));
}

const epochSeconds = (iso: string) => Date.parse(iso) / 1000;

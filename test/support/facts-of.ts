/** The facts of a row as plain values; that their number is the one beside them is checked. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { expect } from 'vitest';
import type { Table } from '../../lib/table/client.ts';
import { rowOf, type Row } from './embedded-tables.ts';

type Plain = Record<string, unknown>;

const plain = ({ S, N, M }: AttributeValue): unknown =>
  M ? plainMap(M) : N === undefined ? S : Number(N);

const plainMap = (map: Row): Plain =>
  Object.fromEntries(Object.entries(map).map(([name, value]) => [name, plain(value)]));

/** What a row tells, from the first fact on. */
export function factsIn(row: Row | undefined): Plain[] {
  const facts = (row?.['facts']?.L ?? []).map((fact) => plainMap(fact.M ?? {}));
  expect(row?.['factCount']).toEqual(facts.length === 0 ? undefined : { N: String(facts.length) });
  return facts;
}

export const factsOf = async (table: Table, PK = 'ORDER#order-0001', SK = 'ORDER') =>
  factsIn(await rowOf(table, PK, SK));

/** Their types alone, in order. */
export const factTypesOf = async (table: Table, PK?: string, SK?: string) =>
  (await factsOf(table, PK, SK)).map(({ type }) => type);

/** The message that a row carries. */
export const carriedIn = (row: Row | undefined): Plain | undefined =>
  row?.['notification']?.M && plainMap(row['notification'].M);

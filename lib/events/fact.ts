/** The facts of a row: what happened to it that somebody else must learn, in the order of writing. */
import { UnreadableRowError } from '../errors.ts';
import { AttributeError, type Item, optionalListOf, stringOf } from '../table/attributes.ts';

/** One fact as its row has it; it never changes once it is written. */
export interface Fact {
  readonly type: string;
  /** When it was recorded, ISO 8601. */
  readonly at: string;
  /** Its place among the facts of its row, from 1. */
  readonly sequence: number;
  /** All that the fact itself says, `type` and `at` among it. */
  readonly values: Item;
}

/** A fact, or why it cannot be read: one that is damaged hides none of the others. */
export type ReadFact = Fact | UnreadableRowError;

/** The facts of a row from the `from`-th on (from 0); none where the row has no list of them. */
export function factsFrom(row: Item, from = 0): ReadFact[] {
  const list = factsListOf(row);
  if (list instanceof UnreadableRowError) {
    return [list];
  }
  return list.slice(from).map((value, index) =>
    reading(row, () => {
      const values = value.M ?? {};
      const at = stringOf(values, 'at');
      if (Number.isNaN(Date.parse(at))) {
        throw new AttributeError('facts', 'the attribute facts has a time that is none');
      }
      return { type: stringOf(values, 'type'), at, sequence: from + index + 1, values };
    }),
  );
}

/** How many facts a row has; none if it is no row, or its list is no list. */
export function countFacts(row: Item | undefined): number {
  return row?.['facts']?.L?.length ?? 0;
}

const factsListOf = (row: Item) => reading(row, () => optionalListOf(row, 'facts') ?? []);

/**
 * What is read, or the error that names row and attribute. Whatever goes wrong with one row is about
 * that row: those after it are read all the same.
 */
export function reading<T>(row: Item, read: () => T): T | UnreadableRowError {
  try {
    return read();
  } catch (error) {
    if (error instanceof UnreadableRowError) {
      return error;
    }
    const attribute = error instanceof AttributeError ? error.attribute : 'facts';
    const { message } = error as Error;
    return new UnreadableRowError(`${row['PK']?.S} ${row['SK']?.S}`, attribute, message);
  }
}

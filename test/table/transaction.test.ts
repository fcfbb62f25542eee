import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Table } from '../../lib/table/client.ts';
import { putNew } from '../../lib/table/refund-account.ts';
import { transact } from '../../lib/table/transaction.ts';
import { allRows, useEmbeddedTables } from '../support/embedded-tables.ts';
import { watchTable } from '../support/watched-table.ts';

const newTable = useEmbeddedTables();
let table: Table;

beforeEach(async () => {
  table = await newTable();
});

const item = (PK: string, more = {}) => ({ PK: { S: PK }, SK: { S: 'X' }, ...more });
const cancelled = (...codes: string[]) =>
  new TransactionCanceledException({
    message: 'cancelled',
    $metadata: {},
    CancellationReasons: codes.map((Code) => ({ Code })),
  });
const atOnce = (_delayMs: number, run: () => void) => {
  run();
  return () => {};
};

/** A table whose first transactions end otherwise; `inputs` are those of all of them. */
function failing(times: number, error: () => Error) {
  const inputs: Readonly<Record<string, unknown>>[] = [];
  const watched = watchTable({ ...table, startTimer: atOnce }, async ({ input, send }) => {
    inputs.push(input);
    if (inputs.length <= times) {
      throw error();
    }
    return send();
  });
  return { watched, inputs };
}

describe('a transaction', () => {
  test('writes all rows, or tells which row stood in the way, as it is', async () => {
    expect(await transact(table, [putNew(table, item('a')), putNew(table, item('b'))])).toBe(
      'written',
    );
    const kept = { value: { S: 'kept' } };
    expect(await transact(table, [putNew(table, item('c', kept))])).toBe('written');
    expect(await transact(table, [putNew(table, item('d')), putNew(table, item('c'))])).toEqual([
      undefined,
      { item: item('c', kept) },
    ]);
    expect(await allRows(table)).toHaveLength(3);
  });

  test('that meets another one is made again with a token of its own, and is carried out once', async () => {
    const { watched, inputs } = failing(3, () => cancelled('None', 'TransactionConflict'));

    expect(await transact(watched, [putNew(table, item('a'))])).toBe('written');
    const tokens = inputs.map(({ ClientRequestToken }) => ClientRequestToken);
    expect(new Set(tokens).size).toBe(4);
    expect(tokens).toEqual(tokens.map(() => expect.stringMatching(/^[0-9a-f]{32}$/)));
  });

  test('that meets others for ten seconds fails as DynamoDB does, with nothing written', async () => {
    const { watched, inputs } = failing(99, () => cancelled('TransactionConflict'));

    await expect(transact(watched, [putNew(table, item('a'))])).rejects.toBeInstanceOf(
      TransactionCanceledException,
    );
    expect(inputs).toHaveLength(14);
    expect(await allRows(table)).toEqual([]);
  });

  test('whose condition fails while it meets another one is decided', async () => {
    const { watched, inputs } = failing(1, () =>
      cancelled('ConditionalCheckFailed', 'TransactionConflict'),
    );

    expect(await transact(watched, [putNew(table, item('a'))])).toEqual([
      { item: undefined },
      undefined,
    ]);
    expect(inputs).toHaveLength(1);
  });

  test.each([
    ['is throttled', 'cancelled', () => cancelled('ThrottlingError')],
    [
      'says nothing',
      'silence',
      () => new TransactionCanceledException({ message: 'silence', $metadata: {} }),
    ],
    ['breaks', 'ECONNRESET', () => new Error('ECONNRESET')],
  ])('that %s fails at once', async (_, message, error) => {
    const { watched, inputs } = failing(1, error);

    await expect(transact(watched, [putNew(table, item('a'))])).rejects.toThrow(message);
    expect(inputs).toHaveLength(1);
  });
});

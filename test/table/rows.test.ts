/** Rows as they are, page by page, on the embedded engine. */
import { describe, expect, test } from 'vitest';
import type { Item } from '../../lib/table/attributes.ts';
import type { TableConnection } from '../../lib/table/client.ts';
import { queryRows, scanRows } from '../../lib/table/rows.ts';
import { putRow, useEmbeddedTables } from '../support/embedded-tables.ts';

const newTable = useEmbeddedTables();

const rowAt = (PK: string, SK: string): Item => ({ PK: { S: PK }, SK: { S: SK } });

/** DynamoDB ends a page at 1 MB; here it ends after two rows. */
const inPagesOfTwo = ({ client, tableName }: TableConnection): TableConnection => ({
  tableName,
  client: {
    send: ((command: { input: object }) => {
      Object.assign(command.input, { Limit: 2 });
      return client.send(command as never);
    }) as typeof client.send,
  },
});

async function keysOf(pages: AsyncIterable<Item[]>) {
  const all: string[][] = [];
  for await (const rows of pages) {
    all.push(rows.map(({ PK, SK }) => `${PK?.S} ${SK?.S}`));
  }
  return all;
}

async function tableOfFive() {
  const table = await newTable();
  for (const SK of ['ORDER', 'REFUND#1', 'REFUND#2', 'REFUND#3']) {
    await putRow(table, rowAt('ORDER#a', SK));
  }
  await putRow(table, rowAt('ORDER#b', 'ORDER'));
  return table;
}

describe('rows', () => {
  test('of the whole table come each once, over all pages', async () => {
    const pages = await keysOf(scanRows(inPagesOfTwo(await tableOfFive())));

    expect(pages.length).toBeGreaterThan(2);
    expect(pages.flat().toSorted()).toEqual([
      'ORDER#a ORDER',
      'ORDER#a REFUND#1',
      'ORDER#a REFUND#2',
      'ORDER#a REFUND#3',
      'ORDER#b ORDER',
    ]);
  });

  test('under one key come in its order, over all pages', async () => {
    const table = inPagesOfTwo(await tableOfFive());

    expect((await keysOf(queryRows(table, 'ORDER#a'))).flat()).toEqual([
      'ORDER#a ORDER',
      'ORDER#a REFUND#1',
      'ORDER#a REFUND#2',
      'ORDER#a REFUND#3',
    ]);
    expect((await keysOf(queryRows(table, 'ORDER#a', 'REFUND#'))).flat()).toEqual([
      'ORDER#a REFUND#1',
      'ORDER#a REFUND#2',
      'ORDER#a REFUND#3',
    ]);
  });

  test('that are not there are no rows', async () => {
    const table = await newTable();

    expect((await keysOf(scanRows(table))).flat()).toEqual([]);
    expect((await keysOf(queryRows(table, 'ORDER#a'))).flat()).toEqual([]);
  });

  test('of an answer without any are none', async () => {
    const table = {
      tableName: 't',
      client: { send: async () => ({}) },
    } as unknown as TableConnection;

    expect(await keysOf(scanRows(table))).toEqual([[]]);
    expect(await keysOf(queryRows(table, 'ORDER#a'))).toEqual([[]]);
  });
});

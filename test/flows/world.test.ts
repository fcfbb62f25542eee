/** One seed, one world: whole payments by the real handlers, the same byte for byte each time. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Credentials } from '../../simulator/book/credentials.ts';
import { createMerchant } from '../../simulator/create-merchant.ts';
import { allRows, productRow, putRow, useEmbeddedTables } from '../support/embedded-tables.ts';
import { type Line, openWorld } from '../support/world.ts';

const openTable = useEmbeddedTables();

/** Keys are fixed for both runs, as they are for a merchant. */
let credentials: Credentials;
beforeAll(async () => {
  credentials = await createMerchant();
});

interface Run {
  readonly trace: readonly Line[];
  readonly rows: readonly unknown[];
  readonly states: readonly unknown[];
}

/** Logs in, orders, pays, is notified, looks; a second order is left unpaid and closed. */
async function run(seed: string, apiVersion: 'v2' | 'v3'): Promise<Run> {
  const table = await openTable();
  await putRow(table, productRow('latte', { priceFen: 2800 }));
  const world = await openWorld({ seed, apiVersion, credentials, table });
  const { api, control, machine } = world;
  const { code } = await control('POST', '/login', { user: 'alice' });
  const { body: login } = await api('POST', '/login', { code });
  const headers = { authorization: `Bearer ${String(login['token'])}` };
  const cart = { items: [{ sku: 'latte', quantity: 1 }] };
  const order = async (key: string) =>
    (await api('POST', '/prepay', cart, { ...headers, 'idempotency-key': key })).body;
  const look = async (outTradeNo: unknown) =>
    (await api('GET', `/orders/${String(outTradeNo)}`, undefined, headers)).body['tradeState'];

  const paid = await order('first');
  await machine.advance(5_000);
  const requestPayment = paid['requestPayment'] as object;
  const states: unknown[] = [
    await control('POST', '/request-payment', { user: 'alice', ...requestPayment }),
  ];
  await machine.advance(20_000);
  states.push(await look(paid['outTradeNo']));

  const abandoned = await order('second');
  await machine.advance(1_801_000);
  states.push(await world.reconcile(), await look(abandoned['outTradeNo']));
  await world.stop();
  return { trace: world.trace, rows: inOrder(await allRows(table)), states };
}

/** The engine gives rows, attributes and the entries of maps in an order of its own. */
const inOrder = (rows: readonly object[]) =>
  rows.map(sortNames).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));

function sortNames(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(sortNames);
  }
  return typeof value !== 'object' || value === null
    ? value
    : Object.fromEntries(
        Object.entries(value)
          .toSorted(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, inner]) => [name, sortNames(inner)]),
      );
}

/** The table's own name differs between two runs and nothing else. */
const textOf = ({ trace, rows, states }: Run) =>
  JSON.stringify({ trace, rows, states }, null, 1).replaceAll(/"orders-\d+"/g, '"orders"');

describe.each(['v2', 'v3'] as const)('a payment by API %s', (apiVersion) => {
  test('leads through every part to its end', async () => {
    const { states, trace } = await run('one', apiVersion);

    expect(states).toEqual([
      { errMsg: 'requestPayment:ok' },
      'SUCCESS',
      expect.objectContaining({ due: 1, closed: 1, failed: 0 }),
      'CLOSED',
    ]);
    const parties = new Set<unknown>(trace.map(({ to }) => to));
    expect(parties).toEqual(new Set([undefined, 'shop', 'table', 'wechat']));
  });

  test('is the same byte for byte, twice from one seed', async () => {
    const [first, second] = [await run('one', apiVersion), await run('one', apiVersion)];

    expect(textOf(second)).toBe(textOf(first));
  });

  test('is another one from another seed', async () => {
    const [first, second] = [await run('one', apiVersion), await run('two', apiVersion)];

    expect(textOf(second)).not.toBe(textOf(first));
    expect(second.states).toEqual(first.states);
  });
});
